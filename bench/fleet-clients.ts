/** Real MQTT clients of a fleet: honest ones that acknowledge at once, and mute ones that never send a PUBACK. */
import { connect, type Socket } from 'node:net'
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import mqtt, { type MqttClient } from 'mqtt'
import packets, { type Packet } from 'mqtt-packet'

const VERSION = 5
/** Connects at once. */
const AT_ONCE = 25

/** `durable`: the client subscribes below `durable/`; `operator`: a row of `mqtt_sub` stands for it. */
export type Kind = 'durable' | 'operator'

/** A client, and the one topic whose messages it gets. */
export interface Member {
  readonly name: string
  readonly topic: string
  readonly kind: Kind
}

/** One in `every` by an operator's row, the others durable. */
export const membersOf = (what: string, count: number, every: number): Member[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `${what}-${i}`,
    topic: `fleet/${what}/${i}`,
    kind: i % every === 0 ? 'operator' : 'durable',
  }))

/** The rows by which an operator subscribes them. */
export async function writeOperatorRows(client: DynamoDBClient, members: readonly Member[]): Promise<void> {
  for (const { name, topic, kind } of members) {
    if (kind !== 'operator') continue
    const Item = { clientid: { S: name }, topic: { S: topic }, qos: { N: '1' } }
    await client.send(new PutItemCommand({ TableName: 'mqtt_sub', Item }))
  }
}

/** Connected and subscribed. `onMessage`: the payload's text, as soon as it is there. */
export async function honestClients(url: string, members: readonly Member[], onMessage: (text: string) => void): Promise<MqttClient[]> {
  const clients: MqttClient[] = []
  for (let i = 0; i < members.length; i += AT_ONCE) {
    const some = members.slice(i, i + AT_ONCE).map(async ({ name, topic, kind }) => {
      const client = await mqtt.connectAsync(url, { clientId: name, protocolVersion: VERSION, reconnectPeriod: 0 })
      client.on('message', (_, payload) => onMessage(payload.toString()))
      if (kind === 'durable') await client.subscribeAsync(`durable/${topic}`, { qos: 1 })
      return client
    })
    clients.push(...(await Promise.all(some)))
  }
  return clients
}

export interface MuteClient {
  /** Messages it was sent. */
  readonly got: number
  end(): Promise<void>
}

/** Reads, and answers pings, but sends no PUBACK. */
export async function muteClient(url: string, { name, topic, kind }: Member): Promise<MuteClient> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const send = (packet: object) => void socket.write(packets.generate(packet as Packet, { protocolVersion: VERSION }))
  const client = { got: 0, end: () => ended(socket) }
  const parser = packets.parser({ protocolVersion: VERSION })
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    parser.on('packet', ({ cmd }) => {
      if (cmd === 'publish') client.got++
      if (cmd === 'connack') resolve()
    })
  })
  socket.on('data', (chunk) => parser.parse(chunk))
  send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: VERSION, clientId: name, clean: true, keepalive: 600 })
  await connected
  if (kind === 'durable') send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `durable/${topic}`, qos: 1 }] })
  return client
}

function ended(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.end(packets.generate({ cmd: 'disconnect' }, { protocolVersion: VERSION }))
  return closed
}
