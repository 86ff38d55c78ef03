/** What a hook table does that its author may not expect. Each is a sentence that names the rows, by hook and label. */
import type { ActionName, HookRow, HookTable } from '../../lambda/core/hooks.ts'
import { awsCover, covers, overlaps } from '../../lib/pipeline/filter-cover.ts'
import { QUOTAS } from '../scale/quotas.ts'

export const surprisesOf = (table: HookTable): string[] =>
  [keptForEver, neverFetched, neverTakenOff, nothingToFetch, wildcardConsumers, neverSettled, notSettled, askedForEach].flatMap((look) =>
    look(table),
  )

const rowsOf = ({ rows }: HookTable, ...actions: readonly ActionName[]): HookRow[] => rows.filter(({ action }) => actions.includes(action))
const named = (rows: readonly HookRow[]): string => rows.map(({ hook, label }) => `${hook}.${label}`).join(', ')
const topicsOf = (rows: readonly HookRow[]): string => rows.map(({ topic = '#' }) => topic).join(', ')
const filtersOf = (rows: readonly HookRow[]): string[] => awsCover(rows.map(({ topic = '#' }) => topic))
/** IoT rules cannot see QoS 0; a row may say it. */
const queued = (table: HookTable): HookRow[] => rowsOf(table, 'on_message_publish').filter(({ qos }) => qos !== 0)

function keptForEver(table: HookTable): string[] {
  const wide = rowsOf(table, 'on_message_publish', 'on_message_store').filter(({ topic = '#' }) => topic.endsWith('#'))
  if (wide.length === 0 || table.expiredAfter !== undefined) return []
  return [
    `${named(wide)}: every message on ${topicsOf(wide)} is stored, QoS 0 too, because IoT rules cannot see QoS. Without backend.dynamo.msg.expired_after what nobody takes stays for ever.`,
  ]
}

/** A queue that is written and that no subscription empties. */
const neverFetched = (table: HookTable): string[] =>
  lacking(
    queued(table),
    rowsOf(table, 'on_message_fetch_for_queue', 'on_message_fetch_for_pubsub').filter(({ qos }) => qos !== 0),
    (rows, part) =>
      `${named(rows)}: ${part} messages on ${topicsOf(rows)} are queued, but no row of session.subscribed with on_message_fetch_for_queue delivers them.`,
  )

/** Without a row of message.acked nothing leaves a queue, as in EMQX. */
const neverTakenOff = (table: HookTable): string[] =>
  lacking(
    queued(table),
    // No acknowledgement deletes messages that are kept for many subscribers.
    rowsOf(table, 'on_message_acked_for_queue', 'on_message_fetch_for_pubsub'),
    (rows, part) =>
      `${named(rows)}: ${part} messages on ${topicsOf(rows)} stay queued after they were acknowledged, because no row of message.acked takes them off.`,
  )

/** Those rows whose topics no other row covers, or covers in part only. */
function lacking(
  rows: readonly HookRow[],
  others: readonly HookRow[],
  sentence: (rows: readonly HookRow[], part: string) => string,
): string[] {
  const wanted = filtersOf(others)
  const isWhole = (row: HookRow) => filtersOf([row]).every((filter) => wanted.some((other) => covers(other, filter)))
  const isTouched = (row: HookRow) => filtersOf([row]).some((filter) => wanted.some((other) => overlaps(other, filter)))
  const partly = rows.filter((row) => !isWhole(row) && isTouched(row))
  const none = rows.filter((row) => !isTouched(row))
  return [...(none.length > 0 ? [sentence(none, 'all')] : []), ...(partly.length > 0 ? [sentence(partly, 'some of the')] : [])]
}

function nothingToFetch(table: HookTable): string[] {
  const written = filtersOf(queued(table))
  const idle = rowsOf(table, 'on_message_fetch_for_queue', 'on_message_fetch_for_pubsub').filter(
    (row) => !filtersOf([row]).some((filter) => written.some((other) => overlaps(other, filter))),
  )
  return idle.length === 0
    ? []
    : [`${named(idle)}: nothing is queued on ${topicsOf(idle)}, because no row of message.publish with on_message_publish covers it.`]
}

function wildcardConsumers(table: HookTable): string[] {
  const any = filtersOf(rowsOf(table, 'on_message_fetch_for_queue').filter(({ consumers }) => consumers === 'any'))
  const counts = (row: HookRow) => filtersOf([row]).every((filter) => any.some((other) => covers(other, filter)))
  const kept = filtersOf(rowsOf(table, 'on_message_fetch_for_pubsub'))
  const isKept = (row: HookRow) => filtersOf([row]).every((filter) => kept.some((other) => covers(other, filter)))
  const wide = queued(table).filter((row) => /[+#]/.test(row.topic ?? '#') && !counts(row) && !isKept(row))
  const counted = table.expiredAfter === undefined ? queued(table).filter(counts) : []
  return [
    ...(wide.length === 0
      ? []
      : [
          `${named(wide)}: only a subscription to the exact topic empties its queue. Where all consumers subscribe to a wildcard (such as ${wide[0]!.topic ?? '#'}), they get messages live, but every message stays queued too. "consumers": "any" on on_message_fetch_for_queue lets them count.`,
        ]),
    ...(counted.length === 0
      ? []
      : [
          `${named(counted)}: "consumers" is any, so wildcard subscribers count. What they got in the last minutes before they left, and the last message of each topic, stays queued. Without backend.dynamo.msg.expired_after it stays for ever.`,
        ]),
  ]
}

function neverSettled(table: HookTable): string[] {
  const rows = rowsOf(table, 'on_message_fetch_for_queue').filter(({ settle }) => settle === 'never')
  if (rows.length === 0) return []
  return [
    `${named(rows)}: "settle" is never, so what IoT Core delivers to a connected subscriber stays queued, and comes again at its next subscription.`,
  ]
}

function notSettled(table: HookTable): string[] {
  const missing = (['client.disconnected', 'session.unsubscribed'] as const).filter((hook) => !table.rows.some((row) => row.hook === hook))
  if (missing.length === 0 || queued(table).length === 0) return []
  return [
    `There is no row of ${missing.join(' and none of ')}: what IoT Core delivers to a connected subscriber stays queued, and comes again at its next subscription.`,
  ]
}

function askedForEach(table: HookTable): string[] {
  const rows = rowsOf(table, 'on_message_retain', 'on_retain_delete').filter(({ retain = 'native' }) => retain === 'native')
  if (rows.length === 0) return []
  const topics = [...new Set(rows.map(({ topic = '#' }) => topic))].join(', ')
  return [
    `${named(rows)}: "retain" is native, so IoT Core is asked about every message on ${topics}. It answers ${QUOTAS.retainedReads.value} times a second an account; above that messages come as always, and rows of mqtt_retain some minutes late. Narrow the filter, or set "retain" to "property" or "topic".`,
  ]
}
