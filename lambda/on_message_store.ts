import type { Message } from './core/model/message.ts'
import type { Context } from './core/model/ports.ts'

/** message.publish, any QoS, not (retained and empty): stores the message as history. It is on no queue. */
export async function on_message_store(message: Message, { ports }: Context): Promise<void> {
  await ports.messages.put(message)
}
