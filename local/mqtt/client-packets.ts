/** What the broker does with each packet of a client. Reason codes: MQTT 5, section 2.4. */
import type { IConnectPacket, IDisconnectPacket, IPublishPacket, ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet'
import type { BackendError } from '../../lambda/core/errors.ts'
import type { Broker } from './broker.ts'
import { acceptConnect } from './client-connect.ts'
import { type Client, subjectOf } from './client-registry.ts'
import type { Connection, PacketHandlers } from './connection.ts'
import { checkPublishTopic, checkSubscribeFilter, getsRetained, MAX_FILTERS, MAX_PAYLOAD_BYTES, MAX_SUBSCRIPTIONS } from './iot-limits.ts'
import { type DisconnectReason, disconnectedEvent, subscriptionEvents } from './lifecycle.ts'
import { messageOfPacket } from './mqtt-message.ts'
import type { Grant } from './subscription-index.ts'

const REFUSED_V4 = 0x80
const FILTER_INVALID = 0x8f
const QUOTA_EXCEEDED = 0x97
const NO_SUBSCRIPTION_EXISTED = 0x11
const QOS_NOT_SUPPORTED = 0x9b
const TOPIC_NAME_INVALID = 0x90
const PACKET_TOO_LARGE = 0x95
const PROTOCOL_ERROR = 0x82
const TOPIC_ALIAS_INVALID = 0x94
const DISCONNECT_WITH_WILL = 0x04

export class ClientPackets implements PacketHandlers {
  readonly #broker: Broker

  constructor(broker: Broker) {
    this.#broker = broker
  }

  get backlog() {
    return this.#broker.options.backlog
  }

  warn(text: string): void {
    this.#broker.options.warn(text)
  }

  connect(connection: Connection, packet: IConnectPacket): void {
    acceptConnect(this.#broker, connection, packet)
  }

  packet(connection: Connection, packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        this.#publish(connection, packet)
        break
      case 'puback':
        connection.session!.acknowledge(packet.messageId!, this.#broker.options.hearsPuback ?? (() => true))
        break
      case 'subscribe':
        this.#subscribe(connection, packet)
        break
      case 'unsubscribe':
        this.#unsubscribe(connection, packet)
        break
      case 'pingreq':
        connection.send({ cmd: 'pingresp' })
        break
      case 'disconnect':
        this.#disconnect(connection, packet)
        break
      default:
        connection.end('CLIENT_ERROR', `sent ${packet.cmd.toUpperCase()}, which IoT Core does not take`, PROTOCOL_ERROR)
    }
  }

  closed(connection: Connection, reason: DisconnectReason): void {
    const { session } = connection
    const client = session && this.#broker.clients.of(session.clientid)
    if (!session || client?.connection !== connection) return
    const now = Date.now()
    session.detach()
    delete client.connection
    Object.assign(client, { disconnectedSince: now, disconnectReason: reason })
    this.#publishWill(connection, client)
    this.#broker.emitEvent(client.clientid, disconnectedEvent(subjectOf(client), now, reason))
    this.#broker.options.journal?.append({ did: 'disconnected', clientid: client.clientid, at: now })
    if (session.expirySeconds === 0) this.#endSession(client)
    else this.#broker.clients.after(client, session.expirySeconds * 1000, () => this.#endSession(client))
  }

  #publish(connection: Connection, packet: IPublishPacket): void {
    const fault = publishFault(connection, packet)
    if (fault) {
      connection.end(...fault)
      return
    }
    this.#broker.publish(messageOfPacket(packet, connection.clientid, Date.now()))
    // IoT Core acknowledges what it has accepted: here, what the queues hold.
    if (packet.qos === 1) connection.send({ cmd: 'puback', messageId: packet.messageId!, ...success(connection) })
  }

  #subscribe(connection: Connection, packet: ISubscribePacket): void {
    const session = connection.session!
    const { length } = packet.subscriptions
    if (length > MAX_FILTERS) {
      connection.end('CLIENT_ERROR', `subscribed to ${length} filters at once, wanted at most ${MAX_FILTERS}`, QUOTA_EXCEEDED)
      return
    }
    const fresh = new Set(packet.subscriptions.map(({ topic }) => topic).filter((topic) => !session.subscriptions.has(topic)))
    const granted = packet.subscriptions.map(({ topic, qos, nl = false, rap = false }) => {
      const refusal = this.#subscriptionRefusal(connection, topic)
      if (refusal !== undefined) return refusal
      // QoS 2 is granted as QoS 1: IoT Core knows no other.
      const grant: Grant = { qos: qos === 0 ? 0 : 1, nl, rap }
      session.subscriptions.set(topic, grant)
      this.#broker.subscriptions.add(session, topic, grant)
      return grant.qos
    })
    connection.send({ cmd: 'suback', messageId: packet.messageId!, granted })
    const accepted = packet.subscriptions.filter((_, i) => granted[i]! < REFUSED_V4)
    for (const { topic, rh = 0 } of accepted) if (rh === 0 || (rh === 1 && fresh.has(topic))) this.#deliverRetained(connection, topic)
    this.#emitSubscriptions(
      connection,
      'subscribed',
      accepted.map(({ topic }) => topic),
    )
  }

  /** The SUBACK code of a refused filter; undefined where it is taken. */
  #subscriptionRefusal(connection: Connection, filter: string): number | undefined {
    const { subscriptions } = connection.session!
    try {
      checkSubscribeFilter(filter)
    } catch (error) {
      this.warn(`client ${JSON.stringify(connection.clientid)}: SUBSCRIBE refused: ${(error as BackendError).message}`)
      return connection.protocol === 5 ? FILTER_INVALID : REFUSED_V4
    }
    if (subscriptions.has(filter) || subscriptions.size < MAX_SUBSCRIPTIONS) return undefined
    this.warn(`client ${JSON.stringify(connection.clientid)}: SUBSCRIBE refused: more than ${MAX_SUBSCRIPTIONS} subscriptions`)
    return connection.protocol === 5 ? QUOTA_EXCEEDED : REFUSED_V4
  }

  #deliverRetained({ session }: Connection, filter: string): void {
    const retained = getsRetained(filter) ? this.#broker.retained.of(filter, Date.now()) : undefined
    if (retained) session!.deliverRetained(retained.message, session!.subscriptions.get(filter)!)
  }

  #unsubscribe(connection: Connection, packet: IUnsubscribePacket): void {
    const session = connection.session!
    const held = packet.unsubscriptions.map((filter) => session.subscriptions.delete(filter))
    for (const filter of packet.unsubscriptions) this.#broker.subscriptions.remove(session, filter)
    const granted = held.map((had) => (had ? 0 : NO_SUBSCRIPTION_EXISTED))
    connection.send({ cmd: 'unsuback', messageId: packet.messageId!, granted })
    this.#emitSubscriptions(
      connection,
      'unsubscribed',
      packet.unsubscriptions.filter((_, i) => held[i]),
    )
  }

  #emitSubscriptions({ session, version }: Connection, type: 'subscribed' | 'unsubscribed', filters: readonly string[]): void {
    const subject = { clientid: session!.clientid, session: session!.id, version }
    for (const event of subscriptionEvents(subject, type, Date.now(), filters)) this.#broker.emitEvent(subject.clientid, event)
  }

  #disconnect(connection: Connection, { reasonCode, properties }: IDisconnectPacket): void {
    const session = connection.session!
    const expiry = properties?.sessionExpiryInterval
    // [MQTT-3.14.2-2] a session that was to end with its connection cannot be made to outlive it
    if (expiry !== undefined && session.expirySeconds > 0) session.expirySeconds = Math.min(expiry, session.expirySeconds)
    if (reasonCode !== DISCONNECT_WITH_WILL) connection.will = undefined
    connection.end('CLIENT_INITIATED_DISCONNECT')
  }

  #publishWill({ will, protocol }: Connection, client: Client): void {
    if (!will) return
    const message = messageOfPacket(will as Parameters<typeof messageOfPacket>[0], client.clientid, Date.now())
    const delay = protocol === 5 ? Math.min(will.properties?.willDelayInterval ?? 0, client.session?.expirySeconds ?? 0) : 0
    if (delay === 0) this.#broker.publish(message)
    else this.#broker.clients.after(client, delay * 1000, () => this.#broker.publish(message))
  }

  #endSession(client: Client): void {
    const { session } = client
    if (!session) return
    for (const filter of session.subscriptions.keys()) this.#broker.subscriptions.remove(session, filter)
    delete client.session
  }
}

