/** SUBSCRIBE and UNSUBSCRIBE: the filters that IoT Core grants, their retained messages, and the events that tell of them. */
import type { ISubscribePacket, ISubscription, IUnsubscribePacket } from 'mqtt-packet'
import type { BackendError } from '../../../lambda/core/errors.ts'
import type { BrokerParts } from '../broker-parts.ts'
import type { Connection } from '../connection.ts'
import { checkSubscribeFilter, getsRetained, MAX_FILTERS, MAX_SUBSCRIPTIONS, splitShare } from '../iot-limits.ts'
import { subscriptionEvents } from '../lifecycle.ts'
import {
  NO_SUBSCRIPTION_EXISTED,
  PROTOCOL_ERROR,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  REFUSED_V4,
  SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
  TOPIC_FILTER_INVALID,
} from '../reason-codes.ts'
import { takeOverShared } from '../shared-messages.ts'
import type { Grant } from '../subscription-index.ts'

export function acceptSubscribe(parts: BrokerParts, connection: Connection, packet: ISubscribePacket): void {
  const fault = subscribeFault(packet)
  if (fault) {
    connection.end('CLIENT_ERROR', ...fault)
    return
  }
  const session = connection.session!
  const fresh = new Set(packet.subscriptions.map(({ topic }) => topic).filter((topic) => !session.subscriptions.has(topic)))
  const codes = packet.subscriptions.map((subscription) => grant(parts, connection, subscription))
  const granted = connection.protocol === 5 ? codes : codes.map((code) => Math.min(code, REFUSED_V4))
  connection.send({ cmd: 'suback', messageId: packet.messageId!, granted })
  const accepted = packet.subscriptions.filter((_, i) => granted[i]! < REFUSED_V4)
  for (const { topic, rh = 0 } of accepted) if (rh === 0 || (rh === 1 && fresh.has(topic))) deliverRetained(parts, connection, topic)
  const filters = accepted.map(({ topic }) => topic)
  emitSubscriptions(parts, connection, 'subscribed', filters)
  // Quota page, "Subscriptions per connection": what exceeds it is rejected in the SUBACK, "and the connection is closed".
  if (codes.includes(QUOTA_EXCEEDED)) connection.end('CLIENT_ERROR', `wants more than ${MAX_SUBSCRIPTIONS} subscriptions`, QUOTA_EXCEEDED)
}

export function acceptUnsubscribe(parts: BrokerParts, connection: Connection, packet: IUnsubscribePacket): void {
  const session = connection.session!
  const held = packet.unsubscriptions.map((filter) => session.subscriptions.delete(filter))
  for (const filter of packet.unsubscriptions) parts.subscriptions.remove(session, filter)
  const granted = held.map((had) => (had ? 0 : NO_SUBSCRIPTION_EXISTED))
  connection.send({ cmd: 'unsuback', messageId: packet.messageId!, granted })
  const ended = packet.unsubscriptions.filter((_, i) => held[i])
  emitSubscriptions(parts, connection, 'unsubscribed', ended)
}

/** Why IoT Core closes the connection and sends no SUBACK; undefined if it sends one. */
function subscribeFault({ subscriptions, properties }: ISubscribePacket): [text: string, code: number] | undefined {
  const { length } = subscriptions
  if (length > MAX_FILTERS) return [`subscribed to ${length} filters at once, wanted at most ${MAX_FILTERS}`, QUOTA_EXCEEDED]
  if (properties?.subscriptionIdentifier !== undefined)
    return ['subscribed with a Subscription Identifier, which IoT Core does not have', SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED]
  if (subscriptions.some(({ qos }) => qos === 2)) return ['subscribed at QoS 2, which IoT Core does not have', QOS_NOT_SUPPORTED]
  // [MQTT-3.8.3-4]
  if (subscriptions.some(({ topic, nl }) => nl && splitShare(topic).group !== undefined))
    return ['subscribed to a shared filter with No Local, which MQTT forbids', PROTOCOL_ERROR]
  return undefined
}

/** MQTT 5's SUBACK code of a filter: the granted QoS, or why it is refused. */
function grant(parts: BrokerParts, connection: Connection, { topic, qos, nl = false, rap = false }: ISubscription): number {
  const session = connection.session!
  const refusal = subscriptionRefusal(parts, connection, topic)
  if (refusal !== undefined) return refusal
  const granted: Grant = { qos: qos === 0 ? 0 : 1, nl, rap }
  session.subscriptions.set(topic, granted)
  parts.subscriptions.add(session, topic, granted)
  takeOverShared(parts, session, topic)
  return granted.qos
}

function subscriptionRefusal({ warn }: BrokerParts, connection: Connection, filter: string): number | undefined {
  const { subscriptions } = connection.session!
  try {
    checkSubscribeFilter(filter)
  } catch (error) {
    warn(`client ${JSON.stringify(connection.clientid)}: SUBSCRIBE refused: ${(error as BackendError).message}`)
    return TOPIC_FILTER_INVALID
  }
  return subscriptions.has(filter) || subscriptions.size < MAX_SUBSCRIPTIONS ? undefined : QUOTA_EXCEEDED
}

function deliverRetained({ retained }: BrokerParts, { session }: Connection, filter: string): void {
  const found = getsRetained(filter) ? retained.of(filter, Date.now()) : undefined
  if (found) session!.deliverRetained(found.message, session!.subscriptions.get(filter)!)
}

function emitSubscriptions(
  { emitEvent }: BrokerParts,
  { session, version }: Connection,
  type: 'subscribed' | 'unsubscribed',
  filters: readonly string[],
): void {
  const subject = { clientid: session!.clientid, session: session!.id, version }
  for (const event of subscriptionEvents(subject, type, Date.now(), filters)) emitEvent(subject.clientid, event)
}
