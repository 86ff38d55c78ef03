/** The directory that a run keeps its tables and its journal in. They hold payloads: nobody but their owner may read them. */
import { existsSync } from 'node:fs'
import { chmod, lstat, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackendError } from '../../lambda/core/errors.ts'

const OWNER_ONLY = 0o700
/** Where the embedded engine keeps its tables. */
export const tablesIn = (dataDir: string): string => join(dataDir, 'dynamodb')

/** Makes the directory if it is not there. @throws BackendError `data-dir` where that fails */
export async function makeDataDirectory(dataDir: string): Promise<void> {
  try {
    await mkdirs(dataDir)
    await makePrivate(tablesIn(dataDir))
  } catch (error) {
    if (error instanceof BackendError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new BackendError(
      'data-dir',
      `--data-dir is ${JSON.stringify(dataDir)}, wanted a directory that is there or can be made (${code})`,
    )
  }
}

/** A directory of our name inside a directory that others may write to: somebody else may have put it there. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { mode: OWNER_ONLY }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const found = await lstat(directory)
  if (!found.isDirectory()) throw new BackendError('data-dir', `${directory} is a file or a link, wanted a directory`)
  await chmod(directory, OWNER_ONLY)
}

/**
 * An existing directory keeps its mode, because others may use it. What we make in it is private.
 * Node's recursive mkdir loops for ever where an existing parent answers ENOENT, as /proc does.
 */
async function mkdirs(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: OWNER_ONLY })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(directory)).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(dirname(directory))) throw error
    await mkdirs(dirname(directory))
    await mkdir(directory, { mode: OWNER_ONLY })
  }
}
