/** Shows on stderr how far long work is: with a bar on a terminal, elsewhere with a line every few seconds. */

interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const BAR = 30
const REDRAW_MS = 100
const LINE_MS = 5_000
const START_OF_EMPTY_LINE = '\r\x1b[K'

export class Progress {
  readonly #command: string
  readonly #out: Output
  readonly #now: () => number
  readonly #began: number
  #phase = { name: '', total: undefined as number | undefined, began: 0 }
  #toldAt: number

  /** @param command its name begins each line that is no bar */
  constructor(command: string, out: Output = process.stderr, now: () => number = Date.now) {
    this.#command = command
    this.#out = out
    this.#now = now
    this.#began = now()
    this.#toldAt = this.#began
  }

  /** Time since the beginning. */
  get seconds(): number {
    return (this.#now() - this.#began) / 1000
  }

  /** The present phase. */
  get name(): string {
    return this.#phase.name
  }

  /** Work of so many steps begins; undefined: nobody knows how many. */
  begin(name: string, total?: number): void {
    this.#phase = { name, total, began: this.#now() }
  }

  /** The same for work with several phases: a line that stays names the phase. */
  phase(name: string, total?: number): void {
    this.say(name)
    this.begin(name, total)
  }

  /** @param more a further fact about the work so far */
  at(done: number, more = ''): void {
    const interval = this.#out.isTTY ? REDRAW_MS : LINE_MS
    if (this.#now() - this.#toldAt < interval) return
    this.#toldAt = this.#now()
    const { name, total } = this.#phase
    const facts = [total === undefined ? `${done}` : `${done} of ${total}`, more, this.#left(done)].filter((fact) => fact !== '').join(', ')
    if (!this.#out.isTTY) this.#out.write(`${this.#command}: ${name}, ${facts}\n`)
    else this.#out.write(`${START_OF_EMPTY_LINE}${name} ${total === undefined ? '' : bar(done / total)}${facts}`)
  }

  /** A line that stays. */
  say(line: string): void {
    this.end()
    this.#out.write(`${this.#command}: ${line}\n`)
  }

  /** Removes the bar. */
  end(): void {
    if (this.#out.isTTY) this.#out.write(START_OF_EMPTY_LINE)
  }

  #left(done: number): string {
    const { total, began } = this.#phase
    if (total === undefined || done === 0) return ''
    const seconds = ((this.#now() - began) / 1000 / done) * Math.max(0, total - done)
    return `${Math.round(seconds)} s left`
  }
}

function bar(part: number): string {
  const full = Math.round(BAR * Math.min(1, part))
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] `
}
