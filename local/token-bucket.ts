/** Rate limits as AWS's quotas state them: so many a second. */

export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  readonly #now: () => number
  #tokens: number
  #at: number

  /** @param burst at most so many at once */
  constructor(perSecond: number, burst = perSecond, now: () => number = Date.now) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#now = now
    this.#tokens = burst
    this.#at = now()
  }

  /** False: one more would exceed the rate. */
  take(): boolean {
    const now = this.#now()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond)
    this.#at = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** When it was last asked, ms. */
  get askedAt(): number {
    return this.#at
  }
}

/** One rate limit for each key. */
export class TokenBuckets {
  readonly #perSecond: number
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  take(key: string): boolean {
    if (this.#buckets.size > 10_000) this.#dropFull()
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#perSecond)
    this.#buckets.set(key, bucket)
    return bucket.take()
  }

  /** A bucket that nobody asked for a second is full, as a new one is. */
  #dropFull(): void {
    const before = Date.now() - 1000
    for (const [key, { askedAt }] of this.#buckets) if (askedAt < before) this.#buckets.delete(key)
  }
}
