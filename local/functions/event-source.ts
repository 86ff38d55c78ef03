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
  readonly warn: (text: string) => void
}

/**
 * Normally one invocation runs at a time, as with one warm Lambda instance, so that events are handled in order. Another is added only
 * when the oldest message has waited longer than this: then a slow delivery holds up nobody else. Milliseconds.
 */
const PATIENCE_MS = 100
const MAX_INVOCATIONS = 10

export class EventSource {
  readonly queue: Queue
  readonly function: Invocable
  readonly #options: EventSourceOptions
  #running = 0
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
    while (!this.#closed && this.queue.visible > 0 && this.#running < MAX_INVOCATIONS) {
      const wait = this.#running === 0 ? 0 : PATIENCE_MS - this.queue.waited(Date.now())!
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#dispatch(), wait)
        return
      }
      this.#running++
      void this.#handle(this.queue.receive(this.#options.batchSize))
    }
  }

  async #handle(records: SqsRecord[]): Promise<void> {
    const failures = await this.#failuresOf(records)
    if (this.#closed) return // the journal keeps these messages as not handled
    this.#running--
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
