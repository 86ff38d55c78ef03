/** What the queues of hooks that deliver bring: the hook's own events, and delivery requests. */

import {
  badEvent,
  base64Field,
  countField,
  type Fields,
  fieldsOf,
  sessionField,
  textField,
  timeField,
  topicField,
} from '../events/fields.ts'
import { type Connected, parseConnected, parseSubscriptionChange, type SubscriptionChange } from '../events/lifecycle-events.ts'
import type { MessageProperties } from '../events/publish-events.ts'
import { isMsgid } from '../msgid.ts'
import type { DeliveryRequest, GoesOn, Named } from './delivery-request.ts'
import type { Message } from './message.ts'

/** `undefined`: it is none. @throws BackendError `bad-event` */
function parseDeliveryRequest(body: unknown): DeliveryRequest | undefined {
  const { deliver } = fieldsOf(body)
  if (deliver === undefined) return undefined
  const fields = fieldsOf(deliver, 'deliver')
  const topic = topicField(fields)
  if (fields.unqueued !== undefined) return { topic, queued: [], unqueued: unqueuedOf(topic, fieldsOf(fields.unqueued, 'unqueued')) }
  if (fields.goesOn !== undefined) return { topic, queued: [], goesOn: goesOnOf(fieldsOf(fields.goesOn, 'goesOn')) }
  if (!Array.isArray(fields.queued)) throw badEvent('queued', fields.queued, 'an array of messages')
  return { topic, queued: fields.queued.map((one: unknown) => namedOf(fieldsOf(one, 'queued'))) }
}

export const parseConnectedOrRequest = (body: unknown): Connected | DeliveryRequest => parseDeliveryRequest(body) ?? parseConnected(body)
export const parseSubscribedOrRequest = (body: unknown): SubscriptionChange | DeliveryRequest =>
  parseDeliveryRequest(body) ?? parseSubscriptionChange(body)

function namedOf(fields: Fields): Named {
  return { msgid: msgidField(fields), seq: countField(fields, 'seq'), repeated: fields.repeated === true }
}

function goesOnOf(fields: Fields): GoesOn {
  const left = fields.left === undefined ? {} : { left: countField(fields, 'left') }
  const at = timeField(fields, 'at')
  return fields.seat === undefined ? { at, ...left } : { at, ...left, seat: seatOf(fieldsOf(fields.seat, 'seat')) }
}

function seatOf(fields: Fields): GoesOn['seat'] {
  const { entry } = fields
  // It may contain U+0000, between client id and filter.
  if (typeof entry !== 'string' || entry === '') throw badEvent('entry', entry, 'a non-empty string')
  const spill = fields.spill === undefined ? {} : { spill: countField(fields, 'spill') }
  return { entry, session: sessionField(fields, 'session'), since: timeField(fields, 'since'), ...spill }
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
