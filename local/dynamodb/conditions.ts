/**
 * Evaluates condition expressions that dynalite has parsed. dynalite's own evaluation cannot compare maps and lists, and treats
 * the empty string as absent.
 */
import { isDeepStrictEqual } from 'node:util'
import db, { type Expression, type Item, type Value } from 'dynalite/db/index.js'

/** Whether an item (an empty one, if there is none) meets a parsed condition. */
export function meets(item: Item, condition: Expression): boolean {
  const { type, args } = condition
  if (type === 'and') return args.every((each) => meets(item, each as Expression))
  if (type === 'or') return args.some((each) => meets(item, each as Expression))
  if (type === 'not') return !meets(item, args[0] as Expression)
  const [first, ...others] = args.map((arg) => operand(item, arg))
  if (type === '=') return equal(first, others[0])
  if (type === '<>') return !equal(first, others[0])
  if (type === 'in') return others.some((other) => equal(first, other))
  return db.compare(type === 'function' ? `${condition.name}` : type, first, others)
}

/** The value of a path, of an expression value or of `size()`; undefined where there is none. */
function operand(item: Item, arg: Expression['args'][number]): Value | undefined {
  if (Array.isArray(arg)) return db.mapPath(arg, item) ?? undefined
  if ('type' in arg && arg.type === 'function' && arg.name === 'size') return size(operand(item, (arg as Expression).args[0]!))
  return arg as Value
}

function size(value: Value | undefined): Value | undefined {
  if (value === undefined) return undefined
  const [type, content] = Object.entries(value)[0]!
  if (type === 'B') return { N: `${Buffer.from(content as string, 'base64').length}` }
  if (type === 'M') return { N: `${Object.keys(content as object).length}` }
  const { length } = content as { length?: number }
  return length === undefined || type === 'N' ? undefined : { N: `${length}` }
}

/** Numbers can be compared as text: dynalite has normalised them. */
const equal = (a: Value | undefined, b: Value | undefined): boolean =>
  a !== undefined && b !== undefined && isDeepStrictEqual(comparable(a), comparable(b))

/** Sorts sets, and turns objects into Maps: some of dynalite's have a prototype and some have none. */
function comparable(value: Value): unknown {
  const [type, content] = Object.entries(value)[0]!
  if (Array.isArray(content)) return [type, type === 'L' ? content.map((each) => comparable(each as Value)) : [...content].sort()]
  if (type === 'M') return [type, new Map(Object.entries(content as Item).map(([name, each]) => [name, comparable(each)]))]
  return [type, content]
}
