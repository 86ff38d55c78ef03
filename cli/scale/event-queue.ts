/** The queue between rules and function. It shows an event on which the function failed again after the visibility timeout. */

/** Numbers of events: of all topics, and of each topic that the model looks at singly. */
export interface Events {
  readonly all: number
  readonly topics: readonly number[]
}

export class EventQueue {
  readonly #retryAfter: number
  /** Second -> events that are shown again in it. */
  readonly #hidden = new Map<number, Events>()
  #shown: Events
  #hiddenCount = 0

  /** `retryAfter`: seconds, the queue's visibility timeout. */
  constructor(retryAfter: number, topics: number) {
    this.#retryAfter = retryAfter
    this.#shown = { all: 0, topics: Array.from({ length: topics }, () => 0) }
  }

  get shown(): number {
    return this.#shown.all
  }
  get waiting(): number {
    return this.#shown.all + this.#hiddenCount
  }

  /** Adds the events that came in this second, and those that are shown again in it. */
  arrive(second: number, events: Events): void {
    const again = this.#hidden.get(second)
    this.#hidden.delete(second)
    this.#hiddenCount -= again?.all ?? 0
    for (const some of [events, again]) if (some !== undefined) this.#shown = added(this.#shown, some, 1)
  }

  /** Takes so many events, of each topic in proportion. */
  take(all: number): Events {
    const part = this.#shown.all === 0 ? 0 : all / this.#shown.all
    const taken = { all, topics: this.#shown.topics.map((count) => count * part) }
    this.#shown = added(this.#shown, taken, -1)
    return taken
  }

  failed(second: number, taken: Events, done: Events): void {
    const failed = added(taken, done, -1)
    if (failed.all <= 0) return
    this.#hidden.set(second + this.#retryAfter, failed)
    this.#hiddenCount += failed.all
  }
}

const added = (a: Events, b: Events, times: 1 | -1): Events => ({
  all: Math.max(0, a.all + times * b.all),
  topics: a.topics.map((count, i) => Math.max(0, count + times * b.topics[i]!)),
})
