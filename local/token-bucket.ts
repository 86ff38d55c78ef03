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

  /** False: one more (or so many) would exceed the rate. */
  take(count = 1): boolean {
    this.#fill()
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  /** Takes so many even above the rate. Returns for how long nothing more should be taken, ms. */
  spend(count: number): number {
    this.#fill()
    this.#tokens -= count
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000
  }

  #fill(): void {
    const now = this.#now()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond)
    this.#at = now
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

  /** A bucket that nobody used for a second is full, like a new one: it can go. */
  #dropFull(): void {
    const before = Date.now() - 1000
    for (const [key, { askedAt }] of this.#buckets) if (askedAt < before) this.#buckets.delete(key)
  }
}
