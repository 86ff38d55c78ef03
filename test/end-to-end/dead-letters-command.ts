/** `npm run redrive` as a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

export interface Redriven {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

/** No credentials, no profile, no network beyond the endpoint. */
const BARE = {
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ACCESS_KEY_ID: '',
  AWS_SECRET_ACCESS_KEY: '',
}

export function startRedrive(args: readonly string[], env: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<Redriven> } {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cli/dead-letters.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...BARE, ...env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const ended = new Promise<Redriven>((resolve) => child.on('close', (status) => resolve({ status, out, err })))
  return { child, ended }
}

export const redriveCommand = (...args: string[]): Promise<Redriven> => startRedrive(args).ended
