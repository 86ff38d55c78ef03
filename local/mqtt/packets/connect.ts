/** CONNECT: what IoT Core refuses, the session it resumes or starts, and the connected event. */

import { randomUUID } from 'node:crypto'
import type { IConnackPacket, IConnectPacket, IPublishPacket } from 'mqtt-packet'
import type { BackendError } from '../../../lambda/core/errors.ts'
import type { BrokerParts } from '../broker-parts.ts'
import { subjectOf } from '../client-registry.ts'
import type { Connection } from '../connection.ts'
import {
  checkClientId,
  checkPublishTopic,
  DEFAULT_SESSION_SECONDS,
  emitsLifecycleEvents,
  MAX_IN_FLIGHT,
  MAX_KEEP_ALIVE_SECONDS,
  MAX_SESSION_SECONDS,
} from '../iot-limits.ts'
import { connectedEvent } from '../lifecycle.ts'
import { SESSION_TAKEN_OVER } from '../reason-codes.ts'
import { takeOverShared } from '../shared-messages.ts'
import { responseTopicFault } from './publish.ts'

interface Refusal {
  readonly text: string
  /** MQTT 3.1.1 return code, MQTT 5 reason code. */
  readonly codes: readonly [v4: number, v5: number]
}

export function acceptConnect(parts: BrokerParts, connection: Connection, packet: IConnectPacket): void {
  const version = packet.protocolVersion ?? 4
  connection.protocol = version === 5 ? 5 : 4
  const clientid = packet.clientId || randomUUID()
  const refusal = connectRefusal(packet, clientid)
  if (refusal) refuse(connection, refusal)
  else start(parts, connection, packet, clientid)
}

function start(parts: BrokerParts, connection: Connection, packet: IConnectPacket, clientid: string): void {
  parts.clients.of(clientid)?.connection?.end('DUPLICATE_CLIENTID', undefined, SESSION_TAKEN_OVER)
  const previous = parts.clients.of(clientid)?.session
  // An MQTT 3.1.1 session cannot be resumed by an MQTT 5 client, nor the other way round (developer guide, "MQTT persistent sessions").
  const fresh = (packet.clean ?? true) || previous?.protocol !== connection.protocol
  const { client, session, resumed } = parts.clients.connecting(clientid, fresh, connection.protocol)
  if (previous && !resumed) {
    for (const filter of previous.subscriptions.keys()) parts.subscriptions.remove(previous, filter)
    previous.end()
  }

  session.expirySeconds = sessionSeconds(packet)
  connection.session = session
  connection.version = client.version
  connection.will = packet.will
  connection.maximumPacketSize = packet.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY
  connection.window = Math.min(packet.properties?.receiveMaximum ?? MAX_IN_FLIGHT, MAX_IN_FLIGHT)
  // IoT Core uses 1,200 s where the client wants none or more, and 30 s where it wants less.
  // Here less than 30 s is granted: tests of lost connections need not wait so long.
  connection.keepAlive(Math.min(packet.keepalive || MAX_KEEP_ALIVE_SECONDS, MAX_KEEP_ALIVE_SECONDS))
  Object.assign(client, { connection, keepAliveSeconds: connection.keepAliveSeconds })

  const { sessionId, version } = client
  parts.journal({ did: 'connected', clientid, session: sessionId, version, at: connection.connectedSince })
  connection.send(connack(connection, packet, resumed))
  parts.emitEvent(clientid, connectedEvent(subjectOf(client), connection.connectedSince, connection.socket.remoteAddress ?? '127.0.0.1'))
  session.attach(connection)
  for (const filter of session.subscriptions.keys()) takeOverShared(parts, session, filter)
  if (!emitsLifecycleEvents(clientid))
    parts.warn(
      `client ${JSON.stringify(clientid)}: IoT Core tells of no client id with # or +, so it gets no presence, no queue and no wildcard's retained messages`,
    )
}

function connectRefusal(packet: IConnectPacket, clientid: string): Refusal | undefined {
  if (packet.protocolVersion === 3) return { text: 'MQTT 3.1, wanted 3.1.1 or 5', codes: [1, 0x84] }
  if (!packet.clientId && packet.protocolVersion === 4 && !packet.clean)
    return { text: 'no client id for a persistent session', codes: [2, 0x85] } // [MQTT-3.1.3-8]
  try {
    checkClientId(clientid)
  } catch (error) {
    return { text: (error as BackendError).message, codes: [2, 0x85] }
  }
  if (packet.properties?.authenticationMethod !== undefined) return { text: 'enhanced authentication', codes: [5, 0x8c] }
  if (packet.properties?.receiveMaximum === 0) return { text: 'Receive Maximum 0', codes: [5, 0x82] } // [MQTT-3.1.2-22]
  return packet.will && willRefusal(packet.will)
}

function willRefusal(will: NonNullable<IConnectPacket['will']>): Refusal | undefined {
  if (will.qos === 2) return { text: 'a will at QoS 2, which IoT Core does not have', codes: [5, 0x9b] }
  const fault = responseTopicFault(will as Pick<IPublishPacket, 'properties'>)
  if (fault) return { text: `its will with a response topic: ${fault}`, codes: [5, 0x82] }
  try {
    checkPublishTopic(will.topic)
  } catch (error) {
    return { text: `its will: ${(error as BackendError).message}`, codes: [5, 0x90] }
  }
  return undefined
}

function refuse(connection: Connection, { text, codes }: Refusal): void {
  const [returnCode, reasonCode] = codes
  const code = connection.protocol === 5 ? { reasonCode } : { returnCode }
  connection.send({ cmd: 'connack', sessionPresent: false, ...code })
  connection.end('CLIENT_ERROR', `connected with ${text}`)
}

/** Seconds. MQTT 5: the Session Expiry Interval. MQTT 3.1.1: one hour for a persistent session, as in IoT Core. */
function sessionSeconds(packet: IConnectPacket): number {
  if (packet.protocolVersion === 5) return Math.min(packet.properties?.sessionExpiryInterval ?? 0, MAX_SESSION_SECONDS)
  return packet.clean ? 0 : DEFAULT_SESSION_SECONDS
}

function connack(connection: Connection, packet: IConnectPacket, sessionPresent: boolean): IConnackPacket {
  if (connection.protocol === 4) return { cmd: 'connack', returnCode: 0, sessionPresent }
  const { session, keepAliveSeconds } = connection
  const properties = {
    // IoT Core's own answers
    receiveMaximum: MAX_IN_FLIGHT,
    maximumQoS: 1,
    retainAvailable: true,
    maximumPacketSize: 149_504,
    topicAliasMaximum: 8,
    wildcardSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: false,
    sharedSubscriptionAvailable: true,
    sessionExpiryInterval: session!.expirySeconds,
    ...(keepAliveSeconds === packet.keepalive ? {} : { serverKeepAlive: keepAliveSeconds }),
    ...(packet.clientId ? {} : { assignedClientIdentifier: session!.clientid }),
  }
  return { cmd: 'connack', reasonCode: 0, sessionPresent, properties }
}
