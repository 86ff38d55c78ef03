/**
 * Strict JSON with the place of the first fault. jsonc-parser finds the faults; its messages and ours never repeat the text (I10).
 * A repeated key is a fault too: EMQX takes the first of them, JSON.parse the last.
 */
import { getNodeValue, type Node, type ParseError, parseTree } from 'jsonc-parser'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A Map, so that a key such as `__proto__` is a key like any other. */
export type JsonObject = ReadonlyMap<string, Json>

export class JsonFault extends Error {
  /** Characters before the fault. */
  readonly offset: number
  constructor(offset: number, message: string) {
    super(message)
    this.name = 'JsonFault'
    this.offset = offset
  }
}

/** jsonc-parser calls itself for each bracket: a row of thousands of them would end in a stack overflow. */
const MAX_BRACKETS = 200

/** jsonc-parser's error codes; its enum is not there at run time. */
const FAULTS: readonly (string | undefined)[] = [
  undefined,
  'an unknown word, wanted {...}, [...], text in double quotes, a number, true, false or null',
  'a number that is not complete',
  'wanted a key in double quotes',
  'wanted a value',
  'wanted ":"',
  'wanted ","',
  'wanted "," or "}"',
  'wanted "," or "]"',
  'wanted the end',
  'a comment, wanted none',
  'a comment, wanted none',
  'text without its closing double quote',
  'a number that is not complete',
  'a bad \\u escape',
  'a bad escape',
  'a control character, wanted it escaped',
]

/** @throws JsonFault */
export function parseJson(text: string): Json {
  const brackets = text.match(/[[{]/g)?.length ?? 0
  if (brackets > MAX_BRACKETS) throw new JsonFault(0, `${brackets} opening brackets, wanted at most ${MAX_BRACKETS}`)
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { disallowComments: true })
  const [first] = errors
  if (first !== undefined) throw new JsonFault(first.offset, FAULTS[first.error] ?? 'not JSON')
  if (root === undefined) throw new JsonFault(0, 'wanted a value')
  return jsonOf(root)
}

function jsonOf(node: Node): Json {
  if (node.type === 'array') return (node.children ?? []).map(jsonOf)
  if (node.type !== 'object') return getNodeValue(node)
  const object = new Map<string, Json>()
  for (const { children: [key, value] = [] } of node.children ?? []) {
    if (key === undefined || value === undefined) continue
    if (object.has(key.value)) throw new JsonFault(key.offset, 'a key that was there before, wanted each key once')
    object.set(key.value, jsonOf(value))
  }
  return object
}
