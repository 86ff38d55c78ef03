/** DISCONNECT, and what follows when a connection is closed, whoever closes it. */
import type { IDisconnectPacket } from 'mqtt-packet'
import type { BrokerParts } from '../broker-parts.ts'
import { type Client, subjectOf } from '../client-registry.ts'
import type { Connection } from '../connection.ts'
import { MAX_SESSION_SECONDS } from '../iot-limits.ts'
import { type DisconnectReason, disconnectedEvent } from '../lifecycle.ts'
import { DISCONNECT_WITH_WILL, PROTOCOL_ERROR } from '../reason-codes.ts'
import { publishWill } from './publish.ts'

export function acceptDisconnect(connection: Connection, { reasonCode, properties }: IDisconnectPacket): void {
  const session = connection.session!
  const expiry = properties?.sessionExpiryInterval
  // [MQTT-3.14.2-2]
  if (expiry !== undefined && expiry > 0 && session.expirySeconds === 0) {
    connection.end('CLIENT_ERROR', 'wants a session to outlive its connection only when it ends', PROTOCOL_ERROR)
    return
  }
  if (expiry !== undefined) session.expirySeconds = Math.min(expiry, MAX_SESSION_SECONDS)
  if (reasonCode !== DISCONNECT_WITH_WILL) connection.will = undefined
  connection.end('CLIENT_INITIATED_DISCONNECT')
}

/** The will, the disconnected event, and the session's end or the time until it. */
export function connectionClosed(parts: BrokerParts, connection: Connection, reason: DisconnectReason): void {
  const { session } = connection
  const client = session && parts.clients.of(session.clientid)
  if (!session || client?.connection !== connection) return
  const now = Date.now()
  session.detach()
  delete client.connection
  Object.assign(client, { disconnectedSince: now, disconnectReason: reason })
  publishWill(parts, connection, client)
  parts.emitEvent(client.clientid, disconnectedEvent(subjectOf(client), now, reason))
  parts.journal({ did: 'disconnected', clientid: client.clientid, at: now })
  if (session.expirySeconds === 0) endSession(parts, client)
  else parts.clients.after(client, session.expirySeconds * 1000, () => endSession(parts, client))
}

function endSession({ subscriptions }: BrokerParts, client: Client): void {
  const { session } = client
  if (!session) return
  for (const filter of session.subscriptions.keys()) subscriptions.remove(session, filter)
  session.end()
  delete client.session
}
