import { BackendError } from './core/errors.ts'
import type { Ack, AckEvent } from './core/events/ack-events.ts'
import type { Context } from './core/model/ports.ts'
import { addHomes } from './core/model/topic-row.ts'
import { millisOfMsgid } from './core/msgid.ts'
import { acknowledge } from './core/queue/acknowledge.ts'
import { findPending } from './core/queue/pending.ts'
import { parseSubscription, topicMatches } from './core/topic.ts'

/** An invocation first stores a message, then adds its id to the queue: both within this time. Milliseconds. */
const QUEUEING = 120_000

/**
 * message.acked, from the ack topic: removes the message from its topic's queue, for everybody. (A PUBACK of a direct message does the same
 * in the handler that sent it.) Only a subscriber of the message's topic may acknowledge it.
 */
export async function on_message_acked_for_queue({ clientid }: AckEvent, ack: Ack, context: Context): Promise<void> {
  const { messages, subscriptions, topics, clock } = context.ports
  // In any order: if the id is added to the queue after the head is read, the ack is tried again.
  const [message, standing, headOfAck] = await Promise.all([
    messages.get([ack.msgid]).then((found) => found.get(ack.msgid)),
    subscriptions.of(clientid),
    ack.topic === undefined ? undefined : topics.head(ack.topic),
  ])
  if (message === undefined) return
  if (ack.topic !== undefined && ack.topic !== message.topic) {
    throw new BackendError(
      'bad-ack',
      `ack of client '${clientid}': message ${ack.msgid} is on topic '${message.topic}', wanted an ack with that topic or none`,
    )
  }
  const filters = standing.map(({ topic }) => parseSubscription(topic).filter)
  if (!filters.some((filter) => topicMatches(filter, message.topic))) {
    throw new BackendError('bad-ack', `ack of client '${clientid}': not a subscriber of topic '${message.topic}', wanted a row of mqtt_sub`)
  }
  const row = ack.topic === undefined ? await topics.head(message.topic) : headOfAck
  const homes = row === undefined ? new Map<string, Set<number>>() : await findPending(topics, row, [ack.msgid])
  // The publisher's handler may add the id after this ack has removed the message. (A message that is only kept as history has no id there.)
  if (homes.size === 0 && clock.now() - millisOfMsgid(ack.msgid) < QUEUEING) {
    throw new BackendError(
      'unfinished',
      `ack of client '${clientid}': message ${ack.msgid} is not on its queue yet; continues at the next try`,
    )
  }
  if (row !== undefined) await acknowledge(context, { topic: message.topic, clientid, homes: addHomes(homes, [ack.msgid], row.seq) })
}
