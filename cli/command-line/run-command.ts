/** Commands as this project makes them: wrong use is one line on stderr and exit status 2. */
import { Command, CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { BackendError } from '../../lambda/core/errors.ts'
import { flagText, usageLine } from './usage-text.ts'

/**
 * A command without flags so far. Its help tells what each flag takes, and its default.
 * @param about paragraphs; the help breaks their lines anew
 */
export const newCommand = (name: string, summary: string, about: string): Command =>
  new Command(name)
    .summary(summary)
    .description(about.replaceAll(/(?<!\n)\n(?!\n)/g, ' '))
    .helpOption('-h, --help', 'this text')
    .configureHelp({ optionDescription: flagText })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()

/** A program for who works on this repository: `npm run NAME`. */
export const newScript = (name: string, about: string): Command =>
  newCommand(name, '', about).configureHelp({ optionDescription: flagText, commandUsage: () => `npm run ${name} -- [options]` })

/** The values of the flags that such a function declares. */
export type OptionsOf<Flags extends (...given: never[]) => { opts(): unknown }> = ReturnType<ReturnType<Flags>['opts']>

/** What is wrong with a command line as a whole: "--hot without --hot-share, wanted both". */
export const wrongUse = (message: string): BackendError => new BackendError('usage', message)

/** The exit status of the process is what a command's action returns. */
export const exits =
  <A extends unknown[]>(work: (...args: A) => number | Promise<number>) =>
  async (...args: A): Promise<void> => {
    process.exitCode = await work(...args)
  }

/**
 * Runs a command and sets the exit status: its own, 0 or 1 (something did not hold); else 1 (it could not do its work)
 * or 2 (wrong use), with one line on stderr.
 */
export async function runCommand(program: CommandUnknownOpts, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    const path = pathTo(program, args)
    const { status, line } = endOf(path.at(-1)!, error)
    process.exitCode = status
    if (line !== undefined) process.stderr.write(`${nameOf(path)}: ${line}\n`)
  }
}

function endOf(command: CommandUnknownOpts, error: unknown): { status: number; line?: string } {
  if (error instanceof CommanderError) {
    // --help and --version end as errors, too. They have written what they had to say.
    if (error.exitCode === 0) return { status: 0 }
    if (error.code === 'commander.help') return { status: 2 }
    return { status: 2, line: `${usageLine(command, error)} (see --help)` }
  }
  // What is not the reader's fault, nor AWS's, nor the network's, keeps its stack.
  if (!(error instanceof BackendError)) return { status: 1, line: `${(error as Error).stack}` }
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
