/**
 * Durable subscriptions: a client that SUBSCRIBEs to `durable/<topic>` is subscribed to `<topic>` by us, not by IoT Core, and gets its
 * messages on `durable/<topic>` by direct message. Nobody publishes below the prefix, so nothing comes there natively.
 */
import { fetchRow, type HookConfig, isKeptForMany } from './hooks.ts'
import { coveringFilter, filterFault, hasWildcard, parseSubscription, topicMatches } from './topic.ts'

/** The filter of the topics that a durable subscription listens to; `undefined`: it is an ordinary one. `prefix` '': there are none. */
export function durableFilter(sent: string, prefix: string): string | undefined {
  const { filter } = parseSubscription(sent)
  return prefix !== '' && filter.startsWith(prefix) ? filter.slice(prefix.length) : undefined
}

/** The filter that a subscription listens to, without the prefixes of a shared and of a durable one. */
export const listensTo = (sent: string, prefix: string): string => durableFilter(sent, prefix) || parseSubscription(sent).filter

/** With which prefix the client subscribed whose seat is on the row of that topic or covering filter; '': it is no durable one. */
export function prefixOf(sent: string, row: string): string {
  const covering = coveringFilter(parseSubscription(sent).filter)
  return covering.slice(0, covering.length - row.length)
}

/** Why a durable subscription to the filter would bring nothing; `undefined`: it does bring something. */
export function durableFault(filter: string, config: HookConfig): string | undefined {
  const { durablePrefix: prefix } = config
  if (filter === '') return `nothing after "${prefix}", wanted a topic`
  if (filter.startsWith('$')) return 'topics that start with "$" are never stored'
  if (filter.startsWith(prefix)) return `publishes below "${prefix}" are never stored`
  const fault = filterFault(filter)
  if (fault !== undefined) return fault
  if (hasWildcard(filter)) return config.serverSubscriptions ? undefined : 'a wildcard, wanted a topic: the conf has no on_subscribe_lookup'
  if (isKeptForMany(config, filter))
    return fetchRow(config, filter)?.qos === 0 ? 'the row of on_message_fetch_for_pubsub has QoS 0' : undefined
  if (!isQueue(filter, config)) return 'no row of on_message_fetch_for_queue with a QoS above 0 covers it'
  const isTakenOff = config.acked.some((acked) => topicMatches(acked, filter))
  return isTakenOff ? undefined : 'no row of on_message_acked_for_queue covers it, so nothing would ever be taken off'
}

const isQueue = (topic: string, config: HookConfig): boolean => {
  const row = fetchRow(config, topic)
  return row !== undefined && row.qos !== 0
}
