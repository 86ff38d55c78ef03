/** Which handler takes which packet of a connected client. */
import type { Packet } from 'mqtt-packet'
import type { BrokerParts } from '../broker-parts.ts'
import type { Connection, PacketHandlers } from '../connection.ts'
import { PROTOCOL_ERROR } from '../reason-codes.ts'
import { acceptConnect } from './connect.ts'
import { acceptDisconnect, connectionClosed } from './disconnect.ts'
import { acceptPublish } from './publish.ts'
import { acceptSubscribe, acceptUnsubscribe } from './subscribe.ts'

export const packetHandlers = (parts: BrokerParts): PacketHandlers => ({
  backlog: parts.backlog,
  warn: parts.warn,
  connect: (connection, packet) => acceptConnect(parts, connection, packet),
  packet: (connection, packet) => dispatch(parts, connection, packet),
  closed: (connection, reason) => connectionClosed(parts, connection, reason),
})

function dispatch(parts: BrokerParts, connection: Connection, packet: Packet): void {
  switch (packet.cmd) {
    case 'publish':
      acceptPublish(parts, connection, packet)
      break
    case 'puback':
      connection.session!.acknowledge(packet.messageId!, packet.reasonCode ?? 0, parts.hearsPuback)
      break
    case 'subscribe':
      acceptSubscribe(parts, connection, packet)
      break
    case 'unsubscribe':
      acceptUnsubscribe(parts, connection, packet)
      break
    case 'pingreq':
      connection.send({ cmd: 'pingresp' })
      break
    case 'disconnect':
      acceptDisconnect(connection, packet)
      break
    default:
      connection.end('CLIENT_ERROR', `sent ${packet.cmd.toUpperCase()}, which IoT Core does not take`, PROTOCOL_ERROR)
  }
}
