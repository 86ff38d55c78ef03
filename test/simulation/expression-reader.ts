/**
 * DynamoDB's condition and update expressions, as far as the stores use them, compiled once per text: dynalite parses them anew
 * for every request, which is nine tenths of its time. Throws on anything else. Held to dynalite by dynamodb.test.ts.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Row, valueAt } from './rows.ts'

export interface Bindings {
  readonly names: Readonly<Record<string, string>>
  readonly values: Row
}
export type Operand = (row: Row, bindings: Bindings) => AttributeValue | undefined
export type Path = (bindings: Bindings) => string[]

/** What DynamoDB answers with ValidationException. */
export class InvalidExpression extends Error {}

const TOKENS = /\s*(<>|<=|>=|[=<>(),.+-]|[#:]?\w+)/y

export class Reader {
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

function sizeOf(value: AttributeValue | undefined): AttributeValue | undefined {
  const size = value?.SS?.length ?? value?.S?.length ?? (value?.M && Object.keys(value.M).length)
  return size === undefined ? undefined : { N: String(size) }
}

/** Of each text once. */
export const compiled = <T>(compile: (text: string) => T) => {
  const all = new Map<string, T>()
  return (text: string): T => {
    const known = all.get(text) ?? compile(text)
    all.set(text, known)
    return known
  }
}
