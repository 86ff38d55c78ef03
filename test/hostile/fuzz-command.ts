/** The flags of `npm run fuzz`. */
import { parseArgs } from 'node:util'

/** What is fuzzed, and with what. Without what it takes to do so: a wrong flag is said at once. */
export const FUZZED: Readonly<Record<string, string>> = {
  events: 'hostile events to the handlers of all hooks, on the embedded DynamoDB',
  names: 'clients and topics of any name, from connect to disconnect, compared with plain ones',
  conf: 'confs of broken lines, keys and JSON; credentials never repeated',
  sql: 'rule SQL of pieces in any order, and what is compiled of it run on messages',
  json: "the conf's JSON reader, held to JSON.parse",
  mqtt: 'MQTT conversations with bytes changed and cut, to the broker on a raw socket',
  'data-plane': 'HTTP requests with bytes changed and cut, to the IoT data plane',
  dynamodb: "requests in DynamoDB's words that make no sense, to the embedded DynamoDB",
}

export const HELP = `Usage: npm run fuzz -- [--runs N] [--seed N] [--only NAME]

Feeds handlers, parsers and the servers of the local run with hostile input. What
breaks is printed with the input, as small as it can be found, and its seed.

  --runs N     inputs for each (default: 1000)
  --seed N     the same inputs for the same seed (default: another one each time)
  --only NAME  one of:
${Object.entries(FUZZED)
  .map(([name, about]) => `                 ${name.padEnd(12)}${about}`)
  .join('\n')}
  --help

Exit status: 0 nothing broke, 1 something did, 2 wrong usage.
`

export interface FuzzCommand {
  readonly runs: number
  readonly seed: number
  /** Names of {@link FUZZED}. */
  readonly only: readonly string[]
}

/** What is asked for, or what is wrong with it. */
export function fuzzCommand(args: string[]): FuzzCommand | 'help' | { readonly wrong: string } {
  const string = { type: 'string' } as const
  try {
    const { values } = parseArgs({ args, options: { runs: string, seed: string, only: string, help: { type: 'boolean', short: 'h' } } })
    if (values.help) return 'help'
    const { runs = '1000', seed = `${Date.now() % 2 ** 31}`, only } = values
    if (!/^[1-9]\d{0,8}$/.test(runs)) return wrong('runs', runs, 'a whole number from 1 to 999999999')
    if (!/^\d{1,10}$/.test(seed) || Number(seed) >= 2 ** 31) return wrong('seed', seed, 'a whole number from 0 to 2147483647')
    const names = Object.keys(FUZZED).filter((name) => only === undefined || name === only)
    if (names.length === 0) return wrong('only', `${only}`, `one of ${Object.keys(FUZZED).join(', ')}`)
    return { runs: Number(runs), seed: Number(seed), only: names }
  } catch (error) {
    const said = (error as Error).message.split(/[.\n]/)[0]!
    return { wrong: said.replace('argument is ambiguous', 'is followed by a dash, wanted a value') }
  }
}

const wrong = (flag: string, got: string, wanted: string) => ({ wrong: `--${flag} is ${JSON.stringify(got)}, wanted ${wanted}` })
