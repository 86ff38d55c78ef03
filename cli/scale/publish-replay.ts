/** Replays the publishes of some minutes second by second: how many each quota, table and key lets through, and how many events wait. */

import { HOOK_SETTINGS } from '../../lib/pipeline/hook-settings.ts'
import { seededRandom } from '../../local/seeded-random.ts'
import { EventQueue, type Events } from './event-queue.ts'
import { handlingOf, keyWrites, type LimitName, limitsOf } from './limits.ts'
import { DOUBLING_SECONDS, QUOTAS } from './quotas.ts'
import type { ScaleWorkload } from './scale-workload.ts'

export interface Throttling {
  /** The first second in which it let less through than came. */
  readonly from: number
  readonly seconds: number
}

export interface Replay {
  readonly throttled: ReadonlyMap<LimitName, Throttling>
  readonly published: number
  /** Publishes that IoT Core refused. */
  readonly refused: number
  readonly handled: number
  /** Events that wait at the end; the most that waited; the longest time that an event waited, seconds. */
  readonly waiting: number
  readonly mostWaiting: number
  readonly longestWait: number
}

/** Limits of IoT Core. What they refuse does not wait: it is lost to the backend. */
const AT_IOT_CORE = ['inbound', 'outbound', 'rules'] as const satisfies readonly LimitName[]
/** For each table two limits: the units that it is warm for, and its quota. */
const TABLES = [
  ['newMessages', 'messages'],
  ['newTopics', 'topics'],
] as const satisfies readonly (readonly [LimitName, LimitName])[]
/** The busiest topics (or groups of equally busy ones), whose rows the model looks at singly. */
const TOLD_APART = 10

export function replay(workload: ScaleWorkload): Replay {
  const handling = handlingOf(workload)
  const limits = limitsOf(workload, handling)
  const poisson = poissonOf(seededRandom(workload.seed))
  const told = handling.shares.slice(0, TOLD_APART)
  const queue = new EventQueue(retryAfter(workload), told.length)
  const tables = { newMessages: new OnDemandTable(workload.warm), newTopics: new OnDemandTable(workload.warm) }
  const throttled = new Map<LimitName, { from: number; seconds: number }>()
  let [all, refused, handled, mostWaiting, longestWait, concurrency] = [0, 0, 0, 0, 0, 0]

  for (let second = 0; second < workload.minutes * 60; second++) {
    const note = (name: LimitName): void => {
      const entry = throttled.get(name) ?? { from: second, seconds: 0 }
      throttled.set(name, { ...entry, seconds: entry.seconds + 1 })
    }
    /** The most of `wanted` events that the limit lets through. */
    const within = (
      name: LimitName,
      wanted: number,
      { has = limits[name].has, batch = 1 }: { has?: number; batch?: number } = {},
    ): number => {
      const demand = (events: number) => limits[name].demand(events, batch)
      const asked = demand(wanted)
      // Arrivals scatter around their average. Up to three standard deviations count as noise, not as throttling.
      if (asked <= has + 3 * Math.sqrt(has)) return wanted
      note(name)
      return mostWithin(demand, has, wanted)
    }

    const published = poisson(workload.publishes)
    const taken = AT_IOT_CORE.reduce((most, name) => within(name, most), published)
    all += published
    refused += published - taken
    queue.arrive(second, { all: taken, topics: told.map(({ share }) => Math.min(taken, poisson(taken * share))) })

    concurrency = Math.min(handling.concurrency, concurrencyAfter(second))
    const invocations = (concurrency * 1000) / workload.milliseconds
    // With more events than invocations the batches are fuller.
    const batch = Math.min(workload.batch, Math.max(handling.batchAt(queue.shown), queue.shown / invocations))
    if (queue.shown > invocations * workload.batch) note(concurrency < handling.concurrency ? 'ramp' : 'concurrency')
    const tried = queue.take(Math.min(queue.shown, invocations * batch))
    let most = tried.all
    // The retained check is none of these: a message is stored and delivered without waiting for its answer.
    most = within('root', most, { batch })
    for (const [name, whole] of TABLES) {
      const has = tables[name].takes(second, limits[whole].has)
      most = within(has < limits[whole].has ? name : whole, most, { has, batch })
    }
    const done = byTopic(tried, most, batch, () => note('hotTopic'))
    for (const [name] of TABLES) tables[name].took(limits[name].demand(done.all, batch))
    queue.failed(second, tried, done)
    handled += done.all
    mostWaiting = Math.max(mostWaiting, queue.waiting)
    longestWait = Math.max(longestWait, done.all > 0 ? queue.waiting / done.all : second)
  }
  return { throttled, published: all, refused, handled, waiting: queue.waiting, mostWaiting, longestWait }

  /** How many of `most` events the partitions of the busiest topics' rows let through. */
  function byTopic(tried: Events, most: number, batch: number, held: () => void): Events {
    const part = tried.all === 0 ? 0 : most / tried.all
    let isHeld = false
    const topics = tried.topics.map((count, i) => {
      const { share } = told[i]!
      const has = QUOTAS.partitionWrites.value
      const asked = (events: number) => keyWrites(handling, events / share, share, batch)
      const wanted = count * part
      if (asked(wanted) <= has + 3 * Math.sqrt(has)) return wanted
      isHeld = true
      return mostWithin(asked, has, wanted)
    })
    if (isHeld) held()
    const lost = topics.reduce((sum, count, i) => sum + (tried.topics[i]! * part - count) * told[i]!.count, 0)
    return { all: Math.max(0, most - lost), topics }
  }
}

/** Seconds after which the queue shows an event again on which the function failed (lib/pipeline/hook-queue.ts). */
const retryAfter = ({ batchWindow }: ScaleWorkload): number => Math.ceil(batchWindow) + HOOK_SETTINGS['message.publish'].timeoutSeconds + 10

const concurrencyAfter = (second: number): number =>
  QUOTAS.queueConcurrencyAtFirst.value + (second * QUOTAS.queueConcurrencyGrowth.value) / 60

/** An on-demand table in the worst case of the guide: it takes at most twice the peak of the half hours before. */
class OnDemandTable {
  #takes: number
  #peak = 0
  constructor(warm: number) {
    this.#takes = warm
  }

  takes(second: number, whole: number): number {
    if (second > 0 && second % DOUBLING_SECONDS === 0) this.#takes = Math.max(this.#takes, 2 * this.#peak)
    return Math.min(this.#takes, whole)
  }

  took(writes: number): void {
    this.#peak = Math.max(this.#peak, writes)
  }
}

/** With a given batch a demand is linear: a constant, and a part for each event. */
function mostWithin(demand: (events: number) => number, has: number, wanted: number): number {
  const none = demand(0)
  return Math.max(0, (wanted * (has - none)) / (demand(wanted) - none))
}

/** Random numbers of a Poisson distribution; for a large mean of the normal distribution, which is close to it. */
function poissonOf(random: () => number): (mean: number) => number {
  return (mean) => {
    if (mean > 50) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
      return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal))
    }
    let count = 0
    for (let left = Math.exp(-mean), product = random(); product > left; product *= random()) count++
    return count
  }
}
