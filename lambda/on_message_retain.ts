import type { Message } from './core/model/message.ts'
import type { Context } from './core/model/ports.ts'

/** message.publish, retained, not empty: the message becomes the topic's retained one, unless a newer one is or cleared it. */
export async function on_message_retain(message: Message, { ports }: Context): Promise<void> {
  await ports.retained.put(message)
}
