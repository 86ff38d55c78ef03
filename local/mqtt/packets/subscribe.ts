/** SUBSCRIBE and UNSUBSCRIBE: the filters that IoT Core grants, their retained messages, and the events that tell of them. */
import type { ISubscribePacket, IUnsubscribePacket } from 'mqtt-packet'
import type { BackendError } from '../../../lambda/core/errors.ts'
import type { BrokerParts } from '../broker-parts.ts'
import type { Connection } from '../connection.ts'
import { checkSubscribeFilter, getsRetained, MAX_FILTERS, MAX_SUBSCRIPTIONS } from '../iot-limits.ts'
import { subscriptionEvents } from '../lifecycle.ts'
import { NO_SUBSCRIPTION_EXISTED, QUOTA_EXCEEDED, REFUSED_V4, TOPIC_FILTER_INVALID } from '../reason-codes.ts'
import type { Grant } from '../subscription-index.ts'

export function acceptSubscribe(parts: BrokerParts, connection: Connection, packet: ISubscribePacket): void {
  const session = connection.session!
  const { length } = packet.subscriptions
  if (length > MAX_FILTERS) {
    connection.end('CLIENT_ERROR', `subscribed to ${length} filters at once, wanted at most ${MAX_FILTERS}`, QUOTA_EXCEEDED)
    return
  }
  const fresh = new Set(packet.subscriptions.map(({ topic }) => topic).filter((topic) => !session.subscriptions.has(topic)))
  const granted = packet.subscriptions.map(({ topic, qos, nl = false, rap = false }) => {
    const refusal = subscriptionRefusal(parts, connection, topic)
    if (refusal !== undefined) return refusal
    // QoS 2 is granted as QoS 1: IoT Core knows no other.
    const grant: Grant = { qos: qos === 0 ? 0 : 1, nl, rap }
    session.subscriptions.set(topic, grant)
    parts.subscriptions.add(session, topic, grant)
    return grant.qos
  })
  connection.send({ cmd: 'suback', messageId: packet.messageId!, granted })
  const accepted = packet.subscriptions.filter((_, i) => granted[i]! < REFUSED_V4)
  for (const { topic, rh = 0 } of accepted) if (rh === 0 || (rh === 1 && fresh.has(topic))) deliverRetained(parts, connection, topic)
  const filters = accepted.map(({ topic }) => topic)
  emitSubscriptions(parts, connection, 'subscribed', filters)
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

/** The SUBACK code of a refused filter; undefined where it is granted. */
function subscriptionRefusal({ warn }: BrokerParts, connection: Connection, filter: string): number | undefined {
  const { subscriptions } = connection.session!
  try {
    checkSubscribeFilter(filter)
  } catch (error) {
    warn(`client ${JSON.stringify(connection.clientid)}: SUBSCRIBE refused: ${(error as BackendError).message}`)
    return connection.protocol === 5 ? TOPIC_FILTER_INVALID : REFUSED_V4
  }
  if (subscriptions.has(filter) || subscriptions.size < MAX_SUBSCRIPTIONS) return undefined
  warn(`client ${JSON.stringify(connection.clientid)}: SUBSCRIBE refused: more than ${MAX_SUBSCRIPTIONS} subscriptions`)
  return connection.protocol === 5 ? QUOTA_EXCEEDED : REFUSED_V4
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
