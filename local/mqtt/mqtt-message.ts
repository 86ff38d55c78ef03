/** A publish as the local IoT Core passes it around, MQTT 5 properties included. */
import type { IPublishPacket, UserProperties } from 'mqtt-packet'
import { MAX_EXPIRY_SECONDS } from './iot-limits.ts'

export interface MqttProperties {
  /** In the order sent, as far as the codec keeps it; a key may repeat. */
  readonly user?: readonly (readonly [key: string, value: string])[]
  readonly contentType?: string
  /** True: UTF-8 text. */
  readonly utf8?: boolean
  readonly responseTopic?: string
  readonly correlationData?: Buffer
}

export interface MqttMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: 0 | 1
  readonly retain: boolean
  readonly properties: MqttProperties
  /** Milliseconds since the epoch after which it is no longer delivered (MQTT 5 message expiry). */
  readonly expiresAt?: number
  /** Publishing client; absent for HTTP publishes and the service's own events. */
  readonly clientid?: string
}

/** The message of a PUBLISH (or will) with its topic alias resolved. */
export function messageOfPacket(packet: PacketFields, clientid: string, now: number): MqttMessage {
  const { properties } = packet
  const expiry = properties?.messageExpiryInterval
  // IoT Core raises 0 to 1 (developer guide, "Message expiry").
  const expirySeconds = expiry === undefined ? undefined : Math.min(Math.max(expiry, 1), MAX_EXPIRY_SECONDS)
  return {
    topic: packet.topic,
    payload: Buffer.from(packet.payload),
    qos: packet.qos === 0 || packet.qos === undefined ? 0 : 1,
    retain: packet.retain ?? false,
    clientid,
    ...(expirySeconds === undefined ? {} : { expiresAt: now + expirySeconds * 1000 }),
    properties: {
      ...(properties?.userProperties ? { user: pairs(properties.userProperties) } : {}),
      ...(properties?.contentType === undefined ? {} : { contentType: properties.contentType }),
      ...(properties?.payloadFormatIndicator === undefined ? {} : { utf8: properties.payloadFormatIndicator }),
      ...(properties?.responseTopic === undefined ? {} : { responseTopic: properties.responseTopic }),
      ...(properties?.correlationData === undefined ? {} : { correlationData: properties.correlationData }),
    },
  }
}

type PacketFields = Pick<IPublishPacket, 'topic' | 'payload' | 'properties'> & { qos?: 0 | 1 | 2; retain?: boolean }

/** MQTT 5 properties of a PUBLISH to a client; undefined where there is nothing to say. */
export function packetProperties({ properties, expiresAt }: MqttMessage, now: number): IPublishPacket['properties'] | undefined {
  const { user, contentType, utf8, responseTopic, correlationData } = properties
  const all: IPublishPacket['properties'] = {
    ...(user && user.length > 0 ? { userProperties: byKey(user) } : {}),
    ...(contentType === undefined ? {} : { contentType }),
    ...(utf8 === undefined ? {} : { payloadFormatIndicator: utf8 }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    // [MQTT-3.3.2-6] The seconds that are left. IoT Core sends 0 where less than one is.
    ...(expiresAt === undefined ? {} : { messageExpiryInterval: Math.max(0, Math.floor((expiresAt - now) / 1000)) }),
  }
  return Object.keys(all).length > 0 ? all : undefined
}

const pairs = (properties: UserProperties): [string, string][] =>
  Object.entries(properties).flatMap(([key, value]) => [value].flat().map((one): [string, string] => [key, one]))

/** Without a prototype: a property may be called `constructor`. */
function byKey(user: readonly (readonly [string, string])[]): UserProperties {
  const properties: Record<string, string[]> = Object.create(null)
  for (const [key, value] of user) properties[key] = [...(properties[key] ?? []), value]
  return properties
}
