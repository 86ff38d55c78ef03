/** `npm run -s conf -- FILE`: checks a conf and prints the hook table that it makes, as JSON. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { problemLine } from '../lib/conf/conf.ts'
import { DEFAULT_CONF, readConf } from '../lib/conf/conf-file.ts'

const USAGE = `Usage: npm run -s conf -- [FILE]

Checks a conf in the format of EMQX's emqx_backend_dynamo.conf and prints the hook
table that it makes as JSON. FILE is ${DEFAULT_CONF} unless given.

Warnings and errors go to stderr, each as FILE:LINE: MESSAGE.
Exit status: 0 the conf is good, 1 it has errors or cannot be read, 2 wrong usage.
`

process.exitCode = main(process.argv.slice(2))

function main(args: string[]): number {
  const command = commandOf(args)
  if (typeof command === 'string') return complain(command, 2)
  if (command.help) {
    process.stdout.write(USAGE)
    return 0
  }
  return check(command.file)
}

function check(file: string): number {
  let conf: ReturnType<typeof readConf>
  try {
    conf = readConf(file)
  } catch (error) {
    return complain(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? 'not a file'}`, 1)
  }
  for (const { message, ...place } of conf.warnings) process.stderr.write(`${problemLine({ ...place, message: `warning: ${message}` })}\n`)
  for (const error of conf.errors) process.stderr.write(`${problemLine(error)}\n`)
  if (conf.errors.length > 0) return 1
  process.stdout.write(`${JSON.stringify(conf.table, null, 2)}\n`)
  return 0
}

/** What the command line asks for, or what is wrong with it. */
function commandOf(args: string[]): { help: boolean; file: string } | string {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } })
    const [file = DEFAULT_CONF, ...more] = positionals
    if (more.length > 0) return `${positionals.length} files given, wanted one`
    return { help: values.help ?? false, file: positionals.length > 0 ? fromCaller(file) : file }
  } catch (error) {
    return (error as Error).message.split(/[.\n]/)[0] ?? 'wrong usage'
  }
}

/** npm runs its scripts in the package's folder; INIT_CWD is where the caller stands. */
function fromCaller(file: string): string {
  const there = resolve(process.env.INIT_CWD ?? '', file)
  return existsSync(file) ? file : existsSync(there) ? there : file
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`conf: ${message}${exitCode === 2 ? ' (see --help)' : ''}\n`)
  return exitCode
}
