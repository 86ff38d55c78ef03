import type { Disconnected } from './core/events/events.ts'
import type { Context } from './core/model/ports.ts'
import { endConnection } from './core/subscriptions/end.ts'

/** client.disconnected: the client's row says offline, for whatever reason; its subscriptions end and their deliveries are settled. */
export async function on_client_disconnected(event: Disconnected, context: Context): Promise<void> {
  // The row first: a subscribed event handled meanwhile looks at it last, or is found here.
  await context.ports.clients.disconnected(event)
  await endConnection(context, event)
}
