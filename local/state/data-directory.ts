/** The directory that a run keeps its tables and its journal in. */
import { existsSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BackendError } from '../../lambda/core/errors.ts'

/** Makes the directory if it is not there. @throws BackendError `data-dir` where that fails */
export async function makeDataDirectory(dataDir: string): Promise<void> {
  try {
    await mkdirs(dataDir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new BackendError(
      'data-dir',
      `--data-dir is ${JSON.stringify(dataDir)}, wanted a directory that is there or can be made (${code})`,
    )
  }
}

/** Node's recursive mkdir loops for ever where an existing parent answers ENOENT, as /proc does. */
async function mkdirs(directory: string): Promise<void> {
  try {
    await mkdir(directory)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(directory).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(dirname(directory))) throw error
    await mkdirs(dirname(directory))
    await mkdir(directory)
  }
}
