/**
 * A strict JSON reader (RFC 8259) for what people write by hand: it says at which character it stopped and what it wanted
 * there, without repeating the text, and refuses a repeated key (EMQX takes the first, JSON.parse the last).
 * Objects become Maps, so that no key is special.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
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

const MAX_DEPTH = 32
const BLANKS = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const WORDS: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/** @throws JsonFault */
export function parseJson(text: string): Json {
  const cursor = new Cursor(text)
  const value = cursor.value(0)
  cursor.end()
  return value
}

class Cursor {
  private at = 0
  private readonly text: string
  constructor(text: string) {
    this.text = text
  }

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw new JsonFault(this.at, `more than ${MAX_DEPTH} levels`)
    this.take(BLANKS)
    const next = this.text[this.at]
    if (next === '{') return this.object(depth)
    if (next === '[') return this.list(depth)
    if (next === '"') return this.string('a string')
    const number = this.take(NUMBER)
    if (number) return Number(number)
    const word = WORDS.find(([name]) => this.text.startsWith(name, this.at))
    if (word === undefined) throw this.fault('a value')
    this.at += word[0].length
    return word[1]
  }

  end(): void {
    this.take(BLANKS)
    if (this.at < this.text.length) throw this.fault('the end')
  }

  private object(depth: number): JsonObject {
    const object = new Map<string, Json>()
    this.at++
    if (this.sees('}')) return object
    do {
      this.take(BLANKS)
      const start = this.at
      const key = this.string('a key in double quotes')
      if (object.has(key)) throw new JsonFault(start, 'a key that was there before, wanted each key once')
      if (!this.sees(':')) throw this.fault('":"')
      object.set(key, this.value(depth + 1))
    } while (this.sees(','))
    if (!this.sees('}')) throw this.fault('"," or "}"')
    return object
  }

  private list(depth: number): readonly Json[] {
    const list: Json[] = []
    this.at++
    if (this.sees(']')) return list
    do list.push(this.value(depth + 1))
    while (this.sees(','))
    if (!this.sees(']')) throw this.fault('"," or "]"')
    return list
  }

  private string(wanted: string): string {
    const token = this.take(STRING)
    if (token) return JSON.parse(token)
    throw this.text[this.at] === '"' ? new JsonFault(this.at, 'a string that does not end or has a bad escape') : this.fault(wanted)
  }

  /** Skips blanks, and the character if it comes next. */
  private sees(char: string): boolean {
    this.take(BLANKS)
    if (this.text[this.at] !== char) return false
    this.at++
    return true
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const token = pattern.exec(this.text)?.[0] ?? ''
    this.at += token.length
    return token
  }

  private fault(wanted: string): JsonFault {
    return new JsonFault(this.at, this.at < this.text.length ? `wanted ${wanted}` : `the end, wanted ${wanted}`)
  }
}
