/** `npm run scale`: what breaks first at a rate of publishes. */
import { BackendError } from '../lambda/core/errors.ts'
import { HELP, parseCommand, type ScaleCommand } from './scale/scale-flags.ts'
import { asJson, asText, scaleOf } from './scale/scale-report.ts'
import { asTable } from './scale/scale-table.ts'

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  let command: ScaleCommand
  try {
    command = parseCommand(args)
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    process.stderr.write(`scale: ${error.message} (see --help)\n`)
    return 2
  }
  if (command === 'help' || command === 'table') {
    process.stdout.write(command === 'help' ? HELP : asTable())
    return 0
  }
  const scale = scaleOf(command.workload)
  process.stdout.write(command.json ? asJson(scale) : asText(scale))
  return scale.breaks.length === 0 ? 0 : 1
}
