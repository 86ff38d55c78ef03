/** Whether an operator's row of this filter can ever bring anything: what it cannot is refused before it is written. */
import { durablePrefixOf, type HookTable } from '../../lambda/core/hooks.ts'
import { filterFault, hasWildcard, parseSubscription, topicMatches } from '../../lambda/core/topic.ts'

/** IoT Core, quota page: topics have at most 7 slashes and 256 bytes. */
const MAX_LEVELS = 8
const MAX_BYTES = 256

/**
 * Why it brings nothing; undefined: it may bring something.
 * @param table the hook table, where it is known: on AWS it is not
 */
export function senseless(sent: string, table?: HookTable): string | undefined {
  const fault = filterFault(sent)
  if (fault !== undefined) return fault
  const { filter } = parseSubscription(sent)
  if (filter.startsWith('$')) return 'topics that start with "$" are never stored'
  const levels = filter.split('/').filter((level, i, all) => level !== '#' || i < all.length - 1).length
  if (levels > MAX_LEVELS) return `it has ${levels} levels, and topics of IoT Core have at most ${MAX_LEVELS}`
  if (Buffer.byteLength(filter) > MAX_BYTES && !hasWildcard(filter)) return `it has more than the ${MAX_BYTES} bytes of a topic of IoT Core`
  return table === undefined ? undefined : againstConf(filter, table)
}

function againstConf(filter: string, table: HookTable): string | undefined {
  const { rows } = table
  if (!rows.some(({ action }) => action === 'on_subscribe_lookup')) return "the run's conf has no row of on_subscribe_lookup"
  const prefix = durablePrefixOf(table)
  if (prefix !== '' && filter.startsWith(prefix)) return `it is below "${prefix}", to which clients subscribe themselves`
  const isTaken = rows.some(({ hook, topic = '#' }) => hook === 'message.publish' && topicMatches(topic, filter))
  return hasWildcard(filter) || isTaken ? undefined : "no row of message.publish of the run's conf covers it"
}
