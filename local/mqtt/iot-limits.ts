/** What AWS IoT Core refuses of topics, filters and client ids (quota page: message broker and protocol limits). */
import { BackendError } from '../../lambda/core/errors.ts'
import { checkTopicFilter, checkTopicName, hasWildcard, stringFault } from '../../lambda/core/topic.ts'

export const MAX_PAYLOAD_BYTES = 128 * 1024
const MAX_TOPIC_BYTES = 256
const MAX_SLASHES = 7
const MAX_CLIENT_ID_BYTES = 128
export const MAX_SUBSCRIPTIONS = 50
/** Filters of one SUBSCRIBE. */
export const MAX_FILTERS = 8
/** Unacknowledged QoS 1 messages a connection, in each direction. */
export const MAX_IN_FLIGHT = 100
/** Publishes a second to a connection, and as many from it. */
export const MAX_PUBLISHES_PER_SECOND = 100
/** To a connection, and from it. What exceeds it is delayed. */
export const MAX_BYTES_PER_SECOND = 512 * 1024
/** Messages of a persistent session a second, once its client is back. */
export const REPLAYED_PER_SECOND = 10
/** Messages that are stored for clients that are away, a second, of an account. */
export const MAX_STORED_PER_SECOND = 500
export const MAX_KEEP_ALIVE_SECONDS = 1200
/** Topic aliases of a connection, in each direction. */
export const MAX_TOPIC_ALIASES = 8
export const DEFAULT_SESSION_SECONDS = 3600
/** The quota that an account has unless AWS raises it (to 7 days at most); a longer Session Expiry Interval is cut to it. */
export const MAX_SESSION_SECONDS = 3600
/** A longer Message Expiry Interval is cut to it (developer guide, "Message expiry"). */
export const MAX_EXPIRY_SECONDS = 7 * 24 * 3600
/** Characters of a share group's name. */
const MAX_SHARE_NAME = 128

/** @throws BackendError `bad-topic-name` where a client may not publish: too long, too deep, a wildcard, or reserved. */
export function checkPublishTopic(topic: string): void {
  checkTopicName(topic)
  checkSize('bad-topic-name', 'topic name', topic)
  if (topic.startsWith('$')) throw new BackendError('bad-topic-name', 'bad topic name: it starts with $, wanted one that is not reserved')
}

/** @throws BackendError `bad-topic-filter` where a client may not subscribe. */
export function checkSubscribeFilter(filter: string): void {
  checkTopicFilter(filter)
  const { filter: plain, group = '' } = splitShare(filter)
  if (group.length > MAX_SHARE_NAME)
    throw new BackendError(
      'bad-topic-filter',
      `bad topic filter: a share group of ${group.length} characters, wanted at most ${MAX_SHARE_NAME}`,
    )
  checkSize('bad-topic-filter', 'topic filter', plain)
  if (plain.startsWith('$') && !plain.startsWith('$aws/events/'))
    throw new BackendError('bad-topic-filter', 'bad topic filter: it starts with $, wanted $aws/events/... or one that is not reserved')
}

/** @throws BackendError `bad-client-id` */
export function checkClientId(id: string): void {
  const fault = clientIdFault(id)
  if (fault) throw new BackendError('bad-client-id', `bad client id: ${fault}`)
}

function clientIdFault(id: string): string | undefined {
  if (id === '') return 'it is empty'
  if (id.startsWith('$')) return 'it starts with $'
  const bytes = Buffer.byteLength(id)
  return bytes > MAX_CLIENT_ID_BYTES ? `${bytes} bytes, wanted at most ${MAX_CLIENT_ID_BYTES}` : stringFault(id)
}

function checkSize(code: string, what: string, text: string): void {
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_TOPIC_BYTES) throw new BackendError(code, `bad ${what}: ${bytes} bytes, wanted at most ${MAX_TOPIC_BYTES}`)
  const slashes = text.split('/').length - 1
  if (slashes > MAX_SLASHES) throw new BackendError(code, `bad ${what}: ${slashes} slashes, wanted at most ${MAX_SLASHES}`)
}

/** `$share/<group>/<filter>`; EMQX's `$queue/` means nothing to IoT Core. */
export function splitShare(filter: string): { readonly filter: string; readonly group?: string } {
  const [, group, plain] = /^\$share\/([^/]+)\/(.+)$/s.exec(filter) ?? []
  return group !== undefined && plain !== undefined ? { filter: plain, group } : { filter }
}

/** A retained message is delivered for an exact filter only, never for a wildcard or a shared one. */
export const getsRetained = (filter: string): boolean => splitShare(filter).group === undefined && !hasWildcard(filter)

/** Client ids with # or + emit no lifecycle events (developer guide, "Lifecycle events"). */
export const emitsLifecycleEvents = (clientid: string): boolean => !/[#+]/.test(clientid)
