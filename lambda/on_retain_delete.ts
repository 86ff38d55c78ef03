import type { Message } from './core/message.ts'
import type { Context } from './core/ports.ts'

/**
 * message.publish, retained and empty: the topic has no retained message any more, also for older ones that arrive later. `certain`:
 * RETAIN was set for sure.
 */
export async function on_retain_delete(message: Message, { certain }: { certain: boolean }, { ports }: Context): Promise<void> {
  await ports.retained.clear(message, { certain })
}
