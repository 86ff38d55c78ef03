/** Measures one invocation by watching the calls of its ports. Actions know nothing of it. */
import { type HookConfig, type HookName, isKeptForMany } from '../../core/hooks.ts'
import {
  ACK_REFUSED,
  AGED_HOOKS,
  DELIVERING_HOOKS,
  EVENT_AGE,
  FAILED_DELIVERIES,
  GIVEN_UP,
  handledMetric,
  LIMIT_REACHED,
  OPERATOR_ROW_IGNORED,
  OUTCOME_METRICS,
  PUBLISH_TO_STORED,
  QUEUE_AGE_MAX,
  QUEUE_DEPTH_MAX,
  RECEIPTS_SENT,
  RECEIPTS_UNSENT,
  RETAINED_CHECK_THROTTLED,
  SETTLED,
  SUBSCRIBE_TO_LAST_DELIVERED,
  THROTTLED_CODES,
  THROTTLED_EVENTS,
  UNFINISHED,
  UNFINISHED_CODE,
} from '../../core/metrics.ts'
import type { Message } from '../../core/model/message.ts'
import type { Device, Ports } from '../../core/model/ports.ts'
import type { Homes, TopicRow } from '../../core/model/topic-row.ts'
import { backlogOf } from '../../core/model/topic-row.ts'
import { isTimeInDoubt, millisOfMsgid } from '../../core/msgid.ts'
import { isThrottled } from '../data-plane.ts'
import type { Measured } from './emf.ts'
import { codeOf, isRefused } from './log.ts'

/** Codes that may be a dimension's value: every other name of an error comes neither from us nor from the SDK. */
const CODE = /^[\w-]{1,64}$/

export interface Watched {
  readonly ports: Ports
  /** When the last PUBACK of a message sent through these ports came, in ms. */
  readonly lastDelivered: () => number | undefined
}

export interface Received {
  /** As parsed, if it could be. */
  readonly event: unknown
  /** When it came into its queue, in ms; undefined if SQS did not tell. */
  readonly sentAt: number | undefined
  /** Whether SQS makes a dead letter of it if it fails now. */
  readonly isLastTry: boolean
}

export interface Meter extends Measured {
  /** The ports for one event of the batch. */
  watch(): Watched
  /** An operator's row was passed over. */
  ignored(): void
  /** A limit was hit. */
  limited(): void
  /** One event's end. `lastDelivered`: of the ports that it was handled with. */
  handled(received: Received, result: PromiseSettledResult<void>, lastDelivered: number | undefined): void
}

