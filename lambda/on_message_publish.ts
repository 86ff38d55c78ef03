import { dropNames } from './core/acknowledge.ts'
import type { Message } from './core/message.ts'
import { millisOfMsgid } from './core/msgid.ts'
import type { Context } from './core/ports.ts'
import { pushQueued, type Stored } from './core/push.ts'
import { settleMidWindow } from './core/settle-live.ts'
import { PAGE } from './core/topic-row.ts'

/**
 * message.publish, QoS > 0, not (retained and empty): stores one topic's messages, then names them on the topic's queue in one
 * update, whose answer tells who is live. The message first, so that a name never dangles. `messages`: oldest first.
 */
export async function on_message_publish(messages: readonly Message[], context: Context): Promise<void> {
  const { ports } = context
  const topic = messages[0]!.topic
  const stored: Stored[] = await Promise.all(messages.map(async (message) => ({ message, repeated: await ports.messages.put(message) })))
  const row = await ports.topics.add(
    topic,
    messages.map(({ msgid }) => msgid),
  )
  await forgetAcknowledged(stored, topic, row.seq, context)
  await pushQueued(context, { row, stored })
  if (row.ids.length >= PAGE && (await ports.topics.seal(row))) await settleMidWindow(context, row, millisOfMsgid(messages.at(-1)!.msgid))
}

/** A repeated event may have named a message that was acknowledged in between: then the name goes too (I5). */
async function forgetAcknowledged(stored: readonly Stored[], topic: string, seq: number, { ports }: Context): Promise<void> {
  const repeated = stored.filter(({ repeated }) => repeated).map(({ message }) => message.msgid)
  if (repeated.length === 0) return
  const existing = await ports.messages.existing(repeated)
  const gone = repeated.filter((id) => !existing.has(id))
  await dropNames(ports, topic, new Map(gone.map((id) => [id, new Set([seq])])))
}
