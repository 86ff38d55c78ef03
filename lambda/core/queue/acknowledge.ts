/** Takes messages off a topic's queue (`on_message_acked_for_queue`), whatever tells that a client has them. */

import { type HookConfig, isKeptForMany } from '../hooks.ts'
import type { Queued } from '../model/delivery-request.ts'
import type { Message } from '../model/message.ts'
import type { Context, Ports } from '../model/ports.ts'
import type { Homes } from '../model/topic-row.ts'
import { topicMatches } from '../topic.ts'
import { locate, oldestFirst } from './pending.ts'

/** An acknowledgement of one message, as we saw it. */
export interface Puback {
  /** Milliseconds. */
  readonly at: number
  /** Whether the message's sender wants a receipt. */
  readonly asked: boolean
}

export interface Acknowledged {
  readonly topic: string
  readonly clientid: string
  /** The messages' ids, and the segments that have them. */
  readonly homes: Homes
  /** Msgid -> its acknowledgement. Absent: all are settled, and nobody saw one. */
  readonly pubacks?: ReadonlyMap<string, Puback>
}

/** Whether an acknowledgement takes a message off: a row of message.acked covers the topic, and it is not kept for many. */
export const hasAckRow = (config: HookConfig, topic: string): boolean =>
  !isKeptForMany(config, topic) && config.acked.some((filter) => topicMatches(filter, topic))

/**
 * The client has the messages, so they are removed for everybody (one-to-one, as on the page). The message's row goes first: a crash may
 * leave an id without a message, which the next reader removes, but never a message without an id.
 * Where `on_message_store` covers the topic the row stays as history. Without a message.acked row nothing is taken off.
 */
export async function acknowledge({ ports, config }: Context, { topic, clientid, homes, pubacks }: Acknowledged): Promise<void> {
  const ids = oldestFirst(homes.keys())
  const newest = ids.at(-1)
  if (newest === undefined || !hasAckRow(config, topic)) return
  const keep = config.history.some((filter) => topicMatches(filter, topic))
  const asked = ids.flatMap((msgid) => (pubacks?.get(msgid)?.asked ? [{ msgid, at: pubacks.get(msgid)!.at }] : []))
  await Promise.all([
    ports.acked.put(topic, clientid, newest, pubacks?.get(newest)?.at),
    ...(keep ? asked.map(({ msgid, at }) => ports.messages.noteAcked(msgid, { clientid, at })) : [ports.messages.remove(ids)]),
  ])
  if (keep) await ports.topics.removeIds(topic, homes)
  else await dropIds(ports, topic, homes)
}

/**
 * Takes ids off the queue whose messages are gone. A repeated publish event may have stored one of them again just now: then it is
 * pending again, and its id is added again (I5).
 */
export async function dropIds(ports: Ports, topic: string, homes: Homes): Promise<void> {
  if (homes.size === 0) return
  await ports.topics.removeIds(topic, homes)
  const back = await ports.messages.existing([...homes.keys()])
  if (back.size > 0) await ports.topics.add(topic, [...back])
}

/** The message was retained at QoS 0, so it is on no queue. `queued`: of this invocation; absent: an earlier try queued it. */
export async function takeOffQueue(message: Message, queued: Queued | undefined, context: Context): Promise<void> {
  const { ports, config, invocation } = context
  const { topic, msgid } = message
  const row = queued?.row ?? (await ports.topics.head(topic))
  if (row === undefined) return
  // No id leaves the log of a topic that is kept for many.
  if (isKeptForMany(config, topic))
    return config.history.some((filter) => topicMatches(filter, topic)) ? ports.messages.correct(message) : ports.messages.remove([msgid])
  const known = queued?.stored.some((one) => one.message.msgid === msgid && !one.repeated) && invocation.receives === 1
  const homes = known ? new Map([[msgid, new Set([row.seq])]]) : await locate(ports.topics, row, [msgid])
  if (config.history.some((filter) => topicMatches(filter, topic))) {
    await ports.messages.correct(message)
    await ports.topics.removeIds(topic, homes)
  } else {
    await ports.messages.remove([msgid])
    await dropIds(ports, topic, homes)
  }
}
