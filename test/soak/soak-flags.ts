/** The flags of `npm run soak`. */
import { parseFlags, wrongFlag } from '../../cli/flags.ts'

export const HELP = `Usage: npm run soak -- [OPTIONS]

Runs the local stack as a process of its own with misbehaviour switched on (events doubled,
late and out of order, a throttled database, PUBACKs not heard), MQTT clients of which a third
come and go, handlers killed in the middle of their work, and the whole stack killed (SIGKILL)
and started again on its data directory. Then all is calmed, dead letters are redriven, a last
subscriber fetches what is left on each topic, and every message is accounted for.

  --clients N         MQTT clients, 3.1.1 and 5 (default: 50)
  --topics N          (default: 100)
  --publishes N       at QoS 1, one in twenty retained (default: 20000)
  --kills N           handlers killed in mid-flight; 0 for none (default: 20)
  --restarts N        times that the whole stack is killed; 0 for none (default: 2)
  --dynamodb ENGINE   embedded (default) or local (DynamoDB Local: needs Java 17 or docker;
                      it is not killed with the stack, and throttles nothing)
  --seed N            who does what, and what misbehaves (default: 1). The machine decides
                      the interleavings, so a seed repeats the play, not its every move
  --minutes-limit N   gives up, and fails, after so long (default: 30)
  --json              the report as one JSON object
  --help

Progress goes to stderr. Where something is wrong, the stack's data directory is kept and named.
Exit status: 0 every message accounted for and every check held, 1 not so, 2 wrong usage,
130 interrupted.
`

export interface SoakOptions {
  readonly clients: number
  readonly topics: number
  readonly publishes: number
  readonly kills: number
  readonly restarts: number
  readonly dynamodb: 'embedded' | 'local'
  readonly seed: number
}

export interface SoakCommand extends SoakOptions {
  readonly minutesLimit: number
  readonly json: boolean
  readonly help: boolean
}

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const
const OPTIONS = {
  clients: string,
  topics: string,
  publishes: string,
  kills: string,
  restarts: string,
  dynamodb: string,
  seed: string,
  'minutes-limit': string,
  json: boolean,
  help: { ...boolean, short: 'h' },
} as const

type Values = ReturnType<typeof parseFlags<typeof OPTIONS>>

/** @throws BackendError `usage` with one line */
export function parseSoak(args: readonly string[]): SoakCommand {
  const values = parseFlags(args, OPTIONS)
  const { dynamodb = 'embedded' } = values
  if (dynamodb !== 'embedded' && dynamodb !== 'local') throw wrongFlag('dynamodb', dynamodb, 'embedded or local')
  return {
    clients: whole(values, 'clients', { otherwise: 50, least: 3, most: 1_000 }),
    topics: whole(values, 'topics', { otherwise: 100, least: 2, most: 10_000 }),
    publishes: whole(values, 'publishes', { otherwise: 20_000, least: 1, most: 10_000_000 }),
    kills: whole(values, 'kills', { otherwise: 20, least: 0, most: 10_000 }),
    restarts: whole(values, 'restarts', { otherwise: 2, least: 0, most: 1_000 }),
    dynamodb,
    seed: whole(values, 'seed', { otherwise: 1, least: 0, most: 2 ** 32 - 1 }),
    minutesLimit: whole(values, 'minutes-limit', { otherwise: 30, least: 1, most: 10_000 }),
    json: values.json ?? false,
    help: values.help ?? false,
  }
}

/** What to type to play it again. */
export const replayOf = ({ clients, topics, publishes, kills, restarts, dynamodb, seed }: SoakOptions): string =>
  `npm run soak -- --clients ${clients} --topics ${topics} --publishes ${publishes} --kills ${kills} --restarts ${restarts}` +
  ` --dynamodb ${dynamodb} --seed ${seed}`

type Numbered = 'clients' | 'topics' | 'publishes' | 'kills' | 'restarts' | 'seed' | 'minutes-limit'

function whole(values: Values, name: Numbered, { otherwise, least, most }: { otherwise: number; least: number; most: number }): number {
  const text = values[name]
  if (text === undefined) return otherwise
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most)) throw wrongFlag(name, text, `a whole number from ${least} to ${most}`)
  return value
}
