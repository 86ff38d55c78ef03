/**
 * A standard SQS queue in memory: at least once, a message is invisible while somebody handles it, and after too many receives it
 * goes to the dead letters. Unlike SQS it keeps the order of calm traffic, and knows its depth.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { Append } from '../journal.ts'
import type { KeptDeadLetter, KeptMessage } from '../kept-state.ts'

export interface QueueOptions {
  readonly name: string
  readonly arn: string
  /** Receives after which a failed message goes to the dead letters; absent: never. */
  readonly maxReceiveCount?: number
  /** How long a failed message stays invisible. */
  readonly retryAfterMs: number
  /** Called when a message is sent, visible at once or later. */
  readonly onEntered?: () => void
  /** Called when a message has left: handled, or a dead letter. */
  readonly onLeft?: () => void
  /** Told of every message that comes, goes or becomes a dead letter, before anybody else is. */
  readonly journal?: Append | undefined
}

export interface QueueMessage {
  readonly messageId: string
  readonly body: string
  readonly sentAt: number
  /** Since when it waits, milliseconds. */
  visibleAt: number
  receives: number
  firstReceivedAt?: number
}

export interface DeadLetter {
  readonly messageId: string
  readonly body: string
  /** When it became one, milliseconds. */
  readonly at: number
  readonly receives: number
  /** Of the last failure. */
  readonly reason: string
}

/** A record of the event that a queue's function gets (AWS Lambda developer guide, "Using Lambda with Amazon SQS"). */
export interface SqsRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly attributes: {
    readonly ApproximateReceiveCount: string
    readonly SentTimestamp: string
    readonly SenderId: string
    readonly ApproximateFirstReceiveTimestamp: string
  }
  readonly messageAttributes: Record<string, never>
  readonly md5OfBody: string
  readonly eventSource: 'aws:sqs'
  readonly eventSourceARN: string
  readonly awsRegion: string
}

export class Queue {
  readonly options: QueueOptions
  readonly deadLetters: DeadLetter[] = []
  /** Called when a message has become visible; set by who takes them. */
  onVisible: (() => void) | undefined
  #visible: QueueMessage[] = []
  readonly #invisible = new Map<QueueMessage, NodeJS.Timeout>()
  readonly #inFlight = new Map<string, QueueMessage>()

  constructor(options: QueueOptions) {
    this.options = options
  }

  get name(): string {
    return this.options.name
  }

  /** Messages that are neither handled nor dead letters. */
  get depth(): number {
    return this.#visible.length + this.#invisible.size + this.#inFlight.size
  }

  get visible(): number {
    return this.#visible.length
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Milliseconds since the oldest visible message became so; undefined for none. */
  waited(now: number): number | undefined {
    return this.#visible[0] && now - this.#visible[0].visibleAt
  }

  send(body: string, delayMs = 0): void {
    const now = Date.now()
    const message: QueueMessage = { messageId: randomUUID(), body, sentAt: now, visibleAt: now, receives: 0 }
    this.options.journal?.({ did: 'sent', queue: this.name, id: message.messageId, at: now, body })
    this.options.onEntered?.()
    if (delayMs > 0) this.#hide(message, delayMs)
    else this.#show(message)
  }

  /** A message of an earlier run under its own id: whoever began with it may go on. */
  restore({ id: messageId, at: sentAt, body }: KeptMessage): void {
    this.options.onEntered?.()
    this.#show({ messageId, body, sentAt, visibleAt: Date.now(), receives: 0 })
  }

  restoreDeadLetter({ id: messageId, body, diedAt: at, receives, reason }: KeptDeadLetter): void {
    this.deadLetters.push({ messageId, body, at, receives, reason })
  }

  /** At most so many messages, now in flight until {@link done} or {@link failed}. */
  receive(max: number): SqsRecord[] {
    return this.#visible.splice(0, max).map((message) => {
      message.receives++
      message.firstReceivedAt ??= Date.now()
      const receiptHandle = randomUUID()
      this.#inFlight.set(receiptHandle, message)
      return this.#record(message, receiptHandle)
    })
  }

  done(receiptHandle: string): void {
    const message = this.#inFlight.get(receiptHandle)
    if (!message) return
    this.options.journal?.({ did: 'left', id: message.messageId, at: Date.now() })
    this.#inFlight.delete(receiptHandle)
    this.options.onLeft?.()
  }

  failed(receiptHandle: string, reason: string): void {
    const message = this.#inFlight.get(receiptHandle)
    if (!message) return
    this.#inFlight.delete(receiptHandle)
    const { maxReceiveCount = Number.POSITIVE_INFINITY, retryAfterMs } = this.options
    if (message.receives < maxReceiveCount) this.#hide(message, retryAfterMs)
    else {
      const { messageId, body, receives } = message
      const at = Date.now()
      this.options.journal?.({ did: 'died', id: messageId, at, receives, reason })
      this.deadLetters.push({ messageId, body, at, receives, reason })
      this.options.onLeft?.()
    }
  }

  /** Sends the dead letters again, as new messages. How many. */
  redrive(): number {
    const letters = this.deadLetters.splice(0)
    for (const { messageId, body } of letters) {
      this.send(body)
      this.options.journal?.({ did: 'left', id: messageId, at: Date.now() })
    }
    return letters.length
  }

  close(): void {
    for (const timer of this.#invisible.values()) clearTimeout(timer)
  }

  #show(message: QueueMessage): void {
    this.#visible.push(message)
    this.onVisible?.()
  }

  #hide(message: QueueMessage, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#invisible.delete(message)
      message.visibleAt = Date.now()
      this.#show(message)
    }, milliseconds)
    this.#invisible.set(message, timer)
  }

  #record(message: QueueMessage, receiptHandle: string): SqsRecord {
    return {
      messageId: message.messageId,
      receiptHandle,
      body: message.body,
      attributes: {
        ApproximateReceiveCount: `${message.receives}`,
        SentTimestamp: `${message.sentAt}`,
        SenderId: 'local',
        ApproximateFirstReceiveTimestamp: `${message.firstReceivedAt}`,
      },
      messageAttributes: {},
      md5OfBody: createHash('md5').update(message.body).digest('hex'),
      eventSource: 'aws:sqs',
      eventSourceARN: this.options.arn,
      awsRegion: this.options.arn.split(':')[3] ?? '',
    }
  }
}
