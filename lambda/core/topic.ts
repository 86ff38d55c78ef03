/** Topic names and topic filters (MQTT 3.1.1, section 4.7), and the rows of server-side wildcard subscriptions. */
import { BackendError } from './errors.ts'

const MAX_BYTES = 65_535
/** With the `u` flag a surrogate matches only where it is unpaired. */
const LONE_SURROGATE = /\p{Surrogate}/u
const SHARE = /^\$share\/([^/]*)\/(.*)$/s
const QUEUE_PREFIX = '$queue/'

/** Whether a topic name matches a filter without `$share/` prefix ({@link parseSubscription} strips it). */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  // [MQTT-4.7.2-1] a filter that starts with a wildcard never matches a topic that starts with $
  if (topic.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+')) return false
  for (const [i, level] of wanted.entries()) {
    // [MQTT-4.7.1-2] `#` matches the parent level too: `a/#` matches `a`
    if (level === '#') return true
    if (i >= levels.length) return false
    if (level !== '+' && level !== levels[i]) return false
  }
  return wanted.length === levels.length
}

/**
 * @throws BackendError `bad-topic-name` saying what is wrong where.
 */
export function checkTopicName(topic: string): void {
  const fault = topicNameFault(topic)
  if (fault) throw new BackendError('bad-topic-name', `bad topic name: ${fault}`)
}

/** What is wrong with a topic name, and where; `undefined`: nothing. */
export function topicNameFault(topic: string): string | undefined {
  const fault = textFault(topic)
  if (fault !== undefined) return fault
  // [MQTT-3.3.2-2] no wildcards in the topic of a PUBLISH
  const wildcard = topic.search(/[+#]/)
  return wildcard >= 0 ? `a wildcard at character ${wildcard + 1}, wanted a plain name` : undefined
}

/**
 * A filter as a client may subscribe to it, with or without `$share/<group>/` or `$queue/`.
 * @throws BackendError `bad-topic-filter` saying what is wrong where.
 */
export function checkTopicFilter(filter: string): void {
  const fault = filterFault(filter)
  if (fault) throw new BackendError('bad-topic-filter', `bad topic filter: ${fault}`)
}

/** What is wrong with a filter, and where; `undefined`: nothing. */
export const filterFault = (filter: string): string | undefined =>
  textFault(filter) ?? shareFault(filter) ?? levelFault(parseSubscription(filter).filter)

/** [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-1.5.3-1] and [MQTT-4.7.3-3] of names and filters alike. */
const textFault = (text: string): string | undefined => (text === '' ? 'it is empty, wanted at least one character' : stringFault(text))

/** What is wrong with a string that MQTT is to carry, if anything is [MQTT-1.5.3-1], [MQTT-1.5.3-2]. */
export function stringFault(text: string): string | undefined {
  const zero = text.indexOf('\0')
  if (zero >= 0) return `U+0000 at character ${zero + 1}`
  const surrogate = text.search(LONE_SURROGATE)
  if (surrogate >= 0) return `an unpaired surrogate at character ${surrogate + 1}, wanted text that UTF-8 can encode`
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_BYTES) return `${bytes} bytes, wanted at most ${MAX_BYTES}`
  return undefined
}

/** MQTT 5, section 4.8.2: `$share/{ShareName}/{filter}`. */
function shareFault(filter: string): string | undefined {
  if (filter === QUEUE_PREFIX) return 'nothing after "$queue/", wanted a filter'
  if (filter !== '$share' && !filter.startsWith('$share/')) return undefined
  const [, group, rest] = SHARE.exec(filter) ?? []
  if (group === undefined) return 'a shared subscription without a filter, wanted $share/<group>/<filter>'
  if (group === '') return 'an empty share group, wanted $share/<group>/<filter>'
  if (/[+#]/.test(group)) return `the share group "${group}", wanted one without wildcards`
  if (rest === '') return `nothing after "$share/${group}/", wanted a filter`
  return undefined
}

/** [MQTT-4.7.1-2], [MQTT-4.7.1-3]: a wildcard is a whole level, and `#` the last one. */
function levelFault(filter: string): string | undefined {
  const levels = filter.split('/')
  for (const [i, level] of levels.entries()) {
    if (level === '#' && i < levels.length - 1) return `"#" as level ${i + 1} of ${levels.length}, wanted it last`
    if (level.length > 1 && /[+#]/.test(level)) return `level ${i + 1} is "${level}", wanted a wildcard to be a whole level`
  }
  return undefined
}

/**
 * What a subscription listens to, without the prefix that makes it shared: EMQX strips `$share/<group>/` and its own older
 * `$queue/` (one group, reported as `$queue`) before its hooks run.
 */
export function parseSubscription(filter: string): { readonly filter: string; readonly share?: string } {
  if (filter.startsWith(QUEUE_PREFIX)) return { filter: filter.slice(QUEUE_PREFIX.length), share: '$queue' }
  const [, share, rest] = SHARE.exec(filter) ?? []
  return share && rest ? { filter: rest, share } : { filter }
}

/** Whether IoT Core delivers the topic to a native subscriber of the filter: there `a/#` does not match `a`. */
export const deliversNatively = (filter: string, topic: string): boolean => topicMatches(filter, topic) && filter !== `${topic}/#`

export const hasWildcard = (filter: string): boolean => filter.split('/').some(isWildcard)

const isWildcard = (level: string): boolean => level === '+' || level === '#'

/**
 * Key of the row with the seats of a wildcard filter: its levels before the first wildcard, and `#`. `cmd/42/#` for `cmd/42/+/x`.
 * An exact filter is returned as it is: its seats are on the topic's own row.
 */
export function coveringFilter(filter: string): string {
  const levels = filter.split('/')
  const wildcard = levels.findIndex(isWildcard)
  return wildcard < 0 ? filter : [...levels.slice(0, wildcard), '#'].join('/')
}

/** The covering rows that a publish must read: every {@link coveringFilter} whose filters can match the topic. */
export function coversOf(topic: string): string[] {
  const levels = topic.split('/')
  const covers = levels.map((_, i) => `${levels.slice(0, i + 1).join('/')}/#`)
  // [MQTT-4.7.2-1] no filter on the row `#` matches a topic that starts with $
  return topic.startsWith('$') ? covers : ['#', ...covers]
}

/** The topic's first level: `mqtt_retain`'s `root`. */
export const firstLevel = (topic: string): string => topic.split('/', 1)[0] ?? ''
