import type { Message } from './core/model/message.ts'
import type { Context } from './core/model/ports.ts'

/** message.publish, retained, not empty: the message becomes the topic's retained message, unless a newer one did or cleared the topic. */
export async function on_message_retain(message: Message, { ports }: Context): Promise<void> {
  await ports.retained.put(message)
}
