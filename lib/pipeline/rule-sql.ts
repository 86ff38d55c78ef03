/** The IoT rules' SQL statements. AWS IoT developer guide, "AWS IoT SQL reference"; limits: "AWS IoT Core quotas". */
import { createHash } from 'node:crypto'
import { BackendError } from '../../lambda/core/errors.ts'
import { ACK_SELECT, ACK_TOPIC_PREFIX, LIFECYCLE_SELECT, LIFECYCLE_TOPICS, PUBLISH_SELECT } from '../../lambda/core/events/events.ts'
import type { HookConfig, HookName } from '../../lambda/core/hooks.ts'
import { awsCover, covers, overlaps } from './filter-cover.ts'

export const SQL_VERSION = '2016-03-23'

const MAX_FILTER_BYTES = 256
const MAX_FILTER_SLASHES = 7
/** Bytes of a whole rule; the statement must leave room for the action. */
const MAX_STATEMENT_BYTES = 250_000

const ACK_FILTER = `${ACK_TOPIC_PREFIX}#`

type LifecycleHook = keyof typeof LIFECYCLE_TOPICS
const isLifecycleHook = (hook: HookName): hook is LifecycleHook => hook in LIFECYCLE_TOPICS

/** The rule of a hook that comes from IoT Core's lifecycle events. */
export const lifecycleRule = (hook: LifecycleHook): string => `SELECT ${LIFECYCLE_SELECT} FROM '${LIFECYCLE_TOPICS[hook]}'`

/** The rule of the acknowledgements that clients publish. */
export const ackRule = (): string => `SELECT ${ACK_SELECT} FROM '${ACK_FILTER}'`

/** The rules of one hook; an id says what the rule listens to and stays the same while other filters come and go. */
export function hookRules({ hook, rows }: HookConfig, { acks }: { acks: boolean }): { id: string; sql: string }[] {
  if (hook === 'message.acked') return [{ id: 'Rule', sql: ackRule() }]
  if (isLifecycleHook(hook)) return [{ id: 'Rule', sql: lifecycleRule(hook) }]
  const statements = publishRules(
    rows.map(({ topic = '#' }) => topic),
    { acks },
  )
  return statements.map((sql) => ({ id: `Rule${ruleIdOf(sql)}`, sql }))
}

/** `sensor/+/state` -> `SensorAnyState` and six digits, because `a/b` and `a_b` read the same. */
function ruleIdOf(sql: string): string {
  const from = /FROM '([^']*)'/.exec(sql)![1]!
  const words = from
    .replaceAll('+', 'any')
    .replaceAll('#', 'all')
    .split(/[^A-Za-z0-9]+/)
  const readable = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return readable.slice(0, 40) + createHash('sha256').update(from).digest('hex').slice(0, 6)
}

/**
 * Statements that together take every publish on the MQTT filters, each exactly once, so that all actions of one publish share
 * one event. Filters that another covers are dropped, overlaps are excluded from the later statement.
 * @param acks whether `acked/<clientid>` is the ack topic (message.acked is configured): its publishes are no messages.
 * @throws BackendError `rule-filter` naming a filter that a rule cannot express.
 */
export function publishRules(filters: readonly string[], { acks = false }: { acks?: boolean } = {}): string[] {
  for (const filter of filters) checkFilter(filter, acks)
  const froms = awsCover(filters)
  return froms.map((from, i) => {
    const earlier = froms.slice(0, i).filter((other) => overlaps(other, from))
    const conditions = [...notDollar(from), ...notAck(from, acks), ...earlier.map((other) => excluding(other, from))]
    return checkedStatement(`SELECT ${PUBLISH_SELECT} FROM '${from}'${whereAll(conditions)}`, from)
  })
}

/** Whether FROM '#' takes `$aws/...` is not documented, and a lifecycle event is no message. */
const notDollar = (from: string): string[] => (from.startsWith('$') ? [] : [`NOT startswith(topic(), '$')`])

const notAck = (from: string, acks: boolean): string[] =>
  acks && overlaps(from, ACK_FILTER) ? [`NOT startswith(topic(), '${ACK_TOPIC_PREFIX}')`] : []

/** Parentheses, because AWS documents no precedence of NOT and AND. */
function whereAll(conditions: readonly string[]): string {
  if (conditions.length === 0) return ''
  return ` WHERE ${conditions.length === 1 ? conditions[0] : conditions.map((condition) => `(${condition})`).join(' AND ')}`
}

/** The condition under which a topic does not belong to an earlier statement's filter. */
function excluding(earlier: string, from: string): string {
  if (earlier.split('/').includes('+')) return `NOT regexp_matches(topic(), '${filterRegExp(earlier, from)}')`
  return earlier.endsWith('#') ? `NOT startswith(topic(), '${earlier.slice(0, -1)}')` : `topic() <> '${earlier}'`
}

/**
 * A regular expression of the filter's topics. Classes instead of backslashes: whether an SQL literal eats these is not documented.
 * `[`, `]` and `^` cannot be written so for Java.
 */
function filterRegExp(filter: string, overlapping: string): string {
  const unclear = /[[\]^]/.exec(filter)?.[0]
  if (unclear) {
    const clash = `to tell it from ${JSON.stringify(overlapping)}, which overlaps it`
    throw refusal(
      filter,
      `"${unclear}" beside "+" cannot be written in the regular expression ${clash}`,
      'a filter without "[", "]" and "^"',
    )
  }
  const levels = filter.split('/').map((level) => (level === '+' ? '[^/]*' : level.replaceAll(/[.$(){}|*?]/g, '[$&]')))
  return levels.at(-1) === '#' ? `^${levels.slice(0, -1).join('/')}/` : `^${levels.join('/')}$`
}

function checkFilter(filter: string, acks: boolean): void {
  const bytes = Buffer.byteLength(filter)
  const slashes = filter.split('/').length - 1
  if (bytes > MAX_FILTER_BYTES) throw refusal(filter, `it has ${bytes} bytes`, `at most ${MAX_FILTER_BYTES}`)
  if (slashes > MAX_FILTER_SLASHES) throw refusal(filter, `it has ${slashes} slashes`, `at most ${MAX_FILTER_SLASHES}`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  const unquotable = /['\\\u0000-\u001f\u007f]/.exec(filter)?.[0]
  if (unquotable) throw refusal(filter, `it has ${JSON.stringify(unquotable)}`, 'no quote, backslash or control character')
  if (acks && covers(ACK_FILTER, filter))
    throw refusal(filter, `publishes on ${ACK_FILTER} are acknowledgements while message.acked is configured`, 'another filter')
}

function checkedStatement(sql: string, from: string): string {
  const bytes = Buffer.byteLength(sql)
  if (bytes > MAX_STATEMENT_BYTES) {
    const cause = `its statement has ${bytes} bytes, because it must exclude the filters that overlap it`
    throw refusal(from, cause, `at most ${MAX_STATEMENT_BYTES}: fewer or wider filters`)
  }
  return sql
}

const refusal = (filter: string, got: string, wanted: string) =>
  new BackendError('rule-filter', `topic filter ${JSON.stringify(filter)} cannot be an IoT rule's: ${got}; wanted ${wanted}`)
