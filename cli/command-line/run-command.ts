/** Makes and runs the commands of this project. Wrong use is one line on stderr and exit status 2. */
import { Command, CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { BackendError } from '../../lambda/core/errors.ts'
import { flagText, usageLine } from './usage-text.ts'

/**
 * A command to which flags are added. Its help tells what each flag takes, and its default.
 * @param about paragraphs; the help breaks the lines again
 */
export const newCommand = (name: string, summary: string, about: string): Command =>
  new Command(name)
    .summary(summary)
    .description(about.replaceAll(/(?<!\n)\n(?!\n)/g, ' '))
    .helpOption('-h, --help', 'this text')
    .configureHelp({ optionDescription: flagText })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()

/** A program for those who work on this repository: `npm run NAME`. */
export const newScript = (name: string, about: string): Command =>
  newCommand(name, '', about).configureHelp({ optionDescription: flagText, commandUsage: () => `npm run ${name} -- [options]` })

/** The type of the flags' values. `Flags` is a function that declares flags. */
export type OptionsOf<Flags extends (...given: never[]) => { opts(): unknown }> = ReturnType<ReturnType<Flags>['opts']>

/** For flags that do not go together: "--hot stands alone, wanted --hot and --hot-share together". */
export const wrongUse = (message: string): BackendError => new BackendError('usage', message)

/** Wraps a command's action: what it returns becomes the exit status of the process. */
export const exits =
  <A extends unknown[]>(work: (...args: A) => number | Promise<number>) =>
  async (...args: A): Promise<void> => {
    process.exitCode = await work(...args)
  }

/**
 * Runs a command and sets the exit status: what the command returned, 1 if it could not do its work, 2 for wrong use.
 * For the last two it writes one line on stderr.
 */
export async function runCommand(program: CommandUnknownOpts, args: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    if (!stream.listeners('error').includes(ignoreGoneReader)) stream.on('error', ignoreGoneReader)
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    const path = pathTo(program, args)
    const { status, line } = endOf(path.at(-1)!, error)
    process.exitCode = status
    if (line !== undefined) process.stderr.write(`${nameOf(path)}: ${line}\n`)
  }
}

/** `mqtt-dynamodb scale --help | head -1`: the reader may leave. The command goes on, so that nothing stays half done. */
function ignoreGoneReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

function endOf(command: CommandUnknownOpts, error: unknown): { status: number; line?: string } {
  if (error instanceof CommanderError) {
    // The library ends --help and --version by an error, too.
    if (error.exitCode === 0) return { status: 0 }
    if (error.code === 'commander.help') return { status: 2 }
    return { status: 2, line: `${usageLine(command, error)} (see --help)` }
  }
  // An error that nobody expected is a fault of our code: its stack helps.
  if (!(error instanceof BackendError)) return { status: 1, line: `${(error as Error).stack}` }
  if (error.code === 'refused') return { status: 2, line: error.message }
  return error.code === 'usage' ? { status: 2, line: `${error.message} (see --help)` } : { status: 1, line: error.message }
}

/** The program, and the commands below it that the arguments name. */
function pathTo(program: CommandUnknownOpts, args: readonly string[]): CommandUnknownOpts[] {
  const [first, ...more] = args
  const next = program.commands.find((command) => command.name() === first)
  return next === undefined ? [program] : [program, ...pathTo(next, more)]
}

/** `dead-letters redrive`; of the program alone its own name. */
const nameOf = ([program, ...commands]: readonly CommandUnknownOpts[]): string =>
  (commands.length === 0 ? [program!] : commands).map((command) => command.name()).join(' ')
