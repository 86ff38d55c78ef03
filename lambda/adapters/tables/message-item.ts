/** A message as an item of `mqtt_msg` or `mqtt_retain`: the page's seven attributes, MQTT 5 properties and expiry beside them. */
import { isUtf8 } from 'node:buffer'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { MessageProperties } from '../../core/events/publish-events.ts'
import type { Message } from '../../core/model/message.ts'
import { type Item, N, number, S, text } from './attributes.ts'

export function itemOfMessage(message: Message): Item {
  return {
    msgid: S(message.msgid),
    topic: S(message.topic),
    sender: S(message.sender),
    qos: N(message.qos),
    retain: N(message.retain),
    payload: payloadValue(message.payload),
    arrived: N(message.arrived),
    ...propertyAttributes(message.properties),
    ...(message.expiresAt === undefined ? {} : { expires_at: N(message.expiresAt) }),
  }
}

export function messageOfItem(item: Item): Message {
  const expiresAt = number(item.expires_at)
  return {
    msgid: text(item.msgid) ?? '',
    topic: text(item.topic) ?? '',
    sender: text(item.sender) ?? '',
    qos: number(item.qos) ?? 1,
    retain: number(item.retain) === 1 ? 1 : 0,
    payload: payloadOf(item.payload),
    arrived: number(item.arrived) ?? 0,
    properties: propertiesOfItem(item),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** S, as on the page, where the bytes are UTF-8, else B. EMQX always wrote S, which destroys other bytes. */
const payloadValue = (payload: Buffer): AttributeValue => (isUtf8(payload) ? S(payload.toString('utf8')) : { B: payload })

const payloadOf = (value: AttributeValue | undefined): Buffer =>
  value?.B === undefined ? Buffer.from(value?.S ?? '', 'utf8') : Buffer.from(value.B)

const PROPERTY_ATTRIBUTES = {
  content_type: 'contentType',
  payload_format: 'payloadFormat',
  response_topic: 'responseTopic',
  correlation_data: 'correlationData',
} as const

function propertyAttributes(properties: MessageProperties): Item {
  const item: Item = {}
  for (const [attribute, property] of Object.entries(PROPERTY_ATTRIBUTES)) {
    const value = properties[property]
    if (value !== undefined) item[attribute] = S(value)
  }
  if (properties.user.length > 0) item.user_properties = { L: properties.user.map(([key, value]) => ({ L: [S(key), S(value)] })) }
  return item
}

function propertiesOfItem(item: Item): MessageProperties {
  const user = (item.user_properties?.L ?? []).map(({ L: pair }) => [text(pair?.[0]) ?? '', text(pair?.[1]) ?? ''] as const)
  const properties: { -readonly [K in keyof MessageProperties]: MessageProperties[K] } = { user }
  for (const [attribute, property] of Object.entries(PROPERTY_ATTRIBUTES)) {
    const value = text(item[attribute])
    if (value !== undefined) properties[property] = value
  }
  return properties
}
