/**
 * DynamoDB's condition and update expressions, as far as the stores use them, compiled once per text: dynalite parses them anew
 * for every request, which is nine tenths of its time. Throws on anything else. Held to dynalite by dynamodb.test.ts.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'

export type Row = Record<string, AttributeValue>
export interface Bindings {
  readonly names: Readonly<Record<string, string>>
  readonly values: Row
}
export type Condition = (row: Row, bindings: Bindings) => boolean
export type Update = (row: Row, bindings: Bindings) => Row
type Operand = (row: Row, bindings: Bindings) => AttributeValue | undefined
type Path = (bindings: Bindings) => string[]

/** What DynamoDB answers with ValidationException. */
export class InvalidExpression extends Error {}

const TOKENS = /\s*(<>|<=|>=|[=<>(),.+-]|[#:]?\w+)/y

class Reader {
  private readonly tokens: string[] = []
  private at = 0
  constructor(text: string) {
    TOKENS.lastIndex = 0
    for (let found = TOKENS.exec(text); found !== null; found = TOKENS.exec(text)) this.tokens.push(found[1]!)
    if (this.tokens.join('') !== text.replace(/\s+/g, '')) throw new InvalidExpression(`cannot read ${text}`)
  }
  get peek(): string {
    return this.tokens[this.at] ?? ''
  }
  next(): string {
    return this.tokens[this.at++] ?? ''
  }
  takes(token: string): boolean {
    if (this.peek.toUpperCase() !== token) return false
    this.at++
    return true
  }
  expect(token: string): void {
    if (!this.takes(token)) throw new InvalidExpression(`got '${this.peek}', wanted '${token}'`)
  }

  list<T>(one: () => T): T[] {
    const all = [one()]
    while (this.takes(',')) all.push(one())
    return all
  }

  path(): Path {
    const parts = [this.next()]
    while (this.takes('.')) parts.push(this.next())
    return ({ names }) => parts.map((part) => (part.startsWith('#') ? (names[part] ?? unbound(part)) : part))
  }

  operand(): Operand {
    if (this.peek.startsWith(':')) {
      const name = this.next()
      return (_row, { values }) => values[name] ?? unbound(name)
    }
    if (this.takes('SIZE')) {
      const path = this.inParentheses(() => this.path())
      return (row, bindings) => sizeOf(valueAt(row, path(bindings)))
    }
    const path = this.path()
    return (row, bindings) => valueAt(row, path(bindings))
  }

  inParentheses<T>(read: () => T): T {
    this.expect('(')
    const got = read()
    this.expect(')')
    return got
  }
}

const unbound = (name: string): never => {
  throw new InvalidExpression(`${name} is not defined`)
}

const compiled = <T>(compile: (text: string) => T) => {
  const all = new Map<string, T>()
  return (text: string): T => {
    const known = all.get(text) ?? compile(text)
    all.set(text, known)
    return known
  }
}

export const conditionOf = compiled((text): Condition => {
  const reader = new Reader(text)
  const condition = either(reader)
  if (reader.peek !== '') throw new InvalidExpression(`'${reader.peek}' left over in ${text}`)
  return condition
})

function either(reader: Reader): Condition {
  const all = [both(reader)]
  while (reader.takes('OR')) all.push(both(reader))
  return all.length === 1 ? all[0]! : (row, bindings) => all.some((one) => one(row, bindings))
}

function both(reader: Reader): Condition {
  const all = [single(reader)]
  while (reader.takes('AND')) all.push(single(reader))
  return all.length === 1 ? all[0]! : (row, bindings) => all.every((one) => one(row, bindings))
}

function single(reader: Reader): Condition {
  if (reader.peek === '(') return reader.inParentheses(() => either(reader))
  for (const [name, wanted] of [
    ['ATTRIBUTE_EXISTS', true],
    ['ATTRIBUTE_NOT_EXISTS', false],
  ] as const) {
    if (!reader.takes(name)) continue
    const path = reader.inParentheses(() => reader.path())
    return (row, bindings) => (valueAt(row, path(bindings)) !== undefined) === wanted
  }
  const left = reader.operand()
  if (reader.takes('BETWEEN')) {
    const low = reader.operand()
    reader.expect('AND')
    const high = reader.operand()
    return (row, bindings) => {
      const value = left(row, bindings)
      return compare('>=', value, low(row, bindings)) && compare('<=', value, high(row, bindings))
    }
  }
  const comparison = reader.next()
  const right = reader.operand()
  return (row, bindings) => compare(comparison, left(row, bindings), right(row, bindings))
}

function compare(comparison: string, a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  if (comparison === '<>') return !isDeepStrictEqual(a, b)
  if (a === undefined || b === undefined) return false
  if (comparison === '=') return isDeepStrictEqual(a, b)
  const [left, right] = a.N !== undefined && b.N !== undefined ? [Number(a.N), Number(b.N)] : [a.S, b.S]
  if (left === undefined || right === undefined) return false
  switch (comparison) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    default:
      throw new InvalidExpression(`comparison ${comparison}`)
  }
}

export const updateOf = compiled((text): Update => {
  const reader = new Reader(text)
  const steps: ((row: Row, old: Row, bindings: Bindings) => void)[] = []
  while (reader.peek !== '') {
    const section = reader.next().toUpperCase()
    const clause = CLAUSES[section]
    if (clause === undefined) throw new InvalidExpression(`section ${section} in ${text}`)
    steps.push(...reader.list(() => clause(reader)))
  }
  return (old, bindings) => {
    const row = copy(old)
    for (const step of steps) step(row, old, bindings)
    return row
  }
})

type Clause = (reader: Reader) => (row: Row, old: Row, bindings: Bindings) => void

const CLAUSES: Readonly<Record<string, Clause>> = {
  SET(reader) {
    const path = reader.path()
    reader.expect('=')
    const value = sum(reader)
    return (row, old, bindings) => {
      const set = value(old, bindings)
      if (set === undefined) throw new InvalidExpression('the expression refers to an attribute that does not exist')
      const [parent, name] = parentOf(row, path(bindings))
      parent[name] = copyValue(set)
    }
  },
  REMOVE(reader) {
    const path = reader.path()
    return (row, _old, bindings) => {
      const [parent, name] = parentOf(row, path(bindings))
      delete parent[name]
    }
  },
  ADD(reader) {
    const path = reader.path()
    const operand = reader.operand()
    return (row, old, bindings) => {
      const [parent, name] = parentOf(row, path(bindings))
      const added = operand(old, bindings)!
      const before = parent[name]
      if (added.N !== undefined) parent[name] = { N: String(Number(before?.N ?? 0) + Number(added.N)) }
      else parent[name] = { SS: [...new Set([...(before?.SS ?? []), ...(added.SS ?? [])])] }
    }
  },
  DELETE(reader) {
    const path = reader.path()
    const operand = reader.operand()
    return (row, old, bindings) => {
      const [parent, name] = parentOf(row, path(bindings))
      const gone = new Set(operand(old, bindings)!.SS)
      const left = parent[name]?.SS?.filter((value) => !gone.has(value))
      if (left === undefined) return
      if (left.length === 0) delete parent[name]
      else parent[name] = { SS: left }
    }
  },
}

function sum(reader: Reader): Operand {
  const first = term(reader)
  if (!reader.takes('+')) return first
  const second = term(reader)
  return (row, bindings) => ({ N: String(Number(numberOf(first(row, bindings))) + Number(numberOf(second(row, bindings)))) })
}

function term(reader: Reader): Operand {
  if (!reader.takes('IF_NOT_EXISTS')) return reader.operand()
  return reader.inParentheses(() => {
    const path = reader.path()
    reader.expect(',')
    const otherwise = reader.operand()
    return (row: Row, bindings: Bindings) => valueAt(row, path(bindings)) ?? otherwise(row, bindings)
  })
}

const numberOf = (value: AttributeValue | undefined): string => {
  if (value?.N === undefined) throw new InvalidExpression('an operand is no number')
  return value.N
}

function valueAt(row: Row, [first, ...rest]: readonly string[]): AttributeValue | undefined {
  let value = row[first!]
  for (const name of rest) value = value?.M?.[name]
  return value
}

function parentOf(row: Row, path: readonly string[]): [Row, string] {
  const name = path.at(-1)!
  if (path.length === 1) return [row, name]
  const parent = valueAt(row, path.slice(0, -1))?.M
  if (parent === undefined) throw new InvalidExpression('the document path in the update expression is invalid')
  return [parent, name]
}

function sizeOf(value: AttributeValue | undefined): AttributeValue | undefined {
  const size = value?.SS?.length ?? value?.S?.length ?? (value?.M && Object.keys(value.M).length)
  return size === undefined ? undefined : { N: String(size) }
}

/** A row of its own, without what is undefined. */
export function copy(row: Row): Row {
  const made: Row = {}
  for (const name in row) if (row[name] !== undefined) made[name] = copyValue(row[name]!)
  return made
}

function copyValue(value: AttributeValue): AttributeValue {
  if (value.M !== undefined) return { M: copy(value.M) }
  if (value.L !== undefined) return { L: value.L.map(copyValue) }
  if (value.SS !== undefined) return { SS: [...value.SS] }
  return { ...value }
}
