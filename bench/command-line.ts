/** The flags of `npm run bench`. */

import { parseFlags, wrongFlag } from '../cli/flags.ts'
import { BackendError } from '../lambda/core/errors.ts'
import { RESULTS_FILE } from './results.ts'

export const helpOf = (blocks: readonly string[]): string => `Usage: npm run bench -- [OPTIONS]

Measures on this machine, in one run, and prints each figure beside what it is compared
with, ratios first. Competitors take turns; medians are compared. A block checks what
it did (counts, order, contents) before it reports: one that failed has no figure.

  --only NAME   one block only; may be repeated. The blocks:
${linesOf(blocks)}
  --quick       smaller numbers, to see that it works; not for quoting
  --json        the figures as JSON on stdout instead of the table
  --save        writes them to ${RESULTS_FILE}; blocks that were not run stay as
                they are there
  --plot        draws docs/charts/*.svg and fills the tables of README.md and
                docs/performance.md: from this run and what ${RESULTS_FILE} has besides
  --from FILE   runs nothing: the figures of a FILE that --save or --json wrote
  --port N      of DynamoDB Local (default: any free one)
  --help

Everything again, for the repository: npm run bench -- --save --plot
Progress goes to stderr. The blocks that count units need DynamoDB Local (Java >= 17 and
Maven): only it counts capacity as AWS does.
Exit status: 0 all figures reach their targets, 1 one does not or a block failed,
2 wrong usage. With --from: 0 unless the file cannot be read.
`

/** Indented, as many to a line as fit. */
function linesOf(blocks: readonly string[]): string {
  const lines: string[] = []
  for (const block of blocks) {
    const last = lines.at(-1)
    if (last === undefined || last.length + block.length > 66) lines.push(block)
    else lines[lines.length - 1] = `${last}, ${block}`
  }
  return lines.map((line) => `                ${line}`).join('\n')
}

export interface BenchCommand {
  /** Blocks to run, in their order. */
  readonly only: readonly string[]
  readonly quick: boolean
  readonly json: boolean
  readonly save: boolean
  readonly plot: boolean
  /** A file with results, instead of a run. */
  readonly from?: string
  /** 0: any free one. */
  readonly port: number
}

const flag = { type: 'boolean', default: false } as const
const OPTIONS = {
  only: { type: 'string', multiple: true },
  quick: flag,
  json: flag,
  save: flag,
  plot: flag,
  from: { type: 'string' },
  port: { type: 'string', default: '0' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @returns `help` where it is asked for. @throws BackendError `usage` with one line */
export function parseCommand(args: readonly string[], blocks: readonly string[]): BenchCommand | 'help' {
  const { help, only, from, port, ...flags } = parseFlags(args, OPTIONS)
  if (help) return 'help'
  const unknown = only?.find((name) => !blocks.includes(name))
  if (unknown !== undefined) throw new BackendError('usage', `--only ${unknown}: no such block, wanted one of ${blocks.join(', ')}`)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw wrongFlag('port', port, 'a whole number from 0 to 65535')
  const kept = flags.save ? 'save' : flags.plot ? 'plot' : undefined
  if (flags.quick && kept)
    throw new BackendError('usage', `--quick with --${kept}: smaller numbers are not for quoting, wanted one of them`)
  const running = only ? 'only' : flags.quick ? 'quick' : flags.save ? 'save' : undefined
  if (from !== undefined && running) throw new BackendError('usage', `--from with --${running}: nothing is run, wanted one of them`)
  return {
    ...flags,
    only: blocks.filter((name) => only?.includes(name) ?? true),
    port: Number(port),
    ...(from === undefined ? {} : { from }),
  }
}
