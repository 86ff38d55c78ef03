/** What a client may publish to its ack topic: `{"msgid": "...", "topic": "..."?}`, a JSON string, an array of these, or the bare msgid. */

import { decodeMsgid } from '../msgid.ts'
import { checkTopicName } from '../topic.ts'
import { badEvent, checkField, type Fields, fieldsOf, isMissing } from './fields.ts'

export interface Ack {
  readonly msgid: string
  /** Topic of the acknowledged message, where the client says it. */
  readonly topic?: string
}

/** Each ack takes a few calls to DynamoDB, and the other events of the batch need time too. */
const MAX_ACKS = 1000

/** @throws BackendError `bad-event` */
export function acksIn(payload: string): Ack[] {
  const said = jsonOr(payload, payload.trim())
  if (!Array.isArray(said)) return [ackOf(said, 'payload')]
  if (said.length === 0 || said.length > MAX_ACKS) throw badEvent('payload', said, `1 to ${MAX_ACKS} acks`)
  return [...new Map(said.map((ack, i) => ackOf(ack, `payload[${i}]`)).map((ack) => [`${ack.msgid} ${ack.topic}`, ack])).values()]
}

function ackOf(said: unknown, field: string): Ack {
  const fields = typeof said === 'string' ? { msgid: said } : fieldsOf(said, field)
  const { msgid, topic } = fields as Fields
  if (typeof msgid !== 'string') throw badEvent(`${field}.msgid`, msgid, 'a message id')
  checkField(`${field}.msgid`, msgid, 'a message id', decodeMsgid)
  if (isMissing(topic)) return { msgid }
  if (typeof topic !== 'string') throw badEvent(`${field}.topic`, topic, 'a topic name or nothing')
  checkField(`${field}.topic`, topic, 'a topic name', checkTopicName)
  return { msgid, topic }
}

function jsonOr(text: string, otherwise: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return otherwise
  }
}
