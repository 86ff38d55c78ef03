/** Progress of long work on stderr: a bar on a terminal, elsewhere a line now and then. */
const WIDTH = 30
const LINE_EVERY_MS = 15_000

export class Progress {
  private readonly started = performance.now()
  private readonly total: number
  private readonly of: string
  private said = 0

  constructor(total: number, of: string) {
    this.total = total
    this.of = of
  }

  get seconds(): number {
    return (performance.now() - this.started) / 1000
  }

  at(done: number, more: string): void {
    const share = Math.min(1, done / this.total)
    const left = done === 0 ? '' : `, ${Math.round((this.seconds / done) * (this.total - done))} s left`
    const text = `${done}/${this.total} ${this.of}, ${more}${left}`
    if (process.stderr.isTTY) {
      const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')
      process.stderr.write(`\r[${bar}] ${text}\u001b[K`)
    } else if (performance.now() - this.said > LINE_EVERY_MS) {
      this.said = performance.now()
      process.stderr.write(`${text}\n`)
    }
  }

  /** A line of its own. */
  say(line: string): void {
    this.end()
    process.stderr.write(`${line}\n`)
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  }
}
