/** Publishes: what their rules SELECT, and how it is parsed. */
import {
  badEvent,
  base64Field,
  clientIdField,
  described,
  type Fields,
  fieldsOf,
  isMissing,
  mqttText,
  optionalText,
  timeField,
  topicField,
} from './fields.ts'

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

/** MQTT 5 properties as `get_mqtt_property()` and `get_user_properties()` put them into a publish event. */
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

/** @throws BackendError `bad-event` */
function parseProperties(fields: Fields): MessageProperties {
  const contentType = optionalText(fields, 'content_type')
  const payloadFormat = optionalText(fields, 'format_indicator')
  const responseTopic = optionalText(fields, 'response_topic')
  const correlationData = optionalText(fields, 'correlation_data')
  return {
    user: userPropertiesOf(fields.user_properties),
    ...(contentType === undefined ? {} : { contentType }),
    ...(payloadFormat === undefined ? {} : { payloadFormat }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
  }
}

function userPropertiesOf(properties: unknown): [string, string][] {
  if (isMissing(properties)) return []
  if (!Array.isArray(properties)) throw badEvent('user_properties', properties, 'an array of one-key objects')
  return properties.map((property: unknown, i) => {
    const field = `user_properties[${i}]`
    const [entry, ...more] = Object.entries(fieldsOf(property, field))
    if (entry === undefined || more.length > 0) throw badEvent(field, property, 'an object of one key')
    if (typeof entry[1] !== 'string') throw badEvent(`${field}'s value`, entry[1], 'a string')
    return [mqttText(`${field}'s key`, entry[0]), mqttText(`${field}'s value`, entry[1])]
  })
}
