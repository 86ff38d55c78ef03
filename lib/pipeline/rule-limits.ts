/** What AWS refuses of IoT rules, found when the conf is read instead of in the middle of a deployment. */
import { BackendError } from '../../lambda/core/errors.ts'
import { awsFilters, covers } from './filter-cover.ts'

/** A filter of the conf for which no rule can be deployed. */
export interface RuleFault {
  /** As the conf has it. */
  readonly filter: string
  /** What was got, and what was wanted. */
  readonly message: string
}

/** The same with the FROM clause of the rule. */
export interface FromFault {
  readonly from: string
  readonly message: string
}

/** Quotas of AWS IoT Core for a topic filter. */
const MAX_FILTER_BYTES = 256
const MAX_FILTER_SLASHES = 7
/**
 * A stack has at most 500 resources, up to 200 of which are not publish rules. An account has at most 1,000 rules, each of at most
 * 256 KB: a statement that excludes 299 filters of 256 bytes has less.
 */
const MAX_PUBLISH_RULES = 300
/** A template has at most 1 MB, up to 200,000 bytes of which are not publish rules. */
const MAX_TEMPLATE_BYTES = 800_000
/** Of a rule in the template, beside its statement; and of an entry of its DependsOn. */
const RULE_BYTES = 950
const DEPENDENCY_BYTES = 90

/** Topics of no messages: the filter of the ack topic, and the prefix of durable subscriptions, as far as there are such. */
export interface Reserved {
  readonly acks?: string
  readonly durable?: string
}

/** What is wrong with a filter by itself, or undefined. */
export function filterFault(filter: string, { acks, durable }: Reserved): string | undefined {
  const bytes = Buffer.byteLength(filter)
  const slashes = filter.split('/').length - 1
  if (bytes > MAX_FILTER_BYTES) return `it has ${bytes} bytes; wanted at most ${MAX_FILTER_BYTES}`
  if (slashes > MAX_FILTER_SLASHES) return `it has ${slashes} slashes; wanted at most ${MAX_FILTER_SLASHES}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused here
  const unquotable = /['\\\u0000-\u001f\u007f]/.exec(filter)?.[0]
  if (unquotable) return `it has ${JSON.stringify(unquotable)}; wanted no quote, backslash or control character`
  if (durable !== undefined && covers(`${durable}#`, filter))
    return `topics below "${durable}" are for durable subscriptions; wanted another filter, or another backend.dynamo.durable.prefix`
  if (acks !== undefined && covers(acks, filter))
    return `publishes on ${acks} are acknowledgements while message.acked is configured; wanted another filter`
  return undefined
}

/** The filter with which there are too many rules, if there are. @param froms FROM clauses of the rules */
export function countFaults(froms: readonly string[]): FromFault[] {
  const from = froms[MAX_PUBLISH_RULES]
  if (from === undefined) return []
  const wanted = `wanted at most ${MAX_PUBLISH_RULES}, because a stack has at most 500 resources: fewer or wider filters`
  return [{ from, message: `it is rule ${MAX_PUBLISH_RULES + 1} of ${froms.length}; ${wanted}` }]
}

/** The filter with the largest rule, if all rules together are too large for a template. */
export function sizeFaults(statements: readonly { from: string; sql: string; excludes: readonly string[] }[]): FromFault[] {
  const sized = statements.map(({ from, sql, excludes }) => ({
    from,
    bytes: Buffer.byteLength(sql) + RULE_BYTES + excludes.length * DEPENDENCY_BYTES,
  }))
  const total = sized.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total <= MAX_TEMPLATE_BYTES) return []
  const { from } = sized.reduce((a, b) => (b.bytes > a.bytes ? b : a))
  const got = `its rule must exclude the filters that overlap it, and the ${statements.length} rules have ${total} bytes together`
  const wanted = `wanted at most ${MAX_TEMPLATE_BYTES}, because a template has at most 1 MB: fewer or wider filters`
  return [{ from, message: `${got}; ${wanted}` }]
}

/** The filter of the conf to which the FROM clause of a rule belongs. */
export const confFilterOf = (from: string, filters: readonly string[]): string =>
  filters.find((filter) => awsFilters(filter).includes(from)) ?? from

export const ruleRefusal = ({ filter, message }: RuleFault): BackendError =>
  new BackendError('rule-filter', `topic filter ${JSON.stringify(filter)} cannot be an IoT rule's: ${message}`)
