import type { SubscriptionChange } from './core/events/lifecycle-events.ts'
import { fetchRow } from './core/hooks.ts'
import type { Context } from './core/model/ports.ts'
import type { Seated } from './core/model/seat.ts'
import { fetchQueue } from './core/queue/drain.ts'

/**
 * session.subscribed, on a topic kept for many: delivers what came since the client's read position, oldest first, each message awaited to
 * its PUBACK. The position was begun before the client took its seat. Also what was subscribed with QoS 0 gets them.
 */
export async function on_message_fetch_for_pubsub(event: SubscriptionChange, seated: Seated | undefined, context: Context): Promise<void> {
  if (seated === undefined) return
  const row = fetchRow(context.config, seated.seat.topic)
  if (row?.qos === 0) return
  await fetchQueue(context, seated, { clientid: event.clientid, row, at: event.at, justArrived: true })
}
