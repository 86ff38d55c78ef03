/** IoT Core's lifecycle events, field by field (AWS IoT developer guide, "Lifecycle events"). */

export type DisconnectReason =
  | 'AUTH_ERROR'
  | 'CLIENT_INITIATED_DISCONNECT'
  | 'CLIENT_ERROR'
  | 'CONNECTION_LOST'
  | 'DUPLICATE_CLIENTID'
  | 'MQTT_KEEP_ALIVE_TIMEOUT'
  | 'SERVER_ERROR'
  | 'SERVER_INITIATED_DISCONNECT'
  | 'API_INITIATED_DISCONNECT'

/** Who a lifecycle event is about. */
export interface Subject {
  readonly clientid: string
  /** sessionIdentifier: for the life of the session, so a resumed session keeps it. */
  readonly session: string
  /** versionNumber: one more for every connection of the client id, from 0; the same for a connect and its disconnect. */
  readonly version: number
}

export interface LifecycleEvent {
  readonly topic: string
  readonly body: Readonly<Record<string, unknown>>
}

/** principalIdentifier: in IoT Core the id of the client's certificate; this broker asks for none. */
const PRINCIPAL = '000000000000000000000000000000000000000000000000000000000000local'
const MAX_TOPICS_PER_EVENT = 8

export function connectedEvent(subject: Subject, at: number, ipAddress: string): LifecycleEvent {
  const body = { ...presence(subject, 'connected', at), ipAddress, versionNumber: subject.version }
  return { topic: `$aws/events/presence/connected/${subject.clientid}`, body }
}

export function disconnectedEvent(subject: Subject, at: number, disconnectReason: DisconnectReason): LifecycleEvent {
  const clientInitiatedDisconnect = disconnectReason === 'CLIENT_INITIATED_DISCONNECT'
  const body = {
    ...presence(subject, 'disconnected', at),
    clientInitiatedDisconnect,
    disconnectReason,
    versionNumber: subject.version,
  }
  return { topic: `$aws/events/presence/disconnected/${subject.clientid}`, body }
}

/** One event for up to eight filters; none for none. */
export function subscriptionEvents(
  subject: Subject,
  eventType: 'subscribed' | 'unsubscribed',
  at: number,
  filters: readonly string[],
): LifecycleEvent[] {
  const events: LifecycleEvent[] = []
  for (let i = 0; i < filters.length; i += MAX_TOPICS_PER_EVENT) {
    const body = { ...presence(subject, eventType, at), topics: filters.slice(i, i + MAX_TOPICS_PER_EVENT) }
    events.push({ topic: `$aws/events/subscriptions/${eventType}/${subject.clientid}`, body })
  }
  return events
}

const presence = ({ clientid, session }: Subject, eventType: string, timestamp: number) => ({
  clientId: clientid,
  timestamp,
  eventType,
  sessionIdentifier: session,
  principalIdentifier: PRINCIPAL,
})
