/** What is published, and how the stack is set up. */
import { DEFAULTS as COSTS, type RetainCheck } from '../costs/costs-workload.ts'
import { QUOTAS } from './quotas.ts'

export interface ScaleWorkload {
  /** A second. */
  readonly publishes: number
  /** Bytes of a publish, of its topic, of a client id. */
  readonly payload: number
  readonly topic: number
  readonly client: number
  readonly topics: number
  /** How unequal the topics are: topic n gets 1 / n^zipf of topic 1's publishes; 0: all the same. `hot`: so many topics get that share. */
  readonly zipf: number
  readonly hot?: { readonly topics: number; readonly share: number }
  /** A publisher spreads the messages of one topic over so many. */
  readonly shards: number
  readonly subscribers: number
  /** 0 to 1: the part of the publishes whose subscriber is offline, and the part of the time that a client is offline. */
  readonly offline: number
  readonly retain: RetainCheck
  readonly clients: number
  /** Connections of a client in a day. */
  readonly connects: number
  readonly batch: number
  /** Seconds. */
  readonly batchWindow: number
  readonly concurrency: number
  /** Milliseconds of an invocation, whatever its batch. */
  readonly milliseconds: number
  /** Write units that mqtt_msg and mqtt_topic_msg_map are warm for. */
  readonly warm: number
  /** Quotas that AWS may have raised: the four of IoT Core that are 20,000 a second; write units of a table. */
  readonly iot: number
  readonly tableUnits: number
  readonly minutes: number
  readonly seed: number
}

/** A workload of which only the rate is known. */
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
} satisfies Omit<ScaleWorkload, 'publishes'>

/** `count` topics, each with this share of all publishes. Lists have the busiest first. */
export interface TopicShare {
  readonly share: number
  readonly count: number
}

/** So many topics stand singly. The others form groups of 10, 100, 1,000 ... topics. */
const SINGLE = 50

export function topicShares(workload: ScaleWorkload): TopicShare[] {
  const { shards } = workload
  const shares = workload.hot === undefined ? zipfShares(workload) : hotShares(workload.topics, workload.hot)
  return shares.filter(({ share }) => share > 0).map(({ share, count }) => ({ share: share / shards, count: count * shards }))
}

function hotShares(topics: number, hot: { readonly topics: number; readonly share: number }): TopicShare[] {
  const others = topics - hot.topics
  if (others <= 0) return [{ share: 1 / hot.topics, count: hot.topics }]
  return [
    { share: hot.share / hot.topics, count: hot.topics },
    { share: (1 - hot.share) / others, count: others },
  ]
}

function zipfShares({ topics, zipf }: ScaleWorkload): TopicShare[] {
  const groups: { weight: number; count: number }[] = []
  for (let first = 1, size = 1; first <= topics; first += size) {
    if (first > SINGLE && first >= 10 * size) size *= 10
    const count = Math.min(size, topics - first + 1)
    groups.push({ weight: weightOf(first, count, zipf), count })
  }
  const all = groups.reduce((sum, { weight }) => sum + weight, 0)
  return groups.map(({ weight, count }) => ({ share: weight / all / count, count }))
}

/** The weight of `count` topics from the `first` on: exact for one, by the integral for more. */
function weightOf(first: number, count: number, zipf: number): number {
  if (count === 1) return first ** -zipf
  const [from, to] = [first - 0.5, first + count - 0.5]
  return zipf === 1 ? Math.log(to / from) : (to ** (1 - zipf) - from ** (1 - zipf)) / (1 - zipf)
}
