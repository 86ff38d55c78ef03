/** `npm run smoke`: tries a deployed stack, and tells what only it can tell. */
import { randomBytes } from 'node:crypto'
import { BackendError } from '../lambda/core/errors.ts'
import { trial } from './smoke/checks.ts'
import { HELP, parseCommand, type SmokeCommand } from './smoke/smoke-flags.ts'

// Seven lines of the SDK on Node 20, before every answer of one line.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let command: SmokeCommand | 'help'
  try {
    command = parseCommand(args)
  } catch (error) {
    return complain(`${(error as Error).message} (see --help)`, 2)
  }
  if (command !== 'help') return await run(command)
  process.stdout.write(HELP)
  return 0
}

async function run(command: SmokeCommand): Promise<number> {
  try {
    const { held, checked, answers } = await trial(command, randomBytes(4).toString('hex'))
    process.stdout.write('\n== Report\n')
    for (const { question, seen } of answers) process.stdout.write(`${question}\n  ${seen}\n`)
    process.stdout.write(`\n${held} of ${checked} checks held\n`)
    return held === checked ? 0 : 1
  } catch (error) {
    // What is not the reader's, AWS's or the network's fault keeps its stack.
    return complain(error instanceof BackendError ? error.message : `${(error as Error).stack}`, 1)
  }
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`smoke: ${message}\n`)
  return exitCode
}
