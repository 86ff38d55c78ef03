/** A message as `mqtt_msg` and `mqtt_retain` keep it: the page's seven attributes and ours. */

import { type MessageProperties, NO_CLIENT, type Publish, userProperty } from '../events/publish-events.ts'
import { msgidOf } from '../msgid.ts'
import { topicNameFault } from '../topic.ts'

export interface Message {
  readonly msgid: string
  readonly topic: string
  readonly sender: string
  readonly qos: number
  readonly retain: 0 | 1
  readonly payload: Buffer
  /** Seconds, as on the page. */
  readonly arrived: number
  readonly properties: MessageProperties
  /** Seconds; absent: never. */
  readonly expiresAt?: number
}

/** Whether a publish was retained, which rules cannot see. */
export interface RetainFlag {
  /** The publish became the topic's retained message, or cleared it. */
  readonly retained: boolean
  /** An empty retained publish: it deletes the retained message and is no message itself. */
  readonly cleared: boolean
  /** `cleared` was inferred: IoT Core had no retained message, our table had this one (the publish's own id: an earlier try cleared it). */
  readonly inferredFrom?: string | undefined
  /** An empty publish on a topic without a retained message: it may have cleared one, or was not retained. */
  readonly mayHaveCleared?: true
  /** An earlier try of the event stored the message as retained, and another publish has cleared it since. */
  readonly wasCleared?: true
  /** The QoS of the publish, where IoT Core told it. */
  readonly qos?: number
}
export const NOT_RETAINED: RetainFlag = { retained: false, cleared: false }

/** All values come from the event: a retried event writes the same bytes. */
export function messageOf(publish: Publish, options: { qos: number; retained: boolean; expiredAfter?: number | undefined }): Message {
  const arrived = Math.floor(publish.at / 1000)
  const lifetimes = [options.expiredAfter, expiryOf(publish)].filter((lifetime) => lifetime !== undefined)
  return {
    msgid: msgidOf(publish),
    topic: publish.topic,
    sender: publish.sender,
    qos: options.qos,
    retain: options.retained ? 1 : 0,
    payload: publish.payload,
    arrived,
    properties: publish.properties,
    ...(lifetimes.length === 0 ? {} : { expiresAt: arrived + Math.min(...lifetimes) }),
  }
}

/**
 * Seconds, by the MQTT 5 user property `expiry`: rules cannot see the Message Expiry Interval, whose range it has [MQTT-3.3.2.3.3].
 * `undefined`: none, or one that is no such number.
 */
export function expiryOf({ properties }: Pick<Message, 'properties'>): number | undefined {
  const said = userProperty({ properties }, 'expiry')
  return said !== undefined && isExpiry(said) ? Number(said) : undefined
}

const isExpiry = (text: string): boolean => /^\d{1,10}$/.test(text) && Number(text) <= 4_294_967_295
const isQos = (text: string): boolean => /^[012]$/.test(text)

/** What is wrong with the publish's user properties of ours; they are passed over. */
export function propertyFaults(publish: Publish): string[] {
  const [qos, expiry] = ['qos', 'expiry'].map((name) => userProperty(publish, name))
  const receipt = receiptFault(publish)
  return [
    ...(qos === undefined || isQos(qos) ? [] : [`user property qos is ${JSON.stringify(qos.slice(0, 20))}, wanted 0, 1 or 2`]),
    ...(expiry === undefined || isExpiry(expiry)
      ? []
      : [`user property expiry is ${JSON.stringify(expiry.slice(0, 20))}, wanted seconds from 0 to 4294967295`]),
    ...(receipt === undefined ? [] : [receipt]),
  ]
}

/**
 * QoS of a publish, which rules cannot see: the MQTT 5 user property `qos`, else what IoT Core tells of a retained message,
 * else the row's `"qos"`, else 1.
 */
export function qosOf(publish: Publish, row: { qos?: number } | undefined, flag: RetainFlag): number {
  const said = userProperty(publish, 'qos')
  return said !== undefined && isQos(said) ? Number(said) : (flag.qos ?? row?.qos ?? 1)
}

/** `now` in milliseconds. */
export const hasExpired = (message: Message, now: number): boolean => message.expiresAt !== undefined && message.expiresAt * 1000 <= now

/** Limits of a topic in IoT Core (AWS IoT Core quotas, "Topic size limit" and "Maximum number of slashes"). */
const MAX_TOPIC_BYTES = 256
const MAX_SLASHES = 7

type Asking = Pick<Publish, 'properties'>

/** Whether the message's sender wants a receipt and can be sent one: a publish over HTTP has no client to answer. */
export const asksForReceipt = (message: Pick<Publish, 'properties' | 'sender'>): boolean =>
  userProperty(message, 'receipt') === '1' && message.sender !== NO_CLIENT && receiptFault(message) === undefined

/** Why a publish that has the property gets no receipt; `undefined`: it has none, or it is right. */
function receiptFault(message: Asking): string | undefined {
  const said = userProperty(message, 'receipt')
  if (said === undefined) return undefined
  if (said !== '1') return `user property receipt is ${JSON.stringify(said.slice(0, 20))}, wanted 1`
  const fault = responseTopicFault(message.properties.responseTopic)
  return fault === undefined ? undefined : `user property receipt is 1, but its response topic is no use: ${fault}`
}

function responseTopicFault(topic: string | undefined): string | undefined {
  if (topic === undefined) return 'there is none'
  const fault = topicNameFault(topic)
  if (fault !== undefined) return fault
  // Nothing is ever sent to a topic that starts with $ (I8).
  if (topic.startsWith('$')) return 'it starts with "$"'
  const bytes = Buffer.byteLength(topic)
  if (bytes > MAX_TOPIC_BYTES) return `${bytes} bytes, wanted at most ${MAX_TOPIC_BYTES}`
  const slashes = topic.split('/').length - 1
  return slashes > MAX_SLASHES ? `${slashes} slashes, wanted at most ${MAX_SLASHES}` : undefined
}
