import { BackendError } from './core/errors.ts'
import type { AckEvent } from './core/events/events.ts'
import type { Context } from './core/model/ports.ts'
import { addHomes } from './core/model/topic-row.ts'
import { millisOfMsgid } from './core/msgid.ts'
import { acknowledge } from './core/queue/acknowledge.ts'
import { named } from './core/queue/pending.ts'
import { parseSubscription, topicMatches } from './core/topic.ts'

/** No invocation that stores a message is still about to name it after this. Milliseconds. */
const QUEUEING = 120_000

/**
 * message.acked, from the ack topic: takes the message off its topic's queue for everybody. (The PUBACK of a direct message does
 * the same in process.) Only a subscriber of the message's topic may acknowledge it.
 */
export async function on_message_acked_for_queue({ clientid }: AckEvent, ack: AckEvent['acks'][number], context: Context): Promise<void> {
  const { messages, subscriptions, topics, clock } = context.ports
  // Side by side, in any order: where the name comes after its topic is read, the ack is tried again.
  const [message, standing, headOfAck] = await Promise.all([
    messages.get([ack.msgid]).then((found) => found.get(ack.msgid)),
    subscriptions.of(clientid),
    ack.topic === undefined ? undefined : topics.head(ack.topic),
  ])
  if (message === undefined) return
  if (ack.topic !== undefined && ack.topic !== message.topic) {
    throw new BackendError(
      'bad-ack',
      `ack of client '${clientid}': names another topic than '${message.topic}', which message ${ack.msgid} is on`,
    )
  }
  const filters = standing.map(({ topic }) => parseSubscription(topic).filter)
  if (!filters.some((filter) => topicMatches(filter, message.topic))) {
    throw new BackendError('bad-ack', `ack of client '${clientid}': not a subscriber of topic '${message.topic}', wanted a row of mqtt_sub`)
  }
  const row = ack.topic === undefined ? await topics.head(message.topic) : headOfAck
  const homes = row === undefined ? new Map<string, Set<number>>() : await named(topics, row, [ack.msgid])
  // Its name would come after it had gone. A message that is kept as history only has none.
  if (homes.size === 0 && clock.now() - millisOfMsgid(ack.msgid) < QUEUEING) {
    throw new BackendError(
      'unfinished',
      `ack of client '${clientid}': message ${ack.msgid} is not on its queue yet; goes on at the next try`,
    )
  }
  if (row !== undefined) await acknowledge(context, { topic: message.topic, clientid, homes: addHomes(homes, [ack.msgid], row.seq) })
}
