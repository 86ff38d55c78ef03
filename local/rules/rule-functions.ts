/** The IoT SQL functions that our rules use (AWS IoT developer guide, "Functions"). */
import { BackendError } from '../../lambda/core/errors.ts'
import type { RuleMessage } from './rule-message.ts'

/** `string`: always a string, so it may be compared; `any`: may be undefined or something else. */
type ValueType = 'string' | 'boolean' | 'any'
export interface Expression {
  readonly type: ValueType
  readonly literal?: string
  readonly run: (message: RuleMessage) => unknown
}
export type Argument = Expression | '*' | number

const refuse = (call: string, why: string) => new BackendError('rule-sql', `${call}: ${why}`)

const PROPERTIES: Record<string, (message: RuleMessage) => unknown> = {
  content_type: (message) => message.contentType,
  format_indicator: (message) => message.formatIndicator,
  response_topic: (message) => message.responseTopic,
  correlation_data: (message) => message.correlationData?.toString('base64'),
}

/** `get_user_properties()`: objects with one key each, in the order sent; `get_user_properties('k')`: the values of k. None: undefined. */
function userProperties({ userProperties: sent = [] }: RuleMessage, key?: string): unknown {
  if (key === undefined) return sent.length === 0 ? undefined : sent.map(([name, value]) => ({ [name]: value }))
  const values = sent.filter(([name]) => name === key).map(([, value]) => value)
  return values.length === 0 ? undefined : values
}

/**
 * AWS uses Java's regular expressions. What Java and JavaScript may read differently is refused: backslashes, a class in a class, `&&`.
 * Groups are refused too: our rules have none, and nested repetition can take for ever.
 */
function pattern(source: string): RegExp {
  if (/\\|\[[^\]]*\[|&&/.test(source)) throw refuse('regexp_matches', `'${source}' does not read the same on AWS and here`)
  if (source.replaceAll(/\[[^\]]*\]/g, '').includes('('))
    throw refuse('regexp_matches', `'${source}' has a group, which no rule of ours has`)
  try {
    return new RegExp(source, 'u')
  } catch {
    throw refuse('regexp_matches', `'${source}' is no regular expression`)
  }
}

function subjectAndLiteral(name: string, [subject, literal, ...more]: readonly Argument[]) {
  const isString = typeof subject === 'object' && subject.type === 'string'
  if (!isString || typeof literal !== 'object' || literal.literal === undefined || more.length > 0)
    throw refuse(name, 'wanted (string, literal string)')
  return { subject: subject as Expression, literal: literal.literal }
}

/** The text of a call's only argument, or undefined for a call without arguments. */
function onlyText(name: string, args: readonly Argument[]): string | undefined {
  const [first] = args
  if (args.length === 0) return undefined
  if (args.length > 1 || typeof first !== 'object' || first.literal === undefined) throw refuse(name, 'wanted one literal string')
  return first.literal
}

const plain =
  (type: ValueType, run: Expression['run']) =>
  (args: readonly Argument[], name: string): Expression => {
    if (args.length > 0) throw refuse(name, `takes no argument, got ${args.length}`)
    return { type, run }
  }

/** Function name -> the expression of a call with these arguments. */
export const FUNCTIONS: Record<string, (args: readonly Argument[], name: string) => Expression> = {
  topic: (args, name) => {
    const [level] = args
    if (args.length === 0) return { type: 'string', run: (message) => message.topic }
    if (typeof level !== 'number' || level < 1 || args.length > 1) throw refuse(name, 'wanted nothing or a level from 1')
    return { type: 'any', run: (message) => message.topic.split('/')[level - 1] }
  },
  clientid: plain('string', (message) => message.clientid ?? 'n/a'),
  timestamp: plain('any', (message) => message.at),
  newuuid: plain('string', (message) => message.uuid),
  traceid: plain('any', (message) => message.traceid),
  encode: ([what, scheme, ...more], name) => {
    if (what !== '*' || typeof scheme !== 'object' || scheme.literal !== 'base64' || more.length > 0)
      throw refuse(name, "only encode(*, 'base64') is known")
    return { type: 'string', run: (message) => message.payload.toString('base64') }
  },
  get_mqtt_property: (args, name) => {
    const property = onlyText(name, args) ?? ''
    const run = Object.hasOwn(PROPERTIES, property) ? PROPERTIES[property] : undefined
    if (!run) throw refuse(name, `unknown property '${property}', wanted one of ${Object.keys(PROPERTIES).join(', ')}`)
    return { type: 'any', run }
  },
  get_user_properties: (args, name) => {
    const key = onlyText(name, args)
    return { type: 'any', run: (message) => userProperties(message, key) }
  },
  startswith: (args, name) => {
    const { subject, literal } = subjectAndLiteral(name, args)
    return { type: 'boolean', run: (message) => String(subject.run(message)).startsWith(literal) }
  },
  regexp_matches: (args, name) => {
    const { subject, literal } = subjectAndLiteral(name, args)
    const re = pattern(literal)
    return { type: 'boolean', run: (message) => re.test(String(subject.run(message))) }
  },
}
