/** An MQTT connection of single packets and bytes, for what no client library sends. */
import { connect, type Socket } from 'node:net'
import mqtt, { type Packet } from 'mqtt-packet'
import { eventually } from './mqtt-client.ts'

export interface RawConnection {
  readonly socket: Socket
  /** What the broker sent. */
  readonly got: Packet[]
  readonly closed: Promise<void>
  send(packet: object): void
}

/** A connection that has sent nothing yet. */
export function rawOpen(url: string, protocolVersion: 4 | 5): RawConnection {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const got: Packet[] = []
  const parser = mqtt.parser({ protocolVersion }).on('packet', (packet) => got.push(packet))
  socket.on('error', () => undefined).on('data', (chunk) => parser.parse(chunk))
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  return { socket, got, closed, send: (packet) => void socket.write(mqtt.generate(packet as Packet, { protocolVersion })) }
}

/** Connects and awaits the CONNACK. `more`: fields of the CONNECT. */
export async function rawConnect(url: string, clientId: string, protocolVersion: 4 | 5, more: object = {}): Promise<RawConnection> {
  const connection = rawOpen(url, protocolVersion)
  connection.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion, clientId, clean: true, keepalive: 60, ...more })
  await eventually('CONNACK, or the end', () => connection.got.length > 0 || connection.socket.closed)
  return connection
}
