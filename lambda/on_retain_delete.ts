import type { Message } from './core/model/message.ts'
import type { Context } from './core/model/ports.ts'

/**
 * message.publish, empty: deletes the topic's retained message, and older ones that arrive later. `certain`: the publish cleared the topic;
 * else it may have. `inferredFrom`: see RetainFlag in core/model/message.ts.
 */
export async function on_retain_delete(
  message: Message,
  how: { certain: boolean; inferredFrom?: string | undefined },
  { ports }: Context,
): Promise<void> {
  await ports.retained.clear(message, how)
}
