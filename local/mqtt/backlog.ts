/** Backpressure: counts the events that rules have queued and no function has handled yet. Publishes wait while there are too many. */
export class Backlog {
  readonly #limit: number
  #count = 0
  #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get full(): boolean {
    return this.#count >= this.#limit
  }

  added(): void {
    this.#count++
  }

  handled(): void {
    this.#count--
    // One waiter at a time: its event may fill the backlog again.
    while (!this.full && this.#waiting.length > 0) this.#waiting.shift()!()
  }

  /** Calls back once there is room; at once if there is. */
  whenRoom(go: () => void): void {
    if (this.full) this.#waiting.push(go)
    else go()
  }
}
