/** The IoT rules' SQL statements. AWS IoT developer guide, "AWS IoT SQL reference". */
import { createHash } from 'node:crypto'
import { ACK_SELECT, ACK_TOPIC_PREFIX } from '../../lambda/core/events/ack-events.ts'
import { LIFECYCLE_SELECT, LIFECYCLE_TOPICS } from '../../lambda/core/events/lifecycle-events.ts'
import { PUBLISH_SELECT } from '../../lambda/core/events/publish-events.ts'
import type { HookConfig, HookName } from '../../lambda/core/hooks.ts'
import { awsCover, overlaps } from './filter-cover.ts'
import { confFilterOf, countFaults, type FromFault, filterFault, type RuleFault, ruleRefusal, sizeFaults } from './rule-limits.ts'

export const SQL_VERSION = '2016-03-23'

const ACK_FILTER = `${ACK_TOPIC_PREFIX}#`

/** One rule. */
export interface RuleStatement {
  /** Tells what the rule listens to, and stays the same while other filters come and go. */
  readonly id: string
  /** The topic filter of the FROM clause. */
  readonly from: string
  readonly sql: string
  /** FROM clauses of the rules that take topics which this one excludes. */
  readonly excludes: readonly string[]
}

type LifecycleHook = keyof typeof LIFECYCLE_TOPICS
const isLifecycleHook = (hook: HookName): hook is LifecycleHook => hook in LIFECYCLE_TOPICS

/**
 * The rules of one hook.
 * @throws BackendError `rule-filter` with the first fault of {@link publishFaults}
 */
export function hookRules({ hook, rows, durablePrefix }: HookConfig, { acks }: Pick<NoMessages, 'acks'>): RuleStatement[] {
  if (hook === 'message.acked') return [wholeRule(ACK_SELECT, ACK_FILTER)]
  if (isLifecycleHook(hook)) return [wholeRule(LIFECYCLE_SELECT, LIFECYCLE_TOPICS[hook])]
  const filters = rows.map(({ topic = '#' }) => topic)
  const [fault] = publishFaults(filters, { acks, durablePrefix })
  if (fault !== undefined) throw ruleRefusal(fault)
  return publishStatements(awsCover(filters), { acks, durablePrefix })
}

/** Publishes that are no messages. */
export interface NoMessages {
  /** Whether message.acked is configured: publishes on the ack topic are acknowledgements. */
  readonly acks: boolean
  /** '': there are no durable subscriptions. */
  readonly durablePrefix: string
}

/** Every filter of message.publish for which no rule can be deployed. */
export function publishFaults(filters: readonly string[], none: NoMessages): RuleFault[] {
  const faults = [...new Set(filters)].flatMap((filter) => faultOf(filter, filterFault(filter, without(none))))
  if (faults.length > 0) return faults
  const froms = awsCover(filters)
  const many = countFaults(froms)
  const unclear = many.length > 0 ? many : bracketFaults(froms)
  const found = unclear.length > 0 ? unclear : sizeFaults(publishStatements(froms, none))
  return found.flatMap(({ from, message }) => faultOf(confFilterOf(from, filters), message))
}

const without = ({ acks, durablePrefix }: NoMessages) => ({
  ...(acks ? { acks: ACK_FILTER } : {}),
  ...(durablePrefix === '' ? {} : { durable: durablePrefix }),
})

const faultOf = (filter: string, message: string | undefined): RuleFault[] => (message === undefined ? [] : [{ filter, message }])

const wholeRule = (select: string, from: string): RuleStatement => ({
  id: 'Rule',
  from,
  sql: `SELECT ${select} FROM '${from}'`,
  excludes: [],
})

/**
 * Statements that together select every publish on the filters, each publish once, so that all its actions share one event.
 * Of two filters that overlap, the later statement excludes the earlier filter.
 */
function publishStatements(froms: readonly string[], { acks, durablePrefix }: NoMessages): RuleStatement[] {
  return froms.map((from, i) => {
    const earlier = froms.slice(0, i).filter((other) => overlaps(other, from))
    const withoutAcks = acks && overlaps(from, ACK_FILTER)
    const withoutDurable = durablePrefix !== '' && overlaps(from, `${durablePrefix}#`)
    const conditions = [
      ...notDollar(from),
      ...(withoutAcks ? [`NOT startswith(topic(), '${ACK_TOPIC_PREFIX}')`] : []),
      ...(withoutDurable ? [`NOT startswith(topic(), '${durablePrefix}')`] : []),
      ...earlier.map((other) => excluding(other)),
    ]
    const sql = `SELECT ${PUBLISH_SELECT} FROM '${from}'${whereAll(conditions)}`
    return { id: `Rule${ruleIdOf(from)}`, from, sql, excludes: [...(withoutAcks ? [ACK_FILTER] : []), ...earlier] }
  })
}

/** `sensor/+/state` becomes `SensorAnyState` and six digits, which tell `a/b` from `a_b`. */
function ruleIdOf(from: string): string {
  const words = from
    .replaceAll('+', 'any')
    .replaceAll('#', 'all')
    .split(/[^A-Za-z0-9]+/)
  const readable = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return readable.slice(0, 40) + createHash('sha256').update(from).digest('hex').slice(0, 6)
}

/** AWS does not document whether FROM '#' matches `$aws/...`; a lifecycle event is no message. */
const notDollar = (from: string): string[] => (from.startsWith('$') ? [] : [`NOT startswith(topic(), '$')`])

/** AWS documents no precedence of NOT and AND, hence the parentheses. */
function whereAll(conditions: readonly string[]): string {
  if (conditions.length === 0) return ''
  return ` WHERE ${conditions.length === 1 ? conditions[0] : conditions.map((condition) => `(${condition})`).join(' AND ')}`
}

/** The condition that a topic does not match the filter of an earlier statement. */
function excluding(earlier: string): string {
  if (earlier.split('/').includes('+')) return `NOT regexp_matches(topic(), '${filterRegExp(earlier)}')`
  return earlier.endsWith('#') ? `NOT startswith(topic(), '${earlier.slice(0, -1)}')` : `topic() <> '${earlier}'`
}

/** A regular expression of the filter's topics. AWS does not document backslashes in SQL texts, so it has `[.]` instead of `\.`. */
function filterRegExp(filter: string): string {
  const levels = filter.split('/').map((level) => (level === '+' ? '[^/]*' : level.replaceAll(/[.$(){}|*?]/g, '[$&]')))
  return levels.at(-1) === '#' ? `^${levels.slice(0, -1).join('/')}/` : `^${levels.join('/')}$`
}

/** `[`, `]` and `^` cannot be written without a backslash. */
const bracketFaults = (froms: readonly string[]): FromFault[] =>
  froms.flatMap((from, i) => {
    const unclear = from.split('/').includes('+') ? /[[\]^]/.exec(from)?.[0] : undefined
    const other = unclear === undefined ? undefined : froms.slice(i + 1).find((later) => overlaps(from, later))
    if (other === undefined) return []
    const clash = `to tell it from ${JSON.stringify(other)}, which overlaps it`
    return [
      {
        from,
        message: `"${unclear}" beside "+" cannot be written in the regular expression ${clash}; wanted a filter without "[", "]" and "^"`,
      },
    ]
  })
