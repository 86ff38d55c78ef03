/** `npm run costs`: what a month of a fleet costs. */

import { BackendError } from '../lambda/core/errors.ts'
import { type CostsCommand, HELP, parseCommand } from './costs/costs-flags.ts'
import { asJson, asText } from './costs/costs-report.ts'

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  let command: CostsCommand | 'help'
  try {
    command = parseCommand(args)
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    process.stderr.write(`costs: ${error.message} (see --help)\n`)
    return 2
  }
  if (command === 'help') process.stdout.write(HELP)
  else process.stdout.write(command.json ? asJson(command.workload) : asText(command.workload))
  return 0
}
