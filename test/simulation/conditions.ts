/** Condition expressions of the simulated DynamoDB. */
import { isDeepStrictEqual } from 'node:util'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Bindings, compiled, InvalidExpression, Reader } from './expression-reader.ts'
import { type Row, valueAt } from './rows.ts'

export type Condition = (row: Row, bindings: Bindings) => boolean

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
