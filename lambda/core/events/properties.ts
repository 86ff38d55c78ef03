/** MQTT 5 properties as `get_mqtt_property()` and `get_user_properties()` put them into a publish event. */

import { badEvent, type Fields, fieldsOf, isMissing, mqttText, optionalText } from './fields.ts'

export interface MessageProperties {
  /** In the order sent; a key may repeat. */
  readonly user: readonly (readonly [key: string, value: string])[]
  readonly contentType?: string
  readonly payloadFormat?: string
  readonly responseTopic?: string
  readonly correlationData?: string
}

/** @throws BackendError `bad-event` */
export function parseProperties(fields: Fields): MessageProperties {
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
