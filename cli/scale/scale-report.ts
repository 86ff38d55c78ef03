/** What the model says of a workload, as text and as JSON. */

import { DEFAULTS as COSTS, MONTH_MINUTES } from '../costs/costs-workload.ts'
import { ours } from '../costs/ours.ts'
import { AS_OF, REGION } from '../costs/prices.ts'
import { breaksAt, handlingOf, type Limit, type LimitName, limitsOf } from './limits.ts'
import { type Replay, replay } from './publish-replay.ts'
import { QUOTAS } from './quotas.ts'
import type { ScaleWorkload } from './scale-workload.ts'

export interface Finding {
  readonly name: LimitName
  readonly limit: Limit
  /** How much of the limit the workload uses. */
  readonly demand: number
  readonly breaksAt: number | undefined
}

export interface Scale {
  readonly workload: ScaleWorkload
  readonly replayed: Replay
  /** Limits that are exceeded, or that delay events at the start. First those that connections alone exceed, then the lowest rate first. */
  readonly breaks: readonly Finding[]
  /** US dollars for a million publishes, connections included. */
  readonly dollars: number
}

export function scaleOf(workload: ScaleWorkload): Scale {
  const replayed = replay(workload)
  const limits = Object.entries(limitsOf(workload)) as [LimitName, Limit][]
  const breaks = limits
    .map(([name, limit]): Finding => ({ name, limit, demand: limit.demand(workload.publishes), breaksAt: breaksAt(limit) }))
    .filter(({ name, limit, demand }) => demand > limit.has || replayed.throttled.has(name))
    .sort((a, b) => rank(a) - rank(b))
  return { workload, replayed, breaks, dollars: dollarsPerMillion(workload) }
}

/** A limit that connections alone exceed has no rate: it comes first. */
const rank = ({ limit, breaksAt: rate }: Finding): number => (limit.ofPublishes ? (rate ?? Number.POSITIVE_INFINITY) : 0)

function dollarsPerMillion(workload: ScaleWorkload): number {
  const month = workload.publishes * MONTH_MINUTES * 60
  const batch = handlingOf(workload).batchAt(workload.publishes)
  const bill = ours({
    ...COSTS,
    ...workload,
    publishes: month,
    connects: (workload.connects * MONTH_MINUTES) / (24 * 60),
    batch,
    // Here an invocation takes the same time whatever its batch; the calculator wants the time of one event.
    milliseconds: workload.milliseconds / batch,
  })
  return bill.total / (month / 1e6)
}

export const asJson = ({ replayed, breaks, ...scale }: Scale): string => {
  const throttled = Object.fromEntries(replayed.throttled)
  const told = breaks.map(({ name, limit: { name: says, has, turn, quota }, demand, breaksAt: rate }) => ({
    limit: name,
    says,
    has,
    demand,
    breaksAt: rate,
    throttlesFrom: replayed.throttled.get(name)?.from,
    turn,
    page: quota.page,
  }))
  return `${JSON.stringify({ ...scale, breaks: told, replayed: { ...replayed, throttled } }, null, 2)}\n`
}

export function asText(scale: Scale): string {
  const { workload, replayed, breaks, dollars } = scale
  const { publishes, payload, topics, minutes, seed } = workload
  const batch = handlingOf(workload).batchAt(publishes)
  const title = `${count(publishes)} publishes/s of ${payload} B on ${count(topics)} topics, batches of ${count(batch)}, ${minutes} minutes, seed ${seed}`
  const found = breaks.flatMap(({ name, limit, demand, breaksAt: rate }) => {
    const from = replayed.throttled.get(name)
    return [
      `  ${limit.name}: ${count(demand)} of ${count(limit.has)}${rate === undefined || !limit.ofPublishes ? '' : `, breaks at ${count(rate)} publishes/s`}`,
      `    ${from === undefined ? 'does not hold the queue back, or another does before' : `throttles from second ${from.from}, for ${duration(from.seconds)}`}; ${limit.turn}`,
    ]
  })
  const queue = `waiting: at most ${count(replayed.mostWaiting)} events, ${duration(replayed.longestWait)}; at the end ${count(replayed.waiting)}`
  const { connects } = QUOTAS
  const storm = `all clients come back in ${duration(workload.clients / connects.value)}, at ${connects.value} connects/s`
  const refused = replayed.refused === 0 ? [] : [`refused by IoT Core: ${count(replayed.refused)} publishes`]
  return `${[
    title,
    ...(found.length === 0 ? ['  nothing throttles'] : found),
    queue,
    ...refused,
    ...(workload.clients === 0 ? [] : [storm]),
    `$${dollars.toFixed(2)} a million publishes, list prices of ${REGION} as of ${AS_OF}`,
    'A model: docs/scale.md says what is not in it.',
  ].join('\n')}\n`
}

export const count = (amount: number): string =>
  Number(amount < 10 ? amount.toPrecision(2) : amount.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 1 })

export function duration(seconds: number): string {
  if (seconds < 120) return `${count(Math.ceil(seconds))} s`
  return seconds < 7_200 ? `${count(seconds / 60)} min` : `${count(seconds / 3_600)} h`
}
