/** A message as `mqtt_msg` and `mqtt_retain` keep it: the page's seven attributes and ours. */

import type { MessageProperties } from '../events/properties.ts'
import { type Publish, userProperty } from '../events/publish-events.ts'
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
 * QoS of a publish, which rules cannot see: what IoT Core tells of a retained message, else the MQTT 5 user property `qos`,
 * else the row's `"qos"`, else 1.
 */
export function qosOf(publish: Publish, row: { qos?: number } | undefined, flag: RetainFlag): number {
  const said = userProperty(publish, 'qos')
  return flag.qos ?? (said !== undefined && /^[012]$/.test(said) ? Number(said) : (row?.qos ?? 1))
}

/** `now` in milliseconds. */
export const hasExpired = (message: Message, now: number): boolean => message.expiresAt !== undefined && message.expiresAt * 1000 <= now
