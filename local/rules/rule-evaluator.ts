/**
 * The part of IoT's rule SQL that this backend's rules use. Any other SQL is refused when it is compiled.
 * Where AWS does not say what happens, this does what is worse for us: FROM '#' matches `$aws/...` here.
 */
import { BackendError } from '../../lambda/core/errors.ts'
import { type Argument, type Expression, FUNCTIONS } from './rule-functions.ts'
import type { RuleMessage } from './rule-message.ts'
import { TokenReader } from './rule-tokens.ts'

export interface Rule {
  /** Topic filter of the FROM clause. */
  readonly filter: string
  /** The object that the rule's actions get, without undefined fields. Undefined: FROM or WHERE does not match. */
  evaluate(message: RuleMessage): Record<string, unknown> | undefined
}

type Select = (message: RuleMessage) => Record<string, unknown>

/** The rule of one SQL statement. Throws `rule-sql` on everything that our own rules do not use. */
export function compileRule(sql: string): Rule {
  const reader = new TokenReader(sql)
  reader.expect('SELECT')
  const select = readSelect(reader)
  reader.expect('FROM')
  const filter = reader.take('string', 'a topic filter in single quotes').text
  const where = reader.accept('WHERE') ? readBoolean(reader) : undefined
  reader.take('end', 'the end of the statement')
  const matches = (message: RuleMessage) => awsFilterMatches(filter, message.topic) && (where === undefined || where.run(message) === true)
  return { filter, evaluate: (message) => (matches(message) ? select(message) : undefined) }
}

/**
 * Whether a rule's FROM filter takes the topic. Unlike in MQTT [MQTT-4.7.1-2], `a/#` does not match `a` on AWS;
 * whether `#` and `+` match a first level with `$` is unknown, so here they do and a WHERE clause must exclude it.
 */
export function awsFilterMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  const rest = wanted.at(-1) === '#'
  const fixed = rest ? wanted.slice(0, -1) : wanted
  const lengthFits = rest ? levels.length > fixed.length : levels.length === fixed.length
  return lengthFits && fixed.every((level, i) => level === '+' || level === levels[i])
}

function readSelect(reader: TokenReader): Select {
  if (reader.accept('*')) return jsonFields
  const columns: [string, Expression][] = []
  do {
    const expression = readExpression(reader)
    reader.expect('AS')
    columns.push([reader.take('word', 'a column name').text, expression])
  } while (reader.accept(','))
  return (message) => {
    const values = columns.map(([name, expression]) => [name, expression.run(message)] as const)
    return Object.fromEntries(values.filter(([, value]) => value !== undefined))
  }
}

/** `SELECT *`. Our rules use it for lifecycle events only: JSON objects. Other payloads are refused here; AWS passes them on unread. */
function jsonFields({ topic, payload }: RuleMessage): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(payload.toString('utf8'))
    if (fields !== null && typeof fields === 'object' && !Array.isArray(fields)) return { ...fields }
  } catch {
    // Not JSON: the refusal below names the topic, never the payload (I10).
  }
  throw new BackendError('rule-payload', `SELECT * wants a JSON object, got ${payload.length} other bytes on ${topic}`)
}

/** OR binds weakest, then AND, then NOT, as in SQL; AWS documents no order, so our own rules use parentheses. */
function readBoolean(reader: TokenReader): Expression {
  let left = readAnd(reader)
  while (reader.accept('OR')) {
    const [a, b] = [left, readAnd(reader)]
    left = { type: 'boolean', run: (message) => a.run(message) === true || b.run(message) === true }
  }
  return left
}

function readAnd(reader: TokenReader): Expression {
  let left = readNot(reader)
  while (reader.accept('AND')) {
    const [a, b] = [left, readNot(reader)]
    left = { type: 'boolean', run: (message) => a.run(message) === true && b.run(message) === true }
  }
  return left
}

function readNot(reader: TokenReader): Expression {
  if (reader.accept('NOT')) {
    const operand = reader.inside(() => readNot(reader))
    return { type: 'boolean', run: (message) => operand.run(message) !== true }
  }
  if (reader.accept('(')) {
    const inner = reader.inside(() => readBoolean(reader))
    reader.expect(')')
    return inner
  }
  return readCondition(reader)
}

function readCondition(reader: TokenReader): Expression {
  const left = readExpression(reader)
  if (left.type === 'boolean') return left
  const equal = reader.accept('=')
  if (!equal) reader.expect('<>')
  const right = readExpression(reader)
  if (left.type !== 'string' || right.type !== 'string')
    throw reader.refusal('= and <> between strings that are never undefined, before this')
  return { type: 'boolean', run: (message) => (left.run(message) === right.run(message)) === equal }
}

function readExpression(reader: TokenReader): Expression {
  if (reader.next.kind === 'string') {
    const { text } = reader.take('string', 'a string')
    return { type: 'string', literal: text, run: () => text }
  }
  const wanted = `one of ${Object.keys(FUNCTIONS).join(', ')}`
  const unknown = reader.refusal(wanted)
  const name = reader.take('word', wanted).text
  const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (!call) throw unknown
  reader.expect('(')
  return call(readArguments(reader), name)
}

function readArguments(reader: TokenReader): Argument[] {
  const args: Argument[] = []
  if (reader.accept(')')) return args
  do args.push(readArgument(reader))
  while (reader.accept(','))
  reader.expect(')')
  return args
}

function readArgument(reader: TokenReader): Argument {
  if (reader.accept('*')) return '*'
  if (reader.next.kind === 'number') return Number(reader.take('number', 'a number').text)
  return reader.inside(() => readExpression(reader))
}
