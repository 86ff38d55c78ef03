/**
 * A program as one plain JavaScript file. A thread or a process does not get the loader (tsx, jest) that its owner was started with,
 * so esbuild makes it what Node can run. It stays inside the repository, because packages are left out of it and found from there.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const CACHE = join(import.meta.dirname, '..', '.cache')

/**
 * Written anew at each start (a few milliseconds) and renamed into place, so that nobody runs a stale or a half-written one.
 * `name`: of the file, without its ending.
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
  await writeFile(fresh, outputFiles[0]!.contents)
  await rename(fresh, file)
  return file
}
