import { clearOlderConnections } from './core/connection-end.ts'
import type { Connected } from './core/events.ts'
import type { Context } from './core/ports.ts'

/** client.connected: the client's row says online, and what its older connections left live is cleared. */
export async function on_client_connected(event: Connected, { ports }: Context): Promise<void> {
  const [shownOnline] = await Promise.all([ports.clients.connected(event), clearOlderConnections(ports, event)])
  // A subscribed event of the connection that was shown until now may have looked at the row before, and made it live after.
  if (shownOnline) await clearOlderConnections(ports, event)
}
