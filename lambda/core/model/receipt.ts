/** Receipts: a sender that sets the MQTT 5 user property `receipt` = 1 and a response topic is told who acknowledged its message. */
import { NO_CLIENT, type Publish, userProperty } from '../events/publish-events.ts'
import { topicNameFault } from '../topic.ts'

/** An acknowledgement of one message, as we saw it. */
export interface Puback {
  /** Milliseconds. */
  readonly at: number
  /** Whether the message's sender wants a receipt. */
  readonly asked: boolean
}

/** Limits of a topic in IoT Core (AWS IoT Core quotas, "Topic size limit" and "Maximum number of slashes"). */
const MAX_TOPIC_BYTES = 256
const MAX_SLASHES = 7

type Asking = Pick<Publish, 'properties'>

/** Whether the message's sender wants a receipt and can be sent one: a publish over HTTP has no client to answer. */
export const asksForReceipt = (message: Pick<Publish, 'properties' | 'sender'>): boolean =>
  userProperty(message, 'receipt') === '1' && message.sender !== NO_CLIENT && receiptFault(message) === undefined

/** Why a publish that has the property gets no receipt; `undefined`: it has none, or it is right. */
export function receiptFault(message: Asking): string | undefined {
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
