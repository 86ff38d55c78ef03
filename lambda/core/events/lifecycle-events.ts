/** Lifecycle events: what their rules SELECT, and how it is parsed. AWS IoT developer guide, "Lifecycle events". */
import type { HookName } from '../hooks.ts'
import { checkTopicFilter } from '../topic.ts'
import {
  badEvent,
  checkTopic,
  clientIdField,
  countField,
  type Fields,
  fieldsOf,
  isMissing,
  optionalText,
  sessionField,
  timeField,
} from './fields.ts'

/** `$aws/events` topic filters whose rules SELECT * for the hook. A client id may contain '/', hence `#`. */
export const LIFECYCLE_TOPICS = {
  'client.connected': '$aws/events/presence/connected/#',
  'session.created': '$aws/events/presence/connected/#',
  'client.disconnected': '$aws/events/presence/disconnected/#',
  'session.subscribed': '$aws/events/subscriptions/subscribed/#',
  'session.unsubscribed': '$aws/events/subscriptions/unsubscribed/#',
} as const satisfies Partial<Record<HookName, string>>
export const LIFECYCLE_SELECT = '*'

/** A connection is (session, version): IoT Core's sessionIdentifier and versionNumber. */
export interface Connection {
  readonly clientid: string
  readonly session: string
  readonly version: number
  /** Milliseconds since the epoch, from the event. */
  readonly at: number
}
export interface Connected extends Connection {
  readonly ip?: string
}
export interface Disconnected extends Connection {
  readonly reason: string
  /** The client sent DISCONNECT. */
  readonly clean: boolean
}
/** Of a session.subscribed or session.unsubscribed event. The platform reports neither QoS nor version. */
export interface SubscriptionChange {
  readonly clientid: string
  readonly session: string
  readonly at: number
  /** Topic filters as the client sent them, each once. */
  readonly topics: readonly string[]
}

/** IoT Core reports at most 8 filters an event, and takes 50 subscriptions a connection. */
const MAX_FILTERS = 50

/** `$aws/events/presence/connected/<clientId>`. @throws BackendError `bad-event` */
export function parseConnected(event: unknown): Connected {
  const fields = fieldsOf(event)
  const ip = optionalText(fields, 'ipAddress')
  return { ...connectionOf(fields, 'connected'), ...(ip === undefined ? {} : { ip }) }
}

/** `$aws/events/presence/disconnected/<clientId>`. @throws BackendError `bad-event` */
export function parseDisconnected(event: unknown): Disconnected {
  const fields = fieldsOf(event)
  const reason = optionalText(fields, 'disconnectReason')
  const clean = fields.clientInitiatedDisconnect === true && (reason === undefined || reason === 'CLIENT_INITIATED_DISCONNECT')
  return { ...connectionOf(fields, 'disconnected'), reason: reason ?? 'UNKNOWN', clean }
}

/** `$aws/events/subscriptions/subscribed/<clientId>` and `.../unsubscribed/<clientId>`. @throws BackendError `bad-event` */
export function parseSubscriptionChange(event: unknown): SubscriptionChange {
  const fields = fieldsOf(event)
  const { topics } = fields
  if (!Array.isArray(topics) || topics.length === 0 || topics.length > MAX_FILTERS) {
    throw badEvent('topics', topics, `an array of 1 to ${MAX_FILTERS} topic filters`)
  }
  const filters = topics.map((topic: unknown, i) => {
    if (typeof topic !== 'string') throw badEvent(`topics[${i}]`, topic, 'a topic filter')
    checkTopic(`topics[${i}]`, topic, 'a topic filter', checkTopicFilter)
    return topic
  })
  return {
    clientid: clientIdField(fields, 'clientId'),
    session: sessionField(fields, 'sessionIdentifier'),
    at: timeField(fields, 'timestamp'),
    // A filter that is there twice is one subscription: handled twice at once, its queue would be delivered twice.
    topics: [...new Set(filters)],
  }
}

function connectionOf(fields: Fields, eventType: string): Connection {
  if (!isMissing(fields.eventType) && fields.eventType !== eventType) throw badEvent('eventType', fields.eventType, `"${eventType}"`)
  return {
    clientid: clientIdField(fields, 'clientId'),
    session: sessionField(fields, 'sessionIdentifier'),
    version: countField(fields, 'versionNumber'),
    at: timeField(fields, 'timestamp'),
  }
}
