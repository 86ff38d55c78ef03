/** A message as `mqtt_msg` and `mqtt_retain` keep it: the page's seven attributes and ours. */
import { type Publish, userProperty } from '../events/events.ts'
import type { MessageProperties } from '../events/properties.ts'
import { msgidOf } from '../msgid.ts'

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

/** Whether the publish is the topic's retained message; `cleared`: an empty retained publish, which deletes it and is no message itself. */
export interface RetainFlag {
  readonly retained: boolean
  readonly cleared: boolean
  /** Inferred: IoT Core retains nothing, and our table had the message of this id. Another empty publish of about the time may have cleared it. */
  readonly knew?: string | undefined
  /** An empty publish that may have been sent with RETAIN or not: nothing is retained on the topic any more. */
  readonly mayHaveCleared?: true
  /** It was retained when an earlier try of its event put it there, and has been cleared meanwhile. */
  readonly wasCleared?: true
  /** The true QoS, where IoT Core told it. */
  readonly qos?: number
}
export const NOT_RETAINED: RetainFlag = { retained: false, cleared: false }

/** Everything comes from the event: a retried event writes the same bytes. */
export function messageOf(publish: Publish, options: { qos: number; retained: boolean; expiredAfter?: number | undefined }): Message {
  const arrived = Math.floor(publish.at / 1000)
  return {
    msgid: msgidOf(publish),
    topic: publish.topic,
    sender: publish.sender,
    qos: options.qos,
    retain: options.retained ? 1 : 0,
    payload: publish.payload,
    arrived,
    properties: publish.properties,
    ...(options.expiredAfter === undefined ? {} : { expiresAt: arrived + options.expiredAfter }),
  }
}

/**
 * QoS of a publish, which rules cannot see: IoT Core's word on a retained message, else the MQTT 5 user property `qos`,
 * else the row's `"qos"`, else 1.
 */
export function qosOf(publish: Publish, row: { qos?: number } | undefined, flag: RetainFlag): number {
  const said = userProperty(publish, 'qos')
  return flag.qos ?? (said !== undefined && /^[012]$/.test(said) ? Number(said) : (row?.qos ?? 1))
}

/** `now` in milliseconds. */
export const hasExpired = (message: Message, now: number): boolean => message.expiresAt !== undefined && message.expiresAt * 1000 <= now
