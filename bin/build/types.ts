/** The types of the public API, as the compiler writes them. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './places.ts'

/** Writes a `.d.ts` for each source that the public API leads to. @throws Error with the compiler's words */
export function emitTypes(folder: string): void {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const project = join(ROOT, 'bin', 'build', 'tsconfig.types.json')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project, '--outDir', folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stdout)
}