/** MQTT 5 only: success needs saying. */
const success = (connection: Connection) => (connection.protocol === 5 ? { reasonCode: 0 } : {})

type Fault = [reason: DisconnectReason, text: string, code: number]

/** Why IoT Core closes the connection on a PUBLISH. Resolves the topic alias on the way. */
function publishFault(connection: Connection, packet: IPublishPacket): Fault | undefined {
  if (packet.qos === 2) return ['CLIENT_ERROR', 'published at QoS 2, which IoT Core does not have', QOS_NOT_SUPPORTED]
  const alias = packet.properties?.topicAlias
  if (alias !== undefined) {
    if (packet.topic !== '' && alias >= 1 && alias <= MAX_TOPIC_ALIASES) connection.aliases.set(alias, packet.topic)
    packet.topic = connection.aliases.get(alias) ?? ''
    if (packet.topic === '') return ['CLIENT_ERROR', `used topic alias ${alias}, which it had not set`, TOPIC_ALIAS_INVALID]
  }
  try {
    checkPublishTopic(packet.topic)
  } catch (error) {
    const reason = packet.topic.startsWith('$') ? 'AUTH_ERROR' : 'CLIENT_ERROR'
    return [reason, `published: ${(error as BackendError).message}`, TOPIC_NAME_INVALID]
  }
  if (packet.payload.length <= MAX_PAYLOAD_BYTES) return undefined
  return ['CLIENT_ERROR', `published ${packet.payload.length} bytes, wanted at most ${MAX_PAYLOAD_BYTES}`, PACKET_TOO_LARGE]
}

/** The quota page's topic aliases per connection. */
export const MAX_TOPIC_ALIASES = 8
