/**
 * The lines of an EMQX 3.x/4.x conf file (cuttlefish's grammar):
 *
 *     setting     = key "=" value      the first "=" splits; the value is the rest of the line without its blanks
 *     key         = word { "." word }  word = letters, digits, _ @ / : - or an escaped dot "\."
 *     comment     = "#" ...            only at the start of a line: a "#" inside a value is data ("topic": "#")
 *     include     = "include" path     relative to the including file
 *     placeholder = "{{ ... }}"        of a template that was never rendered
 *
 * No message repeats a line: the line may hold a credential (I10).
 */
import { dirname, isAbsolute, join, normalize } from 'node:path'
import { LINE_END, utf8Text } from './utf-8.ts'

/** An error or a warning about a line of a conf. */
export interface ConfProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly message: string
}

/** Where a line stands. `order` counts lines as they are read, included files too: problems are reported in that order. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly order: number
}

export interface Setting {
  readonly place: Place
  /** The words of the key; `\\.` in a word is a dot here. */
  readonly words: readonly string[]
  readonly value: string
  /** Characters of the line before the value. */
  readonly offset: number
}

/** How a conf is read. */
export interface ConfReader {
  /** Name of the conf in messages. */
  readonly file: string
  /** Returns an included file. `path` is as written, `fromFile` the file that includes it. Throws if it cannot be read. */
  readonly readInclude?: (path: string, fromFile: string) => string | Uint8Array
}

export interface Report {
  error(place: Place, message: string): void
  warning(place: Place, message: string): void
}

const SETTING = /^([ \t]*([^ \t=]+)[ \t]*=[ \t]*)(.*)$/s
const KEY = /^(?:[\w@/:-]|\\\.)+(?:\.(?:[\w@/:-]|\\\.)+)*$/
const INCLUDE = /^include(?:[ \t]+(?!=)(.*))?$/s
const PLACEHOLDER = /^\{\{.*\}\}$/s
const WORD_OF_KEY = /(?:[^.\\]|\\\.)+/g
/** A key that a message may repeat: short plain words. In any other key a credential may stand. */
const PLAIN_KEY = /^[a-z]+(?:\.[A-Za-z0-9_-]{1,32})+$/

/** Keys that say something without a value. */
const EMPTY_KEYS = ['backend.dynamo.durable.prefix']

/** Characters of one file. */
const MAX_LENGTH = 1024 * 1024
/** In all: files that each include the next one twice would double with every level. */
const MAX_INCLUDES = 100
const MAX_PATH = 255

/**
 * All settings in the order of the file. If a key comes twice the last one wins, as in EMQX, and a warning tells it.
 * @throws EncodingFault for a file that is not UTF-8
 */
export function readSettings(conf: string | Uint8Array, reader: ConfReader, report: Report): Setting[] {
  const settings = new Map<string, Setting>()
  const lines = new LineReader(reader, report, (setting) => {
    const key = setting.words.join('\0')
    const earlier = settings.get(key)
    if (earlier !== undefined)
      report.warning(setting.place, `${shownKey(setting.words)} replaces ${placeName(earlier.place)}: the last one wins`)
    settings.delete(key)
    settings.set(key, setting)
  })
  lines.read(conf, [reader.file])
  return [...settings.values()]
}

export const shownKey = (words: readonly string[]): string => {
  const key = words.join('.')
  return PLAIN_KEY.test(key) ? key : 'this key'
}

const placeName = (place: Place) => `${place.file}:${place.line}`

class LineReader {
  private order = 0
  private includes = 0
  private readonly reader: ConfReader
  private readonly report: Report
  private readonly found: (setting: Setting) => void
  constructor(reader: ConfReader, report: Report, found: (setting: Setting) => void) {
    this.reader = reader
    this.report = report
    this.found = found
  }

  /** @param chain the files that include this one, outermost first, then this one */
  read(conf: string | Uint8Array, chain: readonly string[]): void {
    const file = chain.at(-1) ?? this.reader.file
    const text = typeof conf === 'string' ? conf : utf8Text(conf, file)
    if (text.length > MAX_LENGTH) {
      this.report.error(
        { file, line: 1, order: this.order++ },
        `a file of ${text.length} characters, wanted a conf of at most ${MAX_LENGTH}`,
      )
      return
    }
    const withoutMark = text.replace(/^\ufeff/, '')
    for (const [i, line] of withoutMark.split(LINE_END).entries()) {
      const place = { file, line: i + 1, order: this.order++ }
      const fault = this.readLine(line, place, chain)
      if (fault !== undefined) this.report.error(place, fault)
    }
  }

  /** Returns what is wrong with the line, or undefined. */
  private readLine(line: string, place: Place, chain: readonly string[]): string | undefined {
    const content = line.trim()
    if (content === '' || content.startsWith('#')) return undefined
    if (content.includes('\ufffd')) return 'U+FFFD, which stands for a character that was lost in decoding, wanted the file in UTF-8'
    if (PLACEHOLDER.test(content)) {
      this.report.warning(place, 'a {{ placeholder }} of a template that was never filled in: the line is ignored')
      return undefined
    }
    const include = INCLUDE.exec(content)
    return include ? this.readInclude(include[1] ?? '', place, chain) : this.readSetting(line, place)
  }

  private readSetting(line: string, place: Place): string | undefined {
    const [, head, key, value] = SETTING.exec(line) ?? []
    if (head === undefined || key === undefined || value === undefined) {
      return 'not a line of a conf file, wanted: key = value, include PATH or # comment'
    }
    if (!KEY.test(key)) return 'bad key, wanted words of letters, digits and _ @ / : - with a dot between two'
    const words = (key.match(WORD_OF_KEY) ?? []).map((word) => word.replaceAll('\\.', '.'))
    if (value.trim() === '' && !EMPTY_KEYS.includes(words.join('.'))) return `${shownKey(words)} has no value`
    this.found({ place, words, value: value.trim(), offset: head.length })
    return undefined
  }

  private readInclude(path: string, place: Place, chain: readonly string[]): string | undefined {
    if (path === '') return 'include without a file, wanted: include PATH'
    if (this.reader.readInclude === undefined) return 'include is not supported here, wanted all settings in one file'
    const file = isAbsolute(path) ? normalize(path) : join(dirname(place.file), path)
    if (file.length > MAX_PATH) return `include of ${file.length} characters, wanted a path of at most ${MAX_PATH}`
    if (chain.some((each) => normalize(each) === file)) return `include goes in a circle: ${[...chain, file].join(' -> ')}`
    if (++this.includes > MAX_INCLUDES) return `include number ${this.includes}, wanted at most ${MAX_INCLUDES} in all`
    let text: string | Uint8Array
    try {
      text = this.reader.readInclude(path, place.file)
    } catch (error) {
      const code = (error as { code?: unknown } | null)?.code
      return `cannot read the included file ${path}${typeof code === 'string' ? ` (${code})` : ''}`
    }
    this.read(text, [...chain, file])
    return undefined
  }
}
