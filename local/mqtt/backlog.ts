/** Back-pressure: how many accepted events are not yet handled, and who waits until there is room for more. */
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
    // Woken one by one: each may fill the room that this made.
    while (!this.full && this.#waiting.length > 0) this.#waiting.shift()!()
  }

  /** Calls back once there is room; at once if there is. */
  whenRoom(go: () => void): void {
    if (this.full) this.#waiting.push(go)
    else go()
  }
}
