/** The flags of `npm run scale`. */

import { BackendError } from '../../lambda/core/errors.ts'
import { DEFAULTS as COSTS, retainOf } from '../costs/costs-flags.ts'
import { RETAIN_CHECKS } from '../costs/costs-workload.ts'
import { numberFlag, parseFlags } from '../flags.ts'
import { QUOTAS } from './quotas.ts'
import type { ScaleWorkload } from './scale-workload.ts'

export const DEFAULTS = {
  payload: COSTS.payload,
  topic: COSTS.topic,
  client: COSTS.client,
  topics: 100_000,
  zipf: 1,
  shards: 1,
  subscribers: 1,
  offline: 0,
  retain: 'native',
  clients: 0,
  connects: 1,
  batch: 10,
  batchWindow: 0,
  concurrency: QUOTAS.concurrency.value,
  milliseconds: COSTS.milliseconds,
  warm: QUOTAS.newTableWrites.value,
  iot: QUOTAS.inboundPublishes.value,
  tableUnits: QUOTAS.tableWrites.value,
  minutes: 60,
  seed: 1,
} as const satisfies Omit<ScaleWorkload, 'publishes'>

export const HELP = `Usage: npm run scale -- --publishes N [OPTIONS]
       npm run scale -- --table

Replays publishes against AWS's default quotas and DynamoDB's partitions, second by
second, and says what breaks first, at which rate, from when on, and what to turn.
A model, with the units that the tests measure: nothing here was run on AWS.

  --publishes N       a second, 1 to 1e6
  --payload BYTES     of a publish (default: ${DEFAULTS.payload})
  --topic BYTES       of a topic name (default: ${DEFAULTS.topic})
  --client BYTES      of a client id (default: ${DEFAULTS.client})
  --topics N          (default: ${DEFAULTS.topics})
  --zipf S            0 to 3: the n-th topic gets 1 / n^S as much; 0: all the same
                      (default: ${DEFAULTS.zipf})
  --hot N --hot-share F
                      instead: so many topics get this share (0 to 1) of all
  --shards N          topics over which a publisher spreads each (default: ${DEFAULTS.shards})
  --subscribers N     of a topic (default: ${DEFAULTS.subscribers})
  --offline F         0 to 1: publishes whose subscriber is gone; also, the time that
                      a client is (default: ${DEFAULTS.offline})
  --retain HOW        ${RETAIN_CHECKS.join(', ')}: as in the conf (default: ${DEFAULTS.retain})
  --clients N         (default: ${DEFAULTS.clients})
  --connects N        of a client, a day (default: ${DEFAULTS.connects})
  --batch N           1 to 10000: batchSize of the queue (default: ${DEFAULTS.batch})
  --batch-window S    0 to 300: batchWindow (default: ${DEFAULTS.batchWindow})
  --concurrency N     2 to 1000: concurrency (default: ${DEFAULTS.concurrency})
  --lambda-ms MS      of an invocation, whatever its batch. Assumed: it was never
                      measured on AWS (default: ${DEFAULTS.milliseconds})
  --warm UNITS        write units a second that the two busiest tables are warm for
                      (default: ${DEFAULTS.warm}, a new on-demand table)
  --iot N             a second, if raised: IoT Core's quotas of inbound and outbound
                      publishes, rule evaluations, direct messages
                      (default: ${DEFAULTS.iot})
  --table-units N     write units a second, if raised: DynamoDB's quota of a table
                      (default: ${DEFAULTS.tableUnits})
  --minutes N         that are replayed, 1 to 1440 (default: ${DEFAULTS.minutes})
  --seed N            of the publishes' randomness (default: ${DEFAULTS.seed})
  --table             the table of docs/scale.md, instead
  --json              one JSON object instead of text
  --help

Exit status: 0 nothing throttles, 1 something does, 2 wrong usage.
`