export function meterOf(hook: HookName, ports: Ports, config: HookConfig): Meter {
  const { device, messages, topics, acked, clock } = ports
  const counts = new Map<string, number>()
  const latencies = new Map<string, number[]>()
  const errors = new Map<string, number>()
  /** Ids whose PUBACK was seen, or that are counted as settled. */
  const known = new Set<string>()
  /** Ids that were written to `mqtt_acked`. What leaves a queue together with one of them was acknowledged or settled. */
  const acknowledged = new Set<string>()

  /** The event's clock and ours may differ by a little. */
  const addLatency = (name: string, from: number, to: number) =>
    latencies.set(name, [...(latencies.get(name) ?? []), Math.max(0, to - from)])

  function stored({ msgid }: Message): void {
    // A message that was redriven from a rule error has the time of that error.
    if (!isTimeInDoubt(msgid)) addLatency(PUBLISH_TO_STORED, millisOfMsgid(msgid), clock.now())
  }

  /** Counts what was settled: it left the queue without a PUBACK, and without the client saying so on the ack topic. */
  function countSettled(ids: readonly string[]): void {
    if (hook === 'message.acked' || !ids.some((id) => acknowledged.has(id))) return
    const settled = ids.filter((id) => !known.has(id))
    for (const id of settled) known.add(id)
    add(counts, SETTLED, settled.length)
  }

  /** A publish gets the head of its topic back. The largest of the invocation is told. */
  function queued(row: TopicRow): void {
    // What is kept for many is no backlog: it stays until it expires.
    if (isKeptForMany(config, row.topic)) return
    const backlog = backlogOf(row, clock.now())
    if (backlog === undefined) return
    counts.set(QUEUE_DEPTH_MAX, Math.max(backlog.depth, counts.get(QUEUE_DEPTH_MAX) ?? 0))
    latencies.set(QUEUE_AGE_MAX, [Math.max(backlog.ageMs, ...(latencies.get(QUEUE_AGE_MAX) ?? []))])
  }

  const shared = {
    messages: {
      ...messages,
      async put(message: Message) {
        const repeated = await messages.put(message)
        if (!repeated) stored(message)
        return repeated
      },
      async putAll(all: readonly Message[]) {
        const results = await messages.putAll(all)
        for (const [i, message] of all.entries()) if (results[i]?.status === 'fulfilled') stored(message)
        return results
      },
    },
    acked: {
      ...acked,
      put(topic: string, clientid: string, msgid: string, at?: number) {
        acknowledged.add(msgid)
        return acked.put(topic, clientid, msgid, at)
      },
    },
    topics: {
      ...topics,
      async add(topic: string, msgids: readonly string[]) {
        const row = await topics.add(topic, msgids)
        queued(row)
        return row
      },
      async removeIds(topic: string, homes: Homes) {
        await topics.removeIds(topic, homes)
        countSettled([...homes.keys()])
      },
    },
  }

  async function retained(topic: string): ReturnType<Device['retained']> {
    try {
      return await device.retained(topic)
    } catch (error) {
      if (isThrottled(error)) add(counts, RETAINED_CHECK_THROTTLED)
      throw error
    }
  }

  return {
    hook,
    counts,
    latencies,
    errors,

    watch() {
      let last: number | undefined
      const send: Device['send'] = async (clientid, message, options) => {
        const outcome = await device.send(clientid, message, options)
        if (options?.receipt) {
          add(counts, outcome === 'acked' ? RECEIPTS_SENT : RECEIPTS_UNSENT)
          return outcome
        }
        add(counts, OUTCOME_METRICS[outcome])
        if (outcome !== 'acked' && outcome !== 'gone') add(counts, FAILED_DELIVERIES)
        if (outcome === 'acked') {
          last = clock.now()
          known.add(message.msgid)
        }
        return outcome
      }
      return { ports: { ...ports, ...shared, device: { ...device, send, retained } }, lastDelivered: () => last }
    },

    ignored: () => add(counts, OPERATOR_ROW_IGNORED),
    limited: () => add(counts, LIMIT_REACHED),

    handled({ event, sentAt, isLastTry }, result, lastDelivered) {
      if (sentAt !== undefined && AGED_HOOKS.includes(hook)) addLatency(EVENT_AGE, sentAt, clock.now())
      if (result.status === 'fulfilled') {
        add(counts, handledMetric(hook))
        const { at } = (event ?? {}) as { at?: number }
        if (at && lastDelivered && DELIVERING_HOOKS.includes(hook)) addLatency(SUBSCRIBE_TO_LAST_DELIVERED, at, lastDelivered)
      } else {
        const code = codeOf(result.reason)
        if (isLastTry && !isRefused(result.reason)) add(counts, GIVEN_UP)
        if (THROTTLED_CODES.includes(code)) add(counts, THROTTLED_EVENTS)
        if (code === UNFINISHED_CODE) add(counts, UNFINISHED)
        else if (isRefused(result.reason)) add(counts, ACK_REFUSED)
        else add(errors, CODE.test(code) ? code : 'other')
      }
    },
  }
}

function add(counts: Map<string, number>, name: string, more = 1): void {
  if (more > 0) counts.set(name, (counts.get(name) ?? 0) + more)
}
