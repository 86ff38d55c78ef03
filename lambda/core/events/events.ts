/**
 * The events that IoT rules put on the hooks' queues: what each rule SELECTs, beside the parser of what it selected.
 * Lifecycle events: AWS IoT developer guide, "Lifecycle events".
 */

import type { HookName } from '../hooks.ts'
import { checkTopicFilter, checkTopicName } from '../topic.ts'
import { acksIn } from './acks.ts'
import {
  badEvent,
  base64Field,
  checkTopic,
  clientIdField,
  countField,
  described,
  type Fields,
  fieldsOf,
  isMissing,
  optionalText,
  sessionField,
  textField,
  timeField,
} from './fields.ts'
import { type MessageProperties, parseProperties } from './properties.ts'

/** `$aws/events` topic filters whose rules SELECT * for the hook. A client id may contain '/', hence `#`. */
export const LIFECYCLE_TOPICS = {
  'client.connected': '$aws/events/presence/connected/#',
  'session.created': '$aws/events/presence/connected/#',
  'client.disconnected': '$aws/events/presence/disconnected/#',
  'session.subscribed': '$aws/events/subscriptions/subscribed/#',
  'session.unsubscribed': '$aws/events/subscriptions/unsubscribed/#',
} as const satisfies Partial<Record<HookName, string>>
export const LIFECYCLE_SELECT = '*'

/** Clients acknowledge a message by publishing to `acked/<clientid>`. */
export const ACK_TOPIC_PREFIX = 'acked/'
export const ACK_SELECT = "topic() AS topic, clientid() AS clientid, timestamp() AS timestamp, encode(*, 'base64') AS payload"

export const PUBLISH_SELECT = [
  'topic() AS topic',
  'clientid() AS clientid',
  'timestamp() AS timestamp',
  'traceid() AS traceid',
  'newuuid() AS uuid',
  "encode(*, 'base64') AS payload",
  'get_user_properties() AS user_properties',
  "get_mqtt_property('content_type') AS content_type",
  "get_mqtt_property('format_indicator') AS format_indicator",
  "get_mqtt_property('response_topic') AS response_topic",
  "get_mqtt_property('correlation_data') AS correlation_data",
].join(', ')

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

/** A publish as the rule saw it: QoS and RETAIN are not visible to rules. */
export interface Publish {
  readonly topic: string
  /** Publishing client, `n/a` for HTTP publishes. */
  readonly sender: string
  readonly at: number
  /** It was published at `at` or earlier: redriven from a rule error, which does not tell the time. */
  readonly timeInDoubt?: boolean
  /** UUID of the publish: `traceid()`, or `newuuid()` where the platform gave none. */
  readonly uuid: string
  readonly payload: Buffer
  readonly properties: MessageProperties
}

export interface AckEvent {
  readonly clientid: string
  readonly at: number
  readonly acks: readonly { readonly msgid: string; readonly topic?: string }[]
}

/** What `clientid()` yields where no MQTT client published (HTTP). */
export const NO_CLIENT = 'n/a'
/** IoT Core reports at most 8 filters an event, and takes 50 subscriptions a connection. */
const MAX_FILTERS = 50
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The first value of an MQTT 5 user property. */
export const userProperty = (publish: Publish, name: string): string | undefined =>
  publish.properties.user.find(([key]) => key === name)?.[1]

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

/** What {@link PUBLISH_SELECT} selected. @throws BackendError `bad-event` */
export function parsePublish(event: unknown): Publish {
  const fields = fieldsOf(event)
  return {
    topic: topicField(fields),
    sender: isMissing(fields.clientid) ? NO_CLIENT : clientIdField(fields, 'clientid'),
    at: timeField(fields, 'timestamp'),
    ...(fields.time_in_doubt === true ? { timeInDoubt: true } : {}),
    uuid: uuidOf(fields),
    payload: base64Field(fields, 'payload'),
    properties: parseProperties(fields),
  }
}

/**
 * What {@link ACK_SELECT} selected. The payload is `{"msgid": "...", "topic": "..."?}`, a JSON string, a JSON array of these,
 * or the bare msgid. Only the client itself may acknowledge: the client id in the topic must be the publisher's, unless
 * that is unknown (HTTP publish), where IAM has decided who may publish to the ack topic.
 * @throws BackendError `bad-event`
 */
export function parseAck(event: unknown): AckEvent {
  const fields = fieldsOf(event)
  const topic = topicField(fields)
  if (!topic.startsWith(ACK_TOPIC_PREFIX)) throw badEvent('topic', topic, `${ACK_TOPIC_PREFIX}<clientid>`)
  const clientid = clientIdField({ 'clientid in topic': topic.slice(ACK_TOPIC_PREFIX.length) }, 'clientid in topic')
  const publisher = clientIdField(fields, 'clientid')
  if (publisher !== NO_CLIENT && publisher !== clientid) {
    throw badEvent('clientid', publisher, `the client of the ack topic, ${JSON.stringify(clientid)}: a client acknowledges only for itself`)
  }
  return { clientid, at: timeField(fields, 'timestamp'), acks: acksIn(base64Field(fields, 'payload').toString()) }
}

/** Each throws BackendError `bad-event` on an event that the hook will never handle. */
export const EVENT_PARSERS: Readonly<Record<HookName, (event: unknown) => unknown>> = {
  'client.connected': parseConnected,
  'session.created': parseConnected,
  'client.disconnected': parseDisconnected,
  'session.subscribed': parseSubscriptionChange,
  'session.unsubscribed': parseSubscriptionChange,
  'message.publish': parsePublish,
  'message.acked': parseAck,
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

function topicField(fields: Fields): string {
  const topic = textField(fields, 'topic')
  checkTopic('topic', topic, 'a topic name', checkTopicName)
  return topic
}

/** `traceid()` is the same for every rule that saw the publish; HTTP publishes have none. */
function uuidOf(fields: Fields): string {
  const uuid = [fields.traceid, fields.uuid].find((id): id is string => typeof id === 'string' && UUID.test(id))
  if (uuid === undefined) throw badEvent('uuid', fields.uuid, `a UUID (and traceid is ${described(fields.traceid)})`)
  return uuid.toLowerCase()
}
