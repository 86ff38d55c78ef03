/** A rate limit for each key: so many calls a second, and at most so many at once. */
export class TokenBuckets {
  readonly #perSecond: number
  readonly #now: () => number
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  constructor(perSecond: number, now: () => number = Date.now) {
    this.#perSecond = perSecond
    this.#now = now
  }

  take(key: string): boolean {
    const now = this.#now()
    if (this.#buckets.size > 10_000) this.#dropFull(now)
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.#perSecond, at: now }
    const filled = Math.min(this.#perSecond, tokens + ((now - at) / 1000) * this.#perSecond)
    const taken = filled >= 1
    this.#buckets.set(key, { tokens: taken ? filled - 1 : filled, at: now })
    return taken
  }

  #dropFull(now: number): void {
    for (const [key, { at }] of this.#buckets) if (now - at > 1000) this.#buckets.delete(key)
  }
}
