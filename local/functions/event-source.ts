/** An event source mapping: a queue's messages, in batches, to its function. */
import type { Queue } from '../sqs/queue.ts'
import type { SqsRecord } from '../sqs/record.ts'

/** A function that can be invoked; rejects with what went wrong, a timeout included. */
export interface Invocable {
  readonly name: string
  invoke(event: { readonly Records: readonly SqsRecord[] }): Promise<unknown>
}

export interface EventSourceOptions {
  readonly batchSize: number
  /** FunctionResponseTypes has ReportBatchItemFailures. */
  readonly partialResponses: boolean
  /** Invocations at a time, at most: ScalingConfig.MaximumConcurrency. Default: {@link MOST_AT_WORK}. */
  readonly maxConcurrency?: number
  readonly warn: (text: string) => void
}

/**
 * Normally one invocation runs at a time, as with one warm Lambda instance, so that events are handled in order. Another one begins when
 * the oldest message or each invocation under way has taken longer than this: a slow delivery holds up nobody else. Milliseconds.
 */
const PATIENCE_MS = 100
/** Where the template allows many invocations at a time (deliveries), it is so often the median of the latest ones, if that is shorter. */
const PATIENCE_IN_MEDIANS = 3
const LATEST = 15
/** An invocation that takes longer than this waits for a client, and is at work no more: it leaves its place to others. Milliseconds. */
const SLOW_MS = 1000
const MOST_AT_WORK = 10

export class EventSource {
  readonly queue: Queue
  readonly function: Invocable
  readonly #options: EventSourceOptions
  /** When the invocations under way began. Milliseconds. */
  readonly #running = new Set<{ readonly began: number }>()
  /** Milliseconds that the latest invocations took. */
  readonly #latest: number[] = []
  #scheduled = false
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(queue: Queue, target: Invocable, options: EventSourceOptions) {
    this.queue = queue
    this.function = target
    this.#options = options
  }

  /** Call it when a message has become visible. Messages of one turn of the event loop make one batch. */
  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#dispatch()
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #dispatch(): void {
    clearTimeout(this.#timer)
    while (!this.#closed && this.queue.visible > 0) {
      const wait = this.#wait(Date.now())
      if (wait === Number.POSITIVE_INFINITY) return
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#dispatch(), wait)
        return
      }
      void this.#handle(this.queue.receive(this.#options.batchSize))
    }
  }

  /** Milliseconds until another invocation may begin; infinite: not before one ends. */
  #wait(now: number): number {
    const { maxConcurrency = MOST_AT_WORK } = this.#options
    if (this.#running.size >= maxConcurrency) return Number.POSITIVE_INFINITY
    const ages = [...this.#running].map(({ began }) => now - began)
    const atWork = ages.filter((age) => age < SLOW_MS)
    if (atWork.length >= MOST_AT_WORK) return SLOW_MS - Math.max(...atWork)
    const patience = this.#patience()
    const fresh = ages.filter((age) => age < patience)
    return fresh.length === 0 ? 0 : patience - Math.max(this.queue.waited(now)!, Math.min(...fresh))
  }

  #patience(): number {
    if (this.#options.maxConcurrency === undefined || this.#latest.length < LATEST) return PATIENCE_MS
    const median = [...this.#latest].sort((a, b) => a - b)[Math.floor(LATEST / 2)]!
    return Math.min(PATIENCE_MS, PATIENCE_IN_MEDIANS * median)
  }

  async #handle(records: SqsRecord[]): Promise<void> {
    const invocation = { began: Date.now() }
    this.#running.add(invocation)
    const failures = await this.#failuresOf(records)
    if (this.#closed) return // the journal keeps these messages as not handled
    this.#running.delete(invocation)
    this.#latest.push(Date.now() - invocation.began)
    if (this.#latest.length > LATEST) this.#latest.shift()
    for (const { messageId, receiptHandle } of records) {
      const reason = failures.get(messageId)
      if (reason === undefined) this.queue.done(receiptHandle)
      else this.queue.failed(receiptHandle, reason)
    }
    this.#dispatch()
  }

  /** Message id -> why it failed. */
  async #failuresOf(records: readonly SqsRecord[]): Promise<Map<string, string>> {
    const all = (reason: string) => new Map(records.map(({ messageId }) => [messageId, reason]))
    try {
      const response = await this.function.invoke({ Records: records })
      if (!this.#options.partialResponses) return new Map()
      const ids = failedIds(response)
      // Where the report is unreadable or names an unknown message, Lambda takes the whole batch as failed.
      const readable = ids?.every((id) => records.some(({ messageId }) => messageId === id))
      return readable ? new Map(ids!.map((id) => [id, 'reported by the function'])) : all('an invalid batchItemFailures')
    } catch (error) {
      const { message } = error as Error
      if (!this.#closed) this.#options.warn(`${this.function.name}: ${records.length} events failed: ${message}`)
      return all(message)
    }
  }
}

/** No report, or an empty one, is a success. */
function failedIds(response: unknown): string[] | undefined {
  const failures = (response as { batchItemFailures?: unknown } | null | undefined)?.batchItemFailures ?? []
  if (!Array.isArray(failures)) return undefined
  const ids = failures.map((failure: { itemIdentifier?: unknown } | null) => failure?.itemIdentifier)
  return ids.every((id): id is string => typeof id === 'string' && id !== '') ? ids : undefined
}
