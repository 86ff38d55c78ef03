/** `backend.dynamo.durable.prefix`: levels of a topic that end in `/`, as an IoT rule's statement can say them. */
import { ACK_TOPIC_PREFIX } from '../../lambda/core/events/ack-events.ts'
import { stringFault } from '../../lambda/core/topic.ts'

/** IoT Core takes topics of 256 bytes: enough must be left for the topic itself. */
const MAX_BYTES = 64
/** And of 7 slashes: with as many in the prefix a topic has none. */
const MAX_SLASHES = 7
const WANTED = 'wanted whole levels such as durable/, or nothing: no durable subscriptions'

/** What is wrong with the prefix, if anything is. */
export function prefixFault(prefix: string): string | undefined {
  if (prefix === '') return undefined
  const bytes = Buffer.byteLength(prefix)
  if (bytes > MAX_BYTES) return `has ${bytes} bytes, wanted at most ${MAX_BYTES}`
  const slashes = prefix.split('/').length - 1
  if (slashes > MAX_SLASHES) return `has ${slashes} slashes, wanted at most ${MAX_SLASHES}, as IoT Core's topics have`
  if (!prefix.endsWith('/') || prefix.startsWith('/')) return `is no prefix of topics: ${WANTED}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused here
  const bad = /[+#$'\\\u0000-\u001f\u007f]/.exec(prefix)?.[0] ?? stringFault(prefix)
  if (bad !== undefined) return `has ${JSON.stringify(bad)}, ${WANTED}`
  if (prefix.startsWith(ACK_TOPIC_PREFIX)) return `is below ${ACK_TOPIC_PREFIX}, where acknowledgements are published, ${WANTED}`
  return undefined
}
