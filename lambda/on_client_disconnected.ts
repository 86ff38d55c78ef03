import type { Disconnected } from './core/events/lifecycle-events.ts'
import type { Context } from './core/model/ports.ts'
import { endConnection } from './core/subscriptions/end.ts'

/** client.disconnected: sets the client's row to offline, whatever the reason, ends its subscriptions and settles their deliveries. */
export async function on_client_disconnected(event: Disconnected, context: Context): Promise<void> {
  // The row first: a subscribed event that is handled at the same time checks the row last. Either it sees the end, or we find its subscription.
  await context.ports.clients.disconnected(event)
  await endConnection(context, event)
}
