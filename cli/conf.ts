/** `mqtt-dynamodb conf`: checks a conf and prints the hook table that it makes. */

import { problemLine } from '../lib/conf/conf.ts'
import { DEFAULT_CONF, readConf } from '../lib/conf/conf-file.ts'
import { exits, newCommand } from './command-line/run-command.ts'
import { existingFile } from './command-line/values.ts'

const ABOUT = `Checks a conf in the format of EMQX's emqx_backend_dynamo.conf and prints the hook table that it
makes, as JSON. Warnings and errors go to stderr, each as FILE:LINE: MESSAGE.`

export const flags = () =>
  newCommand('conf', 'check a conf and say what it does', ABOUT)
    .argument('[FILE]', 'the conf', existingFile, DEFAULT_CONF)
    .option('--json', 'the hook table as JSON')
    .addHelpText('after', '\nExit status: 0 the conf is good, 1 it has errors, 2 wrong use.')

export const command = () => flags().action(exits((file) => check(file)))

function check(file: string): number {
  const { table, warnings, errors } = readConf(file)
  for (const { message, ...place } of warnings) process.stderr.write(`${problemLine({ ...place, message: `warning: ${message}` })}\n`)
  for (const error of errors) process.stderr.write(`${problemLine(error)}\n`)
  if (errors.length > 0) return 1
  process.stdout.write(`${JSON.stringify(table, null, 2)}\n`)
  return 0
}
