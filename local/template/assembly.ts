/** Synthesizes the CDK app in a process of its own, so that aws-cdk-lib's memory is free again after a second. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { BackendError } from '../../lambda/core/errors.ts'
import { APP_COMMAND } from './cdk-app.ts'

export interface Assembly {
  /** Holds `MqttBackend.template.json` and the functions' code. */
  readonly directory: string
  remove(): Promise<void>
}

const ROOT = join(import.meta.dirname, '..', '..')

/**
 * @param context Options of the app, as `cdk synth -c` takes them; `conf` relative to the working directory.
 * @param parent the folder in which the assembly's directory is made
 * @throws BackendError `refused` with what the app says of the conf or an option, one error a line; `synth` if it fails otherwise
 */
export async function synthesize(
  context: Readonly<Record<string, unknown>>,
  log: (line: string) => void,
  parent = tmpdir(),
): Promise<Assembly> {
  await removeLeftBehind()
  const directory = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`))
  const remove = () => rm(directory, { recursive: true, force: true })
  try {
    const absolute = typeof context.conf === 'string' ? { ...context, conf: resolve(context.conf) } : context
    const said = await runApp({ CDK_OUTDIR: directory, CDK_CONTEXT_JSON: JSON.stringify(absolute), CDK_VALIDATION: 'false' })
    for (const line of said) log(line)
    return { directory, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

const PREFIX = 'mqtt-backend-'

/** Milliseconds. A younger directory is kept: its process may run in a container that shares this directory, and is not visible here. */
const LEFT_BEHIND = 24 * 3_600_000

/** Removes the directories of runs that were killed. A directory that cannot be removed (another user's) is left and is no error. */
export async function removeLeftBehind(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => {
    const [, pid] = name.match(`^${PREFIX}([0-9]+)-`) ?? []
    return pid !== undefined && !isRunning(Number(pid))
  })
  await Promise.allSettled(
    names.map(async (name) => {
      const directory = join(tmpdir(), name)
      const { mtimeMs } = await stat(directory)
      if (Date.now() - mtimeMs > LEFT_BEHIND) await rm(directory, { recursive: true, force: true })
    }),
  )
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The app's exit status for a wrong conf or option (lib/run-app.ts). */
const REFUSED = 2

/** env(1) adds variables to the environment without reading it here, which only `bin` may. By full path: PATH may be anything. */
async function runApp(variables: Readonly<Record<string, string>>): Promise<string[]> {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const app = [process.execPath, ...APP_COMMAND]
  const child = spawn('/usr/bin/env', [...assignments, ...app], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const lines = said.split('\n').filter((line) => line !== '' && !line.startsWith('Bundling asset '))
  if (status === 0) return lines
  throw new BackendError(status === REFUSED ? 'refused' : 'synth', lines.join('\n') || `the CDK app ended with status ${status}`)
}
