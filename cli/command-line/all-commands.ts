/** All commands of `mqtt-dynamodb`. Each stands in a file of its name, which is loaded only when it is needed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { newCommand } from './run-command.ts'

const COMMANDS: Readonly<Record<string, () => Promise<{ command: () => CommandUnknownOpts }>>> = {
  start: () => import('../start.ts'),
  console: () => import('../console.ts'),
  demo: () => import('../demo.ts'),
  conf: () => import('../conf.ts'),
  status: () => import('../status.ts'),
  doctor: () => import('../doctor.ts'),
  clients: () => import('../clients.ts'),
  subscriptions: () => import('../subscriptions.ts'),
  queues: () => import('../queues.ts'),
  messages: () => import('../messages.ts'),
  retained: () => import('../retained.ts'),
  'dead-letters': () => import('../dead-letters.ts'),
  smoke: () => import('../smoke.ts'),
  costs: () => import('../costs.ts'),
  scale: () => import('../scale.ts'),
  init: () => import('../init.ts'),
  template: () => import('../template.ts'),
}

/** The program with the one command that the arguments name. Without one it has all: for the help, and to find the nearest name. */
export async function programFor(args: readonly string[]): Promise<CommandUnknownOpts> {
  const { version, description } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'))
  const program = newCommand('mqtt-dynamodb', '', description).version(version)
  const named = Object.hasOwn(COMMANDS, args[0] ?? '') ? [COMMANDS[args[0]!]!] : Object.values(COMMANDS)
  for (const { command } of await Promise.all(named.map((load) => load()))) program.addCommand(command())
  return program
}
