/** How much of each quota, key and table a rate of publishes uses. */

import { rowWrites as rowWritesOf } from '../costs/costs-workload.ts'
import { DELIVERED, PUBLISH, SETTLED } from '../costs/measured-units.ts'
import { QUOTAS, type Quota } from './quotas.ts'
import { type ScaleWorkload, type TopicShare, topicShares } from './scale-workload.ts'

export interface Limit {
  readonly name: string
  readonly has: number
  readonly quota: Quota
  /** How much of it so many publishes a second use. `batch`: events an invocation; default: what the rate gives. */
  readonly demand: (publishes: number, batch?: number) => number
  /** What helps. */
  readonly turn: string
  /** Whether the demand depends on the publishes; that of connections does not. */
  readonly ofPublishes: boolean
}

/** Read units of an eventually consistent read of at most 4 KB. */
const READ_OF_ROW = 0.5
/** Write units of an update of a topic's head. What a publish writes beside it is its part of sealing. */
const HEAD_UPDATE = 1
const SEALING = PUBLISH.writes - HEAD_UPDATE
const DAY_SECONDS = 86_400
/** Rules that a connection triggers: two when it begins, one for its SUBSCRIBE, one when it ends. */
const RULES_OF_CONNECTION = 4

export interface Handling {
  readonly shares: readonly TopicShare[]
  readonly rowWrites: number
  /** The most invocations at a time. */
  readonly concurrency: number
  /** Events an invocation at so many publishes a second. */
  batchAt(publishes: number): number
  /** Updates a second of the head of a topic with this share of the publishes. */
  headUpdates(publishes: number, share: number, batch?: number): number
  /** Write units a second of mqtt_topic_msg_map. */
  topicWrites(publishes: number, batch?: number): number
  /** The sum of the numbers of topics in the batches of a second: a topic in two batches counts twice. */
  topicsOfBatches(publishes: number, batch?: number): number
  invocations(publishes: number, batch?: number): number
}

export function handlingOf(workload: ScaleWorkload): Handling {
  const shares = topicShares(workload)
  const concurrency = Math.min(workload.concurrency, QUOTAS.concurrency.value, QUOTAS.queueConcurrency.value)
  const invocationsAtMost = (concurrency * 1000) / workload.milliseconds
  const batchAt = (publishes: number) => {
    const gathered = (publishes * workload.batchWindow) / QUOTAS.queueConcurrencyAtFirst.value
    return Math.min(workload.batch, Math.max(1, gathered, publishes / invocationsAtMost))
  }
  const invocations = (publishes: number, batch = batchAt(publishes)) => publishes / batch
  const headUpdates = (publishes: number, share: number, batch = batchAt(publishes)) => (publishes / batch) * (1 - (1 - share) ** batch)
  const topicsOfBatch = lastOf((batch) => shares.reduce((sum, { share, count }) => sum + count * (1 - (1 - share) ** batch), 0))
  const topicsOfBatches = (publishes: number, batch = batchAt(publishes)) => (publishes / batch) * topicsOfBatch(batch)
  const { offline } = workload
  const ended = offline * DELIVERED.writes + (1 - offline) * SETTLED.writes
  return {
    shares,
    rowWrites: rowWritesOf(workload),
    concurrency,
    batchAt,
    invocations,
    headUpdates,
    topicsOfBatches,
    topicWrites: (publishes, batch) => HEAD_UPDATE * topicsOfBatches(publishes, batch) + publishes * (SEALING + ended),
  }
}

/** Remembers the last result, because a replay asks for the same batch again and again. */
function lastOf(compute: (batch: number) => number): (batch: number) => number {
  let last: { readonly batch: number; readonly value: number } | undefined
  return (batch) => {
    if (last?.batch !== batch) last = { batch, value: compute(batch) }
    return last.value
  }
}

/** Write units a second of the row of a topic with this share of the publishes. */
export const keyWrites = (handling: Handling, publishes: number, share: number, batch?: number): number =>
  HEAD_UPDATE * handling.headUpdates(publishes, share, batch) + publishes * share * SEALING

