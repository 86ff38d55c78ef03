import type { Message } from './core/model/message.ts'
import type { Context } from './core/model/ports.ts'

/**
 * message.publish, retained and empty: the topic has no retained message any more, also for older ones that arrive later. `certain`:
 * it cleared, as far as is known; `knew`: as IoT Core tells it, see core/model/message.ts.
 */
export async function on_retain_delete(
  message: Message,
  how: { certain: boolean; knew?: string | undefined },
  { ports }: Context,
): Promise<void> {
  await ports.retained.clear(message, how)
}
