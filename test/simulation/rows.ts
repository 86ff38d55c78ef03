/** Rows as the simulated DynamoDB keeps them. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'

export type Row = Record<string, AttributeValue>

export function valueAt(row: Row, [first, ...rest]: readonly string[]): AttributeValue | undefined {
  let value = own(row, first!)
  for (const name of rest) value = value?.M && own(value.M, name)
  return value
}

/** A client may be named `toString`. */
export const own = (row: Row, name: string) => (Object.hasOwn(row, name) ? row[name] : undefined)

/** A row of its own, without what is undefined. */
export function copy(row: Row): Row {
  const made: Row = {}
  for (const name in row) if (row[name] !== undefined) put(made, name, copyValue(row[name]!))
  return made
}

/** A client may be named `__proto__`, too: an assignment would set the prototype. */
export function put(row: Row, name: string, value: AttributeValue): void {
  if (name === '__proto__') Object.defineProperty(row, name, { value, writable: true, enumerable: true, configurable: true })
  else row[name] = value
}

export function copyValue(value: AttributeValue): AttributeValue {
  if (value.M !== undefined) return { M: copy(value.M) }
  if (value.L !== undefined) return { L: value.L.map(copyValue) }
  if (value.SS !== undefined) return { SS: [...value.SS] }
  return { ...value }
}