export type ScaleCommand = 'help' | 'table' | { readonly workload: ScaleWorkload; readonly json: boolean }

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const
const OPTIONS = {
  publishes: string,
  payload: string,
  topic: string,
  client: string,
  topics: string,
  zipf: string,
  hot: string,
  'hot-share': string,
  shards: string,
  subscribers: string,
  offline: string,
  retain: string,
  clients: string,
  connects: string,
  batch: string,
  'batch-window': string,
  concurrency: string,
  'lambda-ms': string,
  warm: string,
  iot: string,
  'table-units': string,
  minutes: string,
  seed: string,
  table: boolean,
  json: boolean,
  help: { type: 'boolean', short: 'h' },
} as const
type TextFlag = Exclude<keyof typeof OPTIONS, 'table' | 'json' | 'help'>
type TextFlags = Partial<Record<TextFlag, string | undefined>>

/** @throws BackendError `usage` with one line */
export function parseCommand(args: readonly string[]): ScaleCommand {
  const flags = parseFlags(args, OPTIONS)
  if (flags.help) return 'help'
  if (flags.table) {
    const other = Object.keys(flags).find((name) => name !== 'table')
    if (other !== undefined) throw new BackendError('usage', `--table stands alone, got --${other} with it`)
    return 'table'
  }
  if (flags.publishes === undefined) throw new BackendError('usage', '--publishes is missing, wanted a number of publishes a second')
  const whole = (name: TextFlag, fallback: number, min: number, max: number) =>
    numberFlag(name, flags[name], fallback, { min, max, whole: true })
  const number = (name: TextFlag, fallback: number, min: number, max: number) =>
    numberFlag(name, flags[name], fallback, { min, max, whole: false })
  const topics = whole('topics', DEFAULTS.topics, 1, 1e9)
  const workload = {
    publishes: number('publishes', 0, 1, 1e6),
    // AWS IoT Core quotas: payload 128 KB, topic 256 bytes, client id 128 bytes
    payload: whole('payload', DEFAULTS.payload, 0, 128 * 1024),
    topic: whole('topic', DEFAULTS.topic, 1, 256),
    client: whole('client', DEFAULTS.client, 1, 128),
    topics,
    zipf: number('zipf', DEFAULTS.zipf, 0, 3),
    ...hotOf(flags, topics),
    shards: whole('shards', DEFAULTS.shards, 1, 10_000),
    subscribers: number('subscribers', DEFAULTS.subscribers, 0, 1e6),
    offline: number('offline', DEFAULTS.offline, 0, 1),
    retain: retainOf(flags.retain),
    clients: whole('clients', DEFAULTS.clients, 0, 1e9),
    connects: number('connects', DEFAULTS.connects, 0, 86_400),
    batch: whole('batch', DEFAULTS.batch, 1, 10_000),
    batchWindow: number('batch-window', DEFAULTS.batchWindow, 0, 300),
    concurrency: whole('concurrency', DEFAULTS.concurrency, 2, 1_000),
    milliseconds: number('lambda-ms', DEFAULTS.milliseconds, 1, 900_000),
    warm: whole('warm', DEFAULTS.warm, 1, 1e9),
    iot: whole('iot', DEFAULTS.iot, 1, 1e9),
    tableUnits: whole('table-units', DEFAULTS.tableUnits, 1, 1e9),
    minutes: whole('minutes', DEFAULTS.minutes, 1, 1_440),
    seed: whole('seed', DEFAULTS.seed, 0, 2 ** 32 - 1),
  }
  // Lambda developer guide, "Creating an SQS event source mapping"
  if (workload.batch > 10 && workload.batchWindow < 1)
    throw new BackendError('usage', `--batch ${workload.batch} is more than 10, wanted --batch-window of at least 1 with it`)
  return { workload, json: flags.json === true }
}

function hotOf(flags: TextFlags, topics: number): Pick<ScaleWorkload, 'hot'> {
  const { hot, 'hot-share': share, zipf } = flags
  if (hot === undefined && share === undefined) return {}
  if (hot === undefined || share === undefined)
    throw new BackendError('usage', `--${hot === undefined ? 'hot-share' : 'hot'} stands alone, wanted --hot and --hot-share together`)
  if (zipf !== undefined) throw new BackendError('usage', '--zipf and --hot are both given, wanted one of them')
  return {
    hot: {
      topics: numberFlag('hot', hot, 0, { min: 1, max: topics, whole: true }),
      share: numberFlag('hot-share', share, 0, { min: 0, max: 1, whole: false }),
    },
  }
}
