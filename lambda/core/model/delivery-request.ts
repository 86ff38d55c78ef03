/**
 * What a publish requests of the function that delivers: storing never waits for delivering (I15). It is a message of that function's queue.
 *
 * {deliver: {topic, queued: [{msgid, seq, repeated}]}}   messages of the topic's queue, oldest first
 * {deliver: {topic, unqueued: {...}}}                    a message that is on no queue, whole; its payload in base64
 */
import { badEvent, base64Field, countField, type Fields, fieldsOf, textField, topicField } from '../events/fields.ts'
import { type Connected, parseConnected, parseSubscriptionChange, type SubscriptionChange } from '../events/lifecycle-events.ts'
import type { MessageProperties } from '../events/properties.ts'
import { isMsgid } from '../msgid.ts'
import type { Message } from './message.ts'

/** A message that was named on its topic's queue. */
export interface Named {
  readonly msgid: string
  /** Number of the head that named it: it can only move to that segment. */
  readonly seq: number
  /** A repeated event stored it, or may have: the queue may name it twice. */
  readonly repeated: boolean
}

export interface DeliveryRequest {
  readonly topic: string
  readonly queued: readonly Named[]
  readonly unqueued?: Message | undefined
}

export function deliveryRequestBody({ topic, queued, unqueued }: DeliveryRequest): object {
  if (unqueued === undefined) return { deliver: { topic, queued } }
  return { deliver: { topic, unqueued: { ...unqueued, payload: unqueued.payload.toString('base64') } } }
}

/** `undefined`: it is none. @throws BackendError `bad-event` */
function parseDeliveryRequest(body: unknown): DeliveryRequest | undefined {
  const { deliver } = fieldsOf(body)
  if (deliver === undefined) return undefined
  const fields = fieldsOf(deliver, 'deliver')
  const topic = topicField(fields)
  if (fields.unqueued !== undefined) return { topic, queued: [], unqueued: unqueuedOf(topic, fieldsOf(fields.unqueued, 'unqueued')) }
  if (!Array.isArray(fields.queued)) throw badEvent('queued', fields.queued, 'an array of messages')
  return { topic, queued: fields.queued.map((one: unknown) => namedOf(fieldsOf(one, 'queued'))) }
}

/** The bodies in the queues of hooks that deliver: the hook's own events, and delivery requests. */
export const parseConnectedOrRequest = (body: unknown): Connected | DeliveryRequest => parseDeliveryRequest(body) ?? parseConnected(body)
export const parseSubscribedOrRequest = (body: unknown): SubscriptionChange | DeliveryRequest =>
  parseDeliveryRequest(body) ?? parseSubscriptionChange(body)

function namedOf(fields: Fields): Named {
  return { msgid: msgidField(fields), seq: countField(fields, 'seq'), repeated: fields.repeated === true }
}

function msgidField(fields: Fields): string {
  const msgid = textField(fields, 'msgid')
  if (!isMsgid(msgid)) throw badEvent('msgid', msgid, 'a msgid')
  return msgid
}

function unqueuedOf(topic: string, fields: Fields): Message {
  return {
    msgid: msgidField(fields),
    topic,
    sender: textField(fields, 'sender'),
    qos: countField(fields, 'qos'),
    retain: fields.retain === 1 ? 1 : 0,
    payload: base64Field(fields, 'payload'),
    arrived: countField(fields, 'arrived'),
    // As this module wrote them: the publish's own event was checked.
    properties: fieldsOf(fields.properties, 'properties') as unknown as MessageProperties,
    ...(fields.expiresAt === undefined ? {} : { expiresAt: countField(fields, 'expiresAt') }),
  }
}
