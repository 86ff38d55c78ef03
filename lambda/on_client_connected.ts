import { clearOlderConnections } from './core/connection-end.ts'
import type { Connected } from './core/events.ts'
import type { Context } from './core/ports.ts'

/** client.connected: the client's row says online, and what its older connections left live is cleared. */
export async function on_client_connected(event: Connected, { ports }: Context): Promise<void> {
  await Promise.all([ports.clients.connected(event), clearOlderConnections(ports, event)])
}
