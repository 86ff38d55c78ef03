/** PUBLISH and the will: what IoT Core refuses, and what it acknowledges. */
import type { IPublishPacket } from 'mqtt-packet'
import type { BackendError } from '../../../lambda/core/errors.ts'
import { topicNameFault } from '../../../lambda/core/topic.ts'
import type { BrokerParts } from '../broker-parts.ts'
import type { Client } from '../client-registry.ts'
import type { Connection } from '../connection.ts'
import { checkPublishTopic, MAX_PAYLOAD_BYTES, MAX_PUBLISHES_PER_SECOND, MAX_TOPIC_ALIASES } from '../iot-limits.ts'
import type { DisconnectReason } from '../lifecycle.ts'
import { messageOfPacket } from '../mqtt-message.ts'
import {
  MALFORMED_PACKET,
  PACKET_TOO_LARGE,
  PROTOCOL_ERROR,
  QOS_NOT_SUPPORTED,
  TOPIC_ALIAS_INVALID,
  TOPIC_NAME_INVALID,
} from '../reason-codes.ts'

export function acceptPublish(parts: BrokerParts, connection: Connection, packet: IPublishPacket): void {
  const fault = publishFault(connection, packet)
  if (fault) {
    connection.end(...fault)
    return
  }
  if (!connection.inboundRate.take())
    parts.remind(
      `inbound ${connection.clientid}`,
      `client ${JSON.stringify(connection.clientid)} publishes more than ${MAX_PUBLISHES_PER_SECOND} messages a second: IoT Core would discard them, the local run takes them`,
    )
  parts.publish(messageOfPacket(packet, connection.clientid, Date.now()))
  // IoT Core sends a PUBACK once it has accepted the publish: here, once the queues hold it.
  if (packet.qos === 1) connection.send({ cmd: 'puback', messageId: packet.messageId!, ...success(connection) })
}

export function publishWill({ publish, clients }: BrokerParts, { will, protocol }: Connection, client: Client): void {
  if (!will) return
  const message = messageOfPacket(will as Parameters<typeof messageOfPacket>[0], client.clientid, Date.now())
  const delay = protocol === 5 ? Math.min(will.properties?.willDelayInterval ?? 0, client.session?.expirySeconds ?? 0) : 0
  if (delay === 0) publish(message)
  else clients.after(client, delay * 1000, () => publish(message))
}

/** Only MQTT 5 has a reason code in PUBACK. */
const success = (connection: Connection) => (connection.protocol === 5 ? { reasonCode: 0 } : {})

type Fault = [reason: DisconnectReason, text: string, code: number]

/** Of a PUBLISH or a will: a response topic is a topic name [MQTT-3.3.2-14]. */
export const responseTopicFault = ({ properties }: Pick<IPublishPacket, 'properties'>): string | undefined =>
  properties?.responseTopic === undefined ? undefined : topicNameFault(properties.responseTopic)

/** Why IoT Core closes the connection on a PUBLISH; undefined: it accepts the PUBLISH. Puts the topic of an alias into the packet. */
function publishFault(connection: Connection, packet: IPublishPacket): Fault | undefined {
  if (packet.qos === 2) return ['CLIENT_ERROR', 'published at QoS 2, which IoT Core does not have', QOS_NOT_SUPPORTED]
  // [MQTT-3.3.4-6] Only a server sends it.
  if (packet.properties?.subscriptionIdentifier !== undefined)
    return ['CLIENT_ERROR', 'published with a Subscription Identifier, which only a server may send', PROTOCOL_ERROR]
  if (packet.qos === 0 && packet.dup) return ['CLIENT_ERROR', 'published at QoS 0 with DUP', MALFORMED_PACKET] // [MQTT-3.3.1-2]
  if (packet.qos === 1 && packet.messageId === 0) return ['CLIENT_ERROR', 'published with packet id 0', PROTOCOL_ERROR] // [MQTT-2.2.1-3]
  const responseFault = responseTopicFault(packet)
  if (responseFault) return ['CLIENT_ERROR', `published with a response topic: ${responseFault}`, PROTOCOL_ERROR]
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
