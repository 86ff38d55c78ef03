/** `mqtt-dynamodb conf`: checks a conf and says what it does. */
import { join, relative } from 'node:path'
import { problemLine } from '../lib/conf/conf.ts'
import { DEFAULT_CONF, readConf } from '../lib/conf/conf-file.ts'
import { exits, newCommand } from './command-line/run-command.ts'
import { existingFile } from './command-line/values.ts'
import { confInWords } from './conf/conf-in-words.ts'

const ABOUT = `Checks a conf in the format of EMQX's emqx_backend_dynamo.conf, says in words what it does, and warns of what
may surprise. Warnings and errors of single lines go to stderr, each as FILE:LINE: MESSAGE.`

export const flags = () =>
  newCommand('conf', 'check a conf and say what it does', ABOUT)
    .argument('[FILE]', `the conf; default: ${DEFAULT_CONF}`, existingFile)
    .option('--json', 'the hook table as JSON instead')
    .addHelpText('after', '\nExit status: 0 the conf is good, 1 it has errors, 2 wrong use.')

export const command = () => flags().action(exits((file = ours(), { json }) => check(file, json === true)))

/** The default conf of this checkout, relative to the caller's folder. */
const ours = (): string => relative('', join(import.meta.dirname, '..', DEFAULT_CONF))

function check(file: string, json: boolean): number {
  const { table, warnings, errors } = readConf(file)
  for (const { message, ...place } of warnings) process.stderr.write(`${problemLine({ ...place, message: `warning: ${message}` })}\n`)
  for (const error of errors) process.stderr.write(`${problemLine(error)}\n`)
  if (errors.length > 0) return 1
  process.stdout.write(json ? `${JSON.stringify(table, null, 2)}\n` : confInWords(file, table))
  return 0
}
