/** Update expressions of the simulated DynamoDB. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Bindings, compiled, InvalidExpression, type Operand, Reader } from './expression-reader.ts'
import { copy, copyValue, own, put, type Row, valueAt } from './rows.ts'

export type Update = (row: Row, bindings: Bindings) => Row

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
      put(parent, name, copyValue(set))
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
      const before = own(parent, name)
      if (added.N !== undefined) put(parent, name, { N: String(Number(before?.N ?? 0) + Number(added.N)) })
      else put(parent, name, { SS: [...new Set([...(before?.SS ?? []), ...(added.SS ?? [])])] })
    }
  },
  DELETE(reader) {
    const path = reader.path()
    const operand = reader.operand()
    return (row, old, bindings) => {
      const [parent, name] = parentOf(row, path(bindings))
      const gone = new Set(operand(old, bindings)!.SS)
      const left = own(parent, name)?.SS?.filter((value) => !gone.has(value))
      if (left === undefined) return
      if (left.length === 0) delete parent[name]
      else put(parent, name, { SS: left })
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

function parentOf(row: Row, path: readonly string[]): [Row, string] {
  const name = path.at(-1)!
  if (path.length === 1) return [row, name]
  const parent = valueAt(row, path.slice(0, -1))?.M
  if (parent === undefined) throw new InvalidExpression('the document path in the update expression is invalid')
  return [parent, name]
}
