/** The package as `npm pack` makes it, and installed as a stranger would. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const ROOT = join(import.meta.dirname, '..', '..')

export interface Packed {
  readonly file: string
  /** Bytes. */
  readonly size: number
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

/** Without what jest and npm say to the processes that they start: a stranger's shell has none of it. */
export function strangersEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_(registry|cache)$)|INIT_CWD|NODE_ENV|JEST_|CDK_)/i.test(name),
  )
  return { ...Object.fromEntries(kept), npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' }
}

export interface Failed {
  readonly status: number
  /** Lines of stderr. */
  readonly said: readonly string[]
}

/** A program that is to fail. @throws Error if it does not */
export async function failing(folder: string, program: string, ...args: string[]): Promise<Failed> {
  const failed = await promisify(execFile)(program, args, { cwd: folder, env: strangersEnvironment(), timeout: 60_000 }).then(
    ({ stdout }) => {
      throw new Error(`${program} ${args.join(' ')} did not fail: ${stdout}`)
    },
    (error: { code: number; stderr: string }) => error,
  )
  return { status: failed.code, said: failed.stderr.split('\n').filter((line) => line !== '') }
}

/** @throws what the program printed, if its status is not 0 */
export const run = (folder: string, program: string, ...args: string[]): Promise<string> => runIn(folder, {}, program, ...args)

/** The same with more variables. */
export async function runIn(folder: string, more: NodeJS.ProcessEnv, program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: folder,
      env: { ...strangersEnvironment(), ...more },
      maxBuffer: 1e8,
    })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')}\n${stdout}\n${stderr}`)
  }
}

/** Builds and packs. Only one suite may do so: there is one `dist`. */
export async function pack(folder: string): Promise<Packed> {
  const [packed] = JSON.parse(await run(ROOT, 'npm', 'pack', '--silent', '--json', '--pack-destination', folder))
  return { file: join(folder, packed.filename), size: packed.size, files: packed.files }
}

/** The packages of a folder's lockfile, the folder's own not counted. */
export const packagesIn = (lock: string): string[] => Object.keys(JSON.parse(lock).packages).filter((path) => path !== '')
