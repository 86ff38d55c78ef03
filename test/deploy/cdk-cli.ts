/** The repository's own CDK CLI, against the engine. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Engine } from './aws-engine.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PROGRAM = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk')
const LIMIT_MS = 120_000

export interface Ran {
  readonly status: number
  /** Standard output and error. */
  readonly said: string
}

export function cdk(engine: Engine, ...args: readonly string[]): Promise<Ran> {
  const { directory, environment } = engine
  const env = { ...environment, CI: 'true', CDK_HOME: join(directory, 'cdk') }
  const options = { cwd: ROOT, env, timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 }
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ status, said: `${stdout}${stderr}` })
    })
  })
}

/** @throws Error with what the CLI said, unless it succeeds */
export async function cdkMust(engine: Engine, ...args: readonly string[]): Promise<string> {
  const { status, said } = await cdk(engine, ...args)
  if (status !== 0) throw new Error(`cdk ${args.join(' ')}: exit status ${status}\n${said.slice(-4_000)}`)
  return said
}
