/**
 * The worker thread's program as one plain JavaScript file. A thread does not get the loader (tsx, jest) that its owner was started with,
 * so esbuild makes it what Node can run. It stays inside the repository, because packages are left out of it and found from there.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const CACHE = join(import.meta.dirname, '..', '..', '.cache')
const FILE = join(CACHE, 'dynamodb-worker.cjs')

/** Written anew at each start (a few milliseconds) and renamed into place, so that nobody runs a stale or a half-written one. */
export async function dynamoDbWorkerFile(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'worker.ts')],
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
  const fresh = `${FILE}.${randomUUID()}`
  await writeFile(fresh, outputFiles[0]!.contents)
  await rename(fresh, FILE)
  return FILE
}
