/** Publishes: what their rules SELECT, and how it is parsed. */
import { badEvent, base64Field, clientIdField, described, type Fields, fieldsOf, isMissing, timeField, topicField } from './fields.ts'
import { type MessageProperties, parseProperties } from './properties.ts'

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

/** What `clientid()` yields where no MQTT client published (HTTP). */
export const NO_CLIENT = 'n/a'
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

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

/** The first value of an MQTT 5 user property. */
export const userProperty = ({ properties }: Pick<Publish, 'properties'>, name: string): string | undefined =>
  properties.user.find(([key]) => key === name)?.[1]

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

/** `traceid()` is the same for every rule that saw the publish; HTTP publishes have none. */
function uuidOf(fields: Fields): string {
  const uuid = [fields.traceid, fields.uuid].find((id): id is string => typeof id === 'string' && UUID.test(id))
  if (uuid === undefined) throw badEvent('uuid', fields.uuid, `a UUID (and traceid is ${described(fields.traceid)})`)
  return uuid.toLowerCase()
}
