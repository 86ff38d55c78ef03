import type { Connected } from './core/events/events.ts'
import type { Context } from './core/model/ports.ts'
import { clearOlderConnections } from './core/subscriptions/end.ts'

/** client.connected: the client's row says online, and what its older connections left live is cleared. */
export async function on_client_connected(event: Connected, { ports }: Context): Promise<void> {
  const { clients, subscriptions } = ports
  const [followsEnd, before] = await Promise.all([clients.connected(event), subscriptions.of(event.clientid)])
  // A subscribed event of an older connection looks at the client's row last. One that has looked already is found after the row was
  // written, and by nothing that was read or taken away before; none can look and find itself valid where the row showed the end.
  await clearOlderConnections(ports, event, followsEnd ? before : await subscriptions.of(event.clientid))
}
