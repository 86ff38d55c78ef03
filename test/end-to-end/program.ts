/** A program of `bin/` as a process: what it says, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

export interface Run {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly status: Promise<number | null>
}

const runs: ChildProcess[] = []

/** `environment`: beside ours. */
export function runProgram(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Run {
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, ['--import', 'tsx', `bin/${program}`, ...args], { cwd: ROOT, env })
  runs.push(child)
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const status = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { child, out: () => out, err: () => err, status }
}

/** Ends what the tests left running. */
export function killPrograms(): void {
  for (const child of runs.splice(0)) child.kill('SIGKILL')
}
