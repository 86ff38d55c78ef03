/**
 * A TypeScript program as one plain JavaScript file. A new thread or process has no loader (tsx, jest), so esbuild makes what Node
 * runs without a loader. The file stays inside the repository: it imports packages, which are found from there.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { CACHE } from './cache-directory.ts'

/**
 * The file is written at each start (a few milliseconds) and renamed into place: nobody runs an old or a half-written one.
 * @param name of the file, without its ending
 */
export async function plainFile(program: string, name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [program],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    packages: 'external',
    define: { 'import.meta.dirname': '__dirname' },
    sourcemap: 'inline',
    logLevel: 'silent',
  })
  await mkdir(CACHE, { recursive: true })
  const file = join(CACHE, `${name}.cjs`)
  const fresh = `${file}.${randomUUID()}`
  await writeFile(fresh, outputFiles[0]!.contents, { flag: 'wx' })
  await rename(fresh, file)
  return file
}
