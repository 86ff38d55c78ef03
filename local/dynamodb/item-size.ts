/** The size of an item in bytes, as DynamoDB counts it. */
import type { Item, Value } from 'dynalite/db/index.js'

/** Bytes to add to dynalite's count: it counts the characters of names and strings, DynamoDB their bytes in UTF-8. */
export function beyondAscii(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + extra(name) + extraOf(value), 0)
}

function extraOf(value: Value): number {
  const [type, content] = Object.entries(value)[0]!
  if (type === 'S') return extra(content as string)
  if (type === 'SS') return (content as string[]).reduce((sum, each) => sum + extra(each), 0)
  if (type === 'L') return (content as Value[]).reduce((sum, each) => sum + extraOf(each), 0)
  return type === 'M' ? beyondAscii(content as Item) : 0
}

const extra = (text: string): number => Buffer.byteLength(text) - text.length
