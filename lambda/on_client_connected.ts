import type { Connected } from './core/events/lifecycle-events.ts'
import type { Context } from './core/model/ports.ts'
import { clearOlderConnections } from './core/subscriptions/end.ts'

/** client.connected: sets the client's row to online, and removes the seats that its older connections left. */
export async function on_client_connected(event: Connected, context: Context): Promise<void> {
  const { clients, subscriptions } = context.ports
  const [followsEnd, before] = await Promise.all([clients.connected(event), subscriptions.of(event.clientid)])
  // A subscribed event of an older connection writes its subscription, then checks the client's row. If it checks before our write, only a
  // read after our write surely finds its subscription. If the row had shown the end of all older connections, no such check passes.
  await clearOlderConnections(context, event, followsEnd ? before : await subscriptions.of(event.clientid))
}
