import { BackendError } from '../../lambda/core/errors.ts'

/** A piece of a rule's SQL; `text` of a string is what stands between its quotes. */
export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'sign' | 'end'
  readonly text: string
  /** Offset in the statement. */
  readonly at: number
}

const TOKEN = /\s*(?:(?<word>[A-Za-z_]\w*)|'(?<string>(?:[^']|'')*)'|(?<number>\d+)|(?<sign><>|[(),*=]))/y

/** Characters of a rule, as the quota page says. */
const MAX_LENGTH = 256 * 1024
/** Nested parentheses and calls. Our rules have three levels. */
const MAX_DEPTH = 32
/** The beginning of a statement, for an error. */
const shown = (sql: string): string => (sql.length <= 500 ? sql : `${sql.slice(0, 500)}...`)

/** The tokens of a rule's SQL, closed by an `end`; throws `rule-sql` on a character that our rules never use. */
function tokensOf(sql: string): Token[] {
  if (sql.length > MAX_LENGTH)
    throw new BackendError('rule-sql', `a statement of ${sql.length} characters, wanted at most ${MAX_LENGTH}: ${shown(sql)}`)
  const tokens: Token[] = []
  const scan = new RegExp(TOKEN)
  const end = sql.trimEnd().length
  while (scan.lastIndex < end) {
    const from = scan.lastIndex
    const found = scan.exec(sql)
    if (!found?.groups)
      throw new BackendError('rule-sql', `cannot read ${JSON.stringify(sql.slice(from, from + 20))} at ${from} of: ${shown(sql)}`)
    tokens.push(tokenOf(found.groups, from + found[0].length - found[0].trimStart().length))
  }
  return [...tokens, { kind: 'end', text: 'the end', at: end }]
}

function tokenOf(groups: Record<string, string | undefined>, at: number): Token {
  if (groups.string !== undefined) return { kind: 'string', text: groups.string.replaceAll("''", "'"), at }
  if (groups.word !== undefined) return { kind: 'word', text: groups.word, at }
  if (groups.number !== undefined) return { kind: 'number', text: groups.number, at }
  return { kind: 'sign', text: groups.sign ?? '', at }
}

/** Reads tokens one by one. A refusal says what was wanted, what was got and where. */
export class TokenReader {
  private readonly sql: string
  private readonly tokens: readonly Token[]
  private position = 0
  private depth = 0

  constructor(sql: string) {
    this.sql = sql
    this.tokens = tokensOf(sql)
  }

  get next(): Token {
    return this.tokens[this.position]!
  }

  take(kind: Token['kind'], wanted: string): Token {
    const token = this.next
    if (token.kind !== kind) throw this.refusal(wanted)
    this.position++
    return token
  }

  /** Whether the keyword or sign comes next; if so it is taken. Keywords are not case-sensitive. */
  accept(text: string): boolean {
    const { kind, text: found } = this.next
    const same = kind === 'sign' ? found === text : kind === 'word' && found.toUpperCase() === text
    if (same) this.position++
    return same
  }

  expect(text: string): void {
    if (!this.accept(text)) throw this.refusal(text)
  }

  /** Reads one level deeper. */
  inside<T>(read: () => T): T {
    if (++this.depth > MAX_DEPTH) throw this.refusal(`at most ${MAX_DEPTH} levels`)
    const inner = read()
    this.depth--
    return inner
  }

  refusal(wanted: string): BackendError {
    const { text, at } = this.next
    return new BackendError('rule-sql', `wanted ${wanted}, got ${JSON.stringify(shown(text))} at ${at} of: ${shown(this.sql)}`)
  }
}
