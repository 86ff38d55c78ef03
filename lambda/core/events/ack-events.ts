/** Acknowledgements that clients publish to their ack topic: what the rule SELECTs, and how it is parsed. */

import { BackendError } from '../errors.ts'
import { REFUSED_CODE } from '../metrics.ts'
import { decodeMsgid } from '../msgid.ts'
import { checkTopicName } from '../topic.ts'
import {
  badEvent,
  base64Field,
  checkField,
  clientIdField,
  type Fields,
  fieldsOf,
  isMissing,
  optionalText,
  timeField,
  topicField,
} from './fields.ts'
import { NO_CLIENT } from './publish-events.ts'

/** Clients acknowledge a message by publishing to `acked/<clientid>`. */
export const ACK_TOPIC_PREFIX = 'acked/'
export const ACK_SELECT =
  "topic() AS topic, clientid() AS clientid, traceid() AS traceid, timestamp() AS timestamp, encode(*, 'base64') AS payload"

export interface AckEvent {
  readonly clientid: string
  readonly at: number
  readonly acks: readonly Ack[]
}

export interface Ack {
  readonly msgid: string
  /** Topic of the acknowledged message, where the client says it. */
  readonly topic?: string
}

/** What one event may ask for: its reads fit into one BatchGetItem, and its memory into the smallest function. */
const MAX_ACKS = 100

/**
 * What {@link ACK_SELECT} selected. The payload is `{"msgid": "...", "topic": "..."?}`, a JSON string, a JSON array of up to 100 of these,
 * or the bare msgid. Only the client itself may acknowledge: the client id in the topic must be the publisher's, unless the publish came over
 * HTTP, where IAM has decided who may publish to the ack topic.
 * @throws BackendError `bad-ack` for what a client can cause, `bad-event` for what only a rule can
 */
export function parseAck(event: unknown): AckEvent {
  const fields = fieldsOf(event)
  const topic = topicField(fields)
  if (!topic.startsWith(ACK_TOPIC_PREFIX)) throw badEvent('topic', topic, `${ACK_TOPIC_PREFIX}<clientid>`)
  const at = timeField(fields, 'timestamp')
  const publisher = clientIdField(fields, 'clientid')
  const overHttp = publisher === NO_CLIENT && optionalText(fields, 'traceid') === undefined
  const payload = base64Field(fields, 'payload').toString()
  return saidByClient(() => {
    const clientid = clientIdField({ 'clientid in topic': topic.slice(ACK_TOPIC_PREFIX.length) }, 'clientid in topic')
    if (!overHttp && publisher !== clientid) {
      throw badEvent(
        'clientid',
        publisher,
        `the client of the ack topic, ${JSON.stringify(clientid)}: a client acknowledges only for itself`,
      )
    }
    return { clientid, at, acks: acksIn(payload) }
  })
}

/** A client may publish anything to its ack topic. What is wrong there is refused, and is no fault of the backend. */
function saidByClient<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    throw new BackendError(REFUSED_CODE, error.message.replace(/^bad event: /, 'bad ack: '))
  }
}

function acksIn(payload: string): Ack[] {
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
