/** How far it is: a bar on a terminal, elsewhere a plain line every few seconds. */

export interface Progress {
  /** A new phase, of so many steps; undefined: nobody knows how many. */
  phase(name: string, total?: number): void
  at(done: number): void
  /** The current phase's name. */
  readonly name: string
  end(): void
}

interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const BAR = 30
const REDRAW_MS = 100
const LINE_MS = 5_000

export function progressOn(out: Output, now: () => number = Date.now): Progress {
  const terminal = out.isTTY === true
  let [name, total, told] = ['', undefined as number | undefined, 0]

  function tell(done: number): void {
    told = now()
    const count = total === undefined ? `${done}` : `${done} of ${total}`
    if (!terminal) out.write(`soak: ${name}, ${count}\n`)
    else if (total === undefined) out.write(`\r\x1b[K${name} ${count}`)
    else {
      const full = Math.round((BAR * Math.min(done, total)) / Math.max(total, 1))
      out.write(`\r\x1b[K${name} [${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${count}`)
    }
  }

  return {
    get name() {
      return name
    },
    phase(next, steps) {
      if (terminal && name !== '') out.write('\n')
      name = next
      total = steps
      if (terminal) tell(0)
      else out.write(`soak: ${name}\n`)
      told = now()
    },
    at(done) {
      if (now() - told >= (terminal ? REDRAW_MS : LINE_MS)) tell(done)
    },
    end() {
      if (terminal) out.write('\r\x1b[K')
    },
  }
}
