/**
 * The events that IoT rules put on the hooks' queues: what each rule SELECTs, beside the parser of what it selected.
 * Lifecycle events: AWS IoT developer guide, "Lifecycle events".
 */
import type { BackendError } from './errors.ts'
import type { HookName } from './hooks.ts'

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
  /** 1 to 8 topic filters as the client sent them. */
  readonly topics: readonly string[]
}

export interface MessageProperties {
  /** In the order sent; a key may repeat. */
  readonly user: readonly (readonly [key: string, value: string])[]
  readonly contentType?: string
  readonly payloadFormat?: string
  readonly responseTopic?: string
  readonly correlationData?: string
}

/** A publish as the rule saw it: QoS and RETAIN are not visible to rules. */
export interface Publish {
  readonly topic: string
  /** Publishing client, `n/a` for HTTP publishes. */
  readonly sender: string
  readonly at: number
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
export type { BackendError }
