/** Rows as the simulated DynamoDB keeps them. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'

export type Row = Record<string, AttributeValue>

export function valueAt(row: Row, [first, ...rest]: readonly string[]): AttributeValue | undefined {
  let value = own(row, first!)
  for (const name of rest) value = value?.M && own(value.M, name)
  return value
}

/** A client may be named `toString`. */
const own = (row: Row, name: string) => (Object.hasOwn(row, name) ? row[name] : undefined)

/** A row of its own, without what is undefined. */
export function copy(row: Row): Row {
  const made: Row = {}
  for (const name in row) if (row[name] !== undefined) made[name] = copyValue(row[name]!)
  return made
}

export function copyValue(value: AttributeValue): AttributeValue {
  if (value.M !== undefined) return { M: copy(value.M) }
  if (value.L !== undefined) return { L: value.L.map(copyValue) }
  if (value.SS !== undefined) return { SS: [...value.SS] }
  return { ...value }
}
