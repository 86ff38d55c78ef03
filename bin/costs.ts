/** `npm run costs`: what a month of a fleet costs. */
import { type CostsCommand, HELP, parseCommand } from '../costs/command-line.ts'
import { asJson, asText } from '../costs/report.ts'
import { BackendError } from '../lambda/core/errors.ts'

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