export const LIMIT_NAMES = {
  inbound: 'IoT Core, inbound publishes',
  outbound: 'IoT Core, outbound publishes',
  rules: 'IoT Core, rule evaluations',
  retained: 'IoT Core, GetRetainedMessage of the retained check',
  direct: 'IoT Core, direct messages',
  client: "IoT Core, a subscriber's connection, busiest topic",
  connections: 'IoT Core, connections at a time',
  connects: 'IoT Core, connects',
  ramp: 'Lambda, events a second with which a queue begins',
  concurrency: 'Lambda, invocations at a time',
  newMessages: 'DynamoDB, mqtt_msg, write units that it is warm for',
  messages: 'DynamoDB, mqtt_msg, write units of a table',
  newTopics: 'DynamoDB, mqtt_topic_msg_map, write units that it is warm for',
  topics: 'DynamoDB, mqtt_topic_msg_map, write units of a table',
  hotTopic: "DynamoDB, write units of the busiest topic's row",
  root: 'DynamoDB, read units of the row `#`',
} as const
export type LimitName = keyof typeof LIMIT_NAMES

const RAISE = 'raise the quota'

export function limitsOf(workload: ScaleWorkload, handling: Handling = handlingOf(workload)): Readonly<Record<LimitName, Limit>> {
  const { subscribers, offline, retain, clients, connects, milliseconds, warm, iot, tableUnits } = workload
  const connectsASecond = (clients * connects) / DAY_SECONDS
  const busiest = handling.shares[0]!.share
  const of = (name: LimitName, quota: Quota, turn: string, demand: Limit['demand'], has = quota.value): Limit => {
    return { name: LIMIT_NAMES[name], quota, has, demand, turn, ofPublishes: demand(1e6) > demand(1) }
  }
  const messages: Limit['demand'] = (publishes) => publishes * 2 * handling.rowWrites
  const wider = 'warm throughput, provisioned capacity'
  return {
    inbound: of('inbound', QUOTAS.inboundPublishes, RAISE, (publishes) => publishes, iot),
    outbound: of('outbound', QUOTAS.outboundPublishes, RAISE, (publishes) => publishes * (1 + subscribers * (1 - offline)), iot),
    rules: of('rules', QUOTAS.ruleEvaluations, RAISE, (publishes) => publishes + connectsASecond * RULES_OF_CONNECTION, iot),
    retained: of(
      'retained',
      QUOTAS.retainedReads,
      'narrow the filter of on_message_retain, or "retain": "property" or "topic"',
      (publishes) => (retain === 'native' ? handling.topicsOfBatches(publishes) : 0),
    ),
    direct: of('direct', QUOTAS.directMessages, RAISE, (publishes) => publishes * offline, iot),
    client: of('client', QUOTAS.publishesOfConnection, 'more topics, with a subscriber each', (publishes) => publishes * busiest),
    connections: of('connections', QUOTAS.connections, RAISE, () => clients * (1 - offline)),
    connects: of('connects', QUOTAS.connects, `${RAISE}; clients wait a random time before they come back`, () => connectsASecond),
    ramp: of(
      'ramp',
      QUOTAS.queueConcurrencyAtFirst,
      'nothing: it grows by 300 invocations a minute; provisioned pollers are there at once',
      (publishes) => publishes,
      (QUOTAS.queueConcurrencyAtFirst.value * 1000 * workload.batch) / milliseconds,
    ),
    concurrency: of(
      'concurrency',
      QUOTAS.concurrency,
      'larger batches and a batch window; raise the quota, then provisioned pollers',
      (publishes, batch) => (handling.invocations(publishes, batch) * milliseconds) / 1000,
      handling.concurrency,
    ),
    newMessages: of('newMessages', QUOTAS.newTableWrites, wider, messages, warm),
    messages: of('messages', QUOTAS.tableWrites, `${RAISE}; narrower filters`, messages, tableUnits),
    newTopics: of('newTopics', QUOTAS.newTableWrites, wider, handling.topicWrites, warm),
    topics: of('topics', QUOTAS.tableWrites, `${RAISE}; larger batches`, handling.topicWrites, tableUnits),
    hotTopic: of('hotTopic', QUOTAS.partitionWrites, 'larger batches; write sharding: spread the topic over several', (publishes, batch) =>
      keyWrites(handling, publishes, busiest, batch),
    ),
    root: of(
      'root',
      QUOTAS.partitionReads,
      'larger batches; no on_subscribe_lookup in the conf',
      (publishes) => handling.invocations(publishes) * READ_OF_ROW,
    ),
  }
}

const HIGHEST = 1e9

/** The rate of publishes a second above which the limit is exceeded; undefined: no rate exceeds it. */
export function breaksAt({ demand, has }: Limit): number | undefined {
  if (demand(HIGHEST) <= has) return undefined
  let [low, high] = [0, HIGHEST]
  while (high - low > high * 1e-6) {
    const middle = (low + high) / 2
    if (demand(middle) > has) high = middle
    else low = middle
  }
  return high
}
