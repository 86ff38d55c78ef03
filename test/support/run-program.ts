/** Commands as their users meet them: as processes, and in this process where that tells the same. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { programFor } from '../../cli/command-line/all-commands.ts'
import { runCommand } from '../../cli/command-line/run-command.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export interface Run {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly status: Promise<number | null>
}

export interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

const runs: ChildProcess[] = []

/** A program of the repository. `environment`: beside ours. */
export function runProgram(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Run {
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], { cwd: ROOT, env })
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

export const startMqttDynamodb = (args: readonly string[], environment: NodeJS.ProcessEnv = {}): Run =>
  runProgram('bin/mqtt-dynamodb.ts', args, environment)

export const ended = async ({ status, out, err }: Run): Promise<Ended> => ({ status: await status, out: out(), err: err() })

export const mqttDynamodb = (...args: string[]): Promise<Ended> => ended(startMqttDynamodb(args))

/** No credentials and no profile. */
export const NO_CREDENTIALS = {
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ACCESS_KEY_ID: '',
  AWS_SECRET_ACCESS_KEY: '',
}

/** Ends what the tests left running. */
export function killPrograms(): void {
  for (const child of runs.splice(0)) child.kill('SIGKILL')
}

/** In this process. */
export const here = async (...args: string[]): Promise<Ended> => runHere(await programFor(args), args)

/** A command that is no part of `mqtt-dynamodb`, in this process. */
export async function runHere(command: CommandUnknownOpts, args: readonly string[]): Promise<Ended> {
  const said = { out: '', err: '' }
  const caught = (name: 'out' | 'err') => (text: string | Uint8Array) => {
    said[name] += text
    return true
  }
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(caught('out')),
    jest.spyOn(process.stderr, 'write').mockImplementation(caught('err')),
  ]
  const before = process.exitCode
  try {
    process.exitCode = 0
    await runCommand(command, args)
    return { status: process.exitCode, ...said }
  } finally {
    process.exitCode = before
    for (const spy of spies) spy.mockRestore()
  }
}

/** The values of a command's flags, as they are read before the command does anything. */
export const read = <Values>(command: { parse(args: string[], from: { from: 'user' }): { opts(): Values } }, ...args: string[]): Values =>
  command.parse(args, { from: 'user' }).opts()
