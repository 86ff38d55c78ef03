/** Backpressure: counts the events that rules have queued and no function has handled yet. Publishes wait while there are too many. */

/** A limit in bytes beside that of events: 1,000 events of 128 KB are 128 MB. */
const MAX_BYTES = 64 * 1024 * 1024

export class Backlog {
  readonly #limit: number
  readonly #maxBytes: number
  #count = 0
  #bytes = 0
  #waiting: (() => void)[] = []

  /** @param limit events */
  constructor(limit: number, maxBytes = MAX_BYTES) {
    this.#limit = limit
    this.#maxBytes = maxBytes
  }

  get full(): boolean {
    return this.#count >= this.#limit || this.#bytes >= this.#maxBytes
  }

  added(bytes: number): void {
    this.#count++
    this.#bytes += bytes
  }

  handled(bytes: number): void {
    this.#count--
    this.#bytes -= bytes
    // One waiter at a time goes on: its event may fill the backlog again.
    while (!this.full && this.#waiting.length > 0) this.#waiting.shift()!()
  }

  /** Calls back once there is room; at once if there is. */
  whenRoom(go: () => void): void {
    if (this.full) this.#waiting.push(go)
    else go()
  }
}
