import { expiryOf, type Message } from './core/model/message.ts'
import type { Context } from './core/model/ports.ts'
import { topicMatches } from './core/topic.ts'

/**
 * message.publish, retained, not empty: the message becomes the topic's retained message, unless a newer one did or cleared the topic.
 * `expired_after` is for stored messages: a retained one stays until it is cleared. What IoT Core holds too expires as it does there.
 */
export async function on_message_retain(message: Message, { ports, config }: Context): Promise<void> {
  const { expiresAt: _, ...lasting } = message
  const isNative = config.nativeRetained.some((filter) => topicMatches(filter, message.topic))
  const expiry = isNative ? undefined : expiryOf(message)
  await ports.retained.put(expiry === undefined ? lasting : { ...lasting, expiresAt: message.arrived + expiry })
}
