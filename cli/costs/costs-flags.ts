/** The flags of `npm run costs`. */
import { BackendError } from '../../lambda/core/errors.ts'
import { type NumberRange, numberFlag, parseFlags, wrongFlag } from '../flags.ts'
import { RETAIN_CHECKS, type Workload } from './costs-workload.ts'
import { AS_OF, REGION } from './prices.ts'

export const DEFAULTS = {
  payload: 100,
  topic: 32,
  client: 20,
  offline: 0,
  subscribers: 1,
  clients: 0,
  connects: 30,
  retained: 0,
  retain: 'native',
  depth: 1000,
  batch: 1,
  milliseconds: 100,
  memoryMegabytes: 512,
  storage: 0,
} as const satisfies Omit<Workload, 'publishes'>

export const HELP = `Usage: npm run costs -- --publishes N [OPTIONS]

What a month of a fleet costs with this backend, with EMQX's access pattern on the
same tables, with a plain rule that writes to DynamoDB, and with EMQX Dedicated.
List prices of ${REGION} as of ${AS_OF}, in US dollars, without free tiers and
volume tiers. Write and read units are those that the tests measure; nothing was
billed by AWS yet.

  --publishes N       publishes a month, e.g. 1e8
  --payload BYTES     of a publish (default: ${DEFAULTS.payload})
  --topic BYTES       of a topic name (default: ${DEFAULTS.topic})
  --client BYTES      of a client id (default: ${DEFAULTS.client})
  --offline F         0 to 1: publishes whose subscriber is gone; also, the time that
                      a client is (default: ${DEFAULTS.offline})
  --subscribers N     of a topic (default: ${DEFAULTS.subscribers})
  --clients N         (default: ${DEFAULTS.clients})
  --connects N        of a client, a month, each with one SUBSCRIBE (default: ${DEFAULTS.connects})
  --retained F        0 to 1: publishes with RETAIN (default: ${DEFAULTS.retained})
  --retain HOW        ${RETAIN_CHECKS.join(', ')}: as in the conf; native asks IoT Core
                      once for each publish (default: ${DEFAULTS.retain})
  --depth N           queued on a topic; matters to EMQX's pattern only (default: ${DEFAULTS.depth})
  --batch N           1 to 10: events that one Lambda invocation handles; 1 is the
                      dearest (default: ${DEFAULTS.batch})
  --lambda-ms MS      of a function for each event and delivery. Assumed: it was never
                      measured on AWS (default: ${DEFAULTS.milliseconds})
  --memory MB         of a function (default: ${DEFAULTS.memoryMegabytes})
  --storage GB        kept in the tables (default: ${DEFAULTS.storage})
  --emqx-nodes N --emqx-node-monthly DOLLARS
                      to compare with EMQX Enterprise on nodes of your own, which has
                      no public list price: give yours, machine and license
  --json              one JSON object instead of text
  --help

Exit status: 0 told, 2 wrong usage.
`

export interface CostsCommand {
  readonly workload: Workload
  readonly json: boolean
}

const string = { type: 'string' } as const
const OPTIONS = {
  publishes: string,
  payload: string,
  topic: string,
  client: string,
  offline: string,
  subscribers: string,
  clients: string,
  connects: string,
  retained: string,
  retain: string,
  depth: string,
  batch: string,
  'lambda-ms': string,
  memory: string,
  storage: string,
  'emqx-nodes': string,
  'emqx-node-monthly': string,
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @returns `help` where it is asked for. @throws BackendError `usage` with one line */
export function parseCommand(args: readonly string[]): CostsCommand | 'help' {
  const flags = parseFlags(args, OPTIONS)
  if (flags.help) return 'help'
  if (flags.publishes === undefined) throw new BackendError('usage', '--publishes is missing, wanted a number of publishes a month')
  const of = (name: keyof typeof OPTIONS, fallback: number, range: NumberRange): number =>
    numberFlag(name, flags[name] as string | undefined, fallback, range)
  const workload = {
    publishes: of('publishes', 0, COUNT),
    // AWS IoT Core quotas: payload 128 KB, topic 256 bytes, client id 128 bytes
    payload: of('payload', DEFAULTS.payload, { min: 0, max: 128 * 1024, whole: true }),
    topic: of('topic', DEFAULTS.topic, { min: 1, max: 256, whole: true }),
    client: of('client', DEFAULTS.client, { min: 1, max: 128, whole: true }),
    offline: of('offline', DEFAULTS.offline, SHARE),
    subscribers: of('subscribers', DEFAULTS.subscribers, COUNT),
    clients: of('clients', DEFAULTS.clients, COUNT),
    connects: of('connects', DEFAULTS.connects, COUNT),
    retained: of('retained', DEFAULTS.retained, SHARE),
    retain: retainOf(flags.retain),
    depth: of('depth', DEFAULTS.depth, { ...COUNT, whole: true }),
    batch: of('batch', DEFAULTS.batch, { min: 1, max: 10 }),
    milliseconds: of('lambda-ms', DEFAULTS.milliseconds, { min: 0, max: 900_000 }),
    memoryMegabytes: of('memory', DEFAULTS.memoryMegabytes, { min: 128, max: 10_240 }),
    storage: of('storage', DEFAULTS.storage, COUNT),
  }
  return { workload: { ...workload, ...emqxOf(flags['emqx-nodes'], flags['emqx-node-monthly']) }, json: flags.json ?? false }
}

const COUNT: NumberRange = { min: 0, max: 1e15 }
const SHARE: NumberRange = { min: 0, max: 1 }
/** @throws BackendError `usage` */
export function retainOf(got: string | undefined): Workload['retain'] {
  const retain = RETAIN_CHECKS.find((one) => one === (got ?? DEFAULTS.retain))
  if (retain === undefined) throw wrongFlag('retain', got!, `one of ${RETAIN_CHECKS.join(', ')}`)
  return retain
}

function emqxOf(nodes: string | undefined, monthly: string | undefined): Pick<Workload, 'emqx'> {
  if (nodes === undefined && monthly === undefined) return {}
  if (nodes === undefined || monthly === undefined) {
    const [given, missing] = nodes === undefined ? ['monthly', 'nodes'] : ['nodes', 'monthly']
    const flag = { nodes: '--emqx-nodes', monthly: '--emqx-node-monthly' }
    throw new BackendError('usage', `${flag[given as 'nodes']} is given without ${flag[missing as 'nodes']}, wanted both`)
  }
  const count = numberFlag('emqx-nodes', nodes, 0, { ...COUNT, min: 1, whole: true })
  return { emqx: { nodes: count, nodeMonthly: numberFlag('emqx-node-monthly', monthly, 0, COUNT) } }
}
