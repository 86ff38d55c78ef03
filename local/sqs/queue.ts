/**
 * A standard SQS queue in memory: at least once, a message is invisible while somebody handles it, and after too many receives it
 * moves to the queue of dead letters. Unlike SQS it keeps the order of calm traffic, and knows its depth.
 */
import { randomUUID } from 'node:crypto'
import type { Append, KeptDeadLetter, KeptMessage } from '../state/kept-state.ts'
import { recordOf, type SqsRecord } from './record.ts'

export interface QueueOptions {
  /** Of the construct: `MessagePublishQueueEvents`. */
  readonly name: string
  readonly arn: string
  /** Where a message goes that failed so often; absent: it is tried for ever. */
  readonly redrivePolicy?: { readonly maxReceiveCount: number; readonly deadLetters: Queue }
  /** How long a failed message stays invisible. */
  readonly retryAfterMs: number
  /** Called when a message is sent, visible at once or later. */
  readonly onEntered?: () => void
  /** Called when a message has left: handled, or a dead letter. */
  readonly onLeft?: () => void
  /** Told of every message that comes, goes or becomes a dead letter, before anybody else is. */
  readonly journal?: Append | undefined
}

export interface HeldMessage {
  readonly messageId: string
  readonly body: string
  /** Milliseconds; stays when the message becomes a dead letter, as in SQS. */
  readonly sentAt: number
  receives: number
  /** When it became a dead letter, milliseconds. */
  deadAt?: number
  /** Of the last failure. */
  reason?: string
}

interface QueueMessage extends HeldMessage {
  /** Since when it waits, milliseconds. */
  visibleAt: number
  firstReceivedAt?: number
}

interface InFlight {
  readonly message: QueueMessage
  /** Ends the visibility timeout of who has one. */
  readonly timer?: NodeJS.Timeout
}

export class Queue {
  readonly options: QueueOptions
  /** Called when a message has become visible; set by who takes them. */
  onVisible: (() => void) | undefined
  #visible: QueueMessage[] = []
  readonly #invisible = new Map<QueueMessage, NodeJS.Timeout>()
  readonly #inFlight = new Map<string, InFlight>()

  constructor(options: QueueOptions) {
    this.options = options
  }

  get name(): string {
    return this.options.name
  }

  /** As SQS knows it. */
  get queueName(): string {
    return this.options.arn.split(':').at(-1)!
  }

  /** Messages that are not handled, dead letters of this queue apart. */
  get depth(): number {
    return this.#visible.length + this.#invisible.size + this.#inFlight.size
  }

  get visible(): number {
    return this.#visible.length
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  get delayed(): number {
    return this.#invisible.size
  }

  /** What failed here too often. */
  get deadLetters(): readonly HeldMessage[] {
    return this.options.redrivePolicy?.deadLetters.messages() ?? []
  }

  /** Milliseconds since the oldest visible message became so; undefined for none. */
  waited(now: number): number | undefined {
    return this.#visible[0] && now - this.#visible[0].visibleAt
  }

  /** Returns the message's id. */
  send(body: string, delayMs = 0): string {
    const now = Date.now()
    const message: QueueMessage = { messageId: randomUUID(), body, sentAt: now, visibleAt: now, receives: 0 }
    this.options.journal?.({ did: 'sent', queue: this.name, id: message.messageId, at: now, body })
    this.options.onEntered?.()
    if (delayMs > 0) this.#hide(message, delayMs)
    else this.#show(message)
    return message.messageId
  }

  /** A message of an earlier run under its own id: whoever began with it may go on. */
  restore({ id: messageId, at: sentAt, body }: KeptMessage): void {
    this.options.onEntered?.()
    this.#show({ messageId, body, sentAt, visibleAt: 0, receives: 0 })
  }

  restoreDeadLetter({ id: messageId, at: sentAt, body, diedAt: deadAt, receives, reason }: KeptDeadLetter): void {
    const { redrivePolicy } = this.options
    if (redrivePolicy) redrivePolicy.deadLetters.#show({ messageId, body, sentAt, visibleAt: 0, receives, deadAt, reason })
  }

  /**
   * At most so many messages, now in flight until {@link done} or {@link failed}.
   * @param visibilityMs after which one that is still in flight is visible again; absent: never
   */
  receive(max: number, visibilityMs?: number): SqsRecord[] {
    return this.#visible.splice(0, max).map((message) => {
      message.receives++
      message.firstReceivedAt ??= Date.now()
      const receiptHandle = randomUUID()
      this.#hold(receiptHandle, message, visibilityMs)
      return recordOf(message, receiptHandle, this.options.arn)
    })
  }

  done(receiptHandle: string): void {
    const message = this.#inFlight.get(receiptHandle)?.message
    if (!message) return
    this.options.journal?.({ did: 'left', id: message.messageId, at: Date.now() })
    this.#release(receiptHandle)
    this.options.onLeft?.()
  }

  failed(receiptHandle: string, reason: string): void {
    const message = this.#release(receiptHandle)
    if (!message) return
    const { redrivePolicy, retryAfterMs } = this.options
    if (!redrivePolicy || message.receives < redrivePolicy.maxReceiveCount) this.#hide(message, retryAfterMs)
    else {
      const at = Date.now()
      this.options.journal?.({ did: 'died', id: message.messageId, at, receives: message.receives, reason })
      redrivePolicy.deadLetters.#show(Object.assign(message, { deadAt: at, reason }))
      this.options.onLeft?.()
    }
  }

  /** How long a message in flight stays so from now on; 0: it is visible at once. False if it is not in flight. */
  changeVisibility(receiptHandle: string, visibilityMs: number): boolean {
    const message = this.#release(receiptHandle)
    if (!message) return false
    if (visibilityMs > 0) this.#hold(receiptHandle, message, visibilityMs)
    else this.#show(message)
    return true
  }

  /** What is not handled yet, in the order of sending. */
  messages(): HeldMessage[] {
    const all = [...[...this.#inFlight.values()].map(({ message }) => message), ...this.#invisible.keys(), ...this.#visible]
    return all.sort((a, b) => a.sentAt - b.sentAt).map(({ visibleAt: _, firstReceivedAt: __, ...message }) => message)
  }

  close(): void {
    for (const timer of this.#invisible.values()) clearTimeout(timer)
    for (const { timer } of this.#inFlight.values()) clearTimeout(timer)
  }

  #show(message: QueueMessage): void {
    message.visibleAt = Date.now()
    this.#visible.push(message)
    this.onVisible?.()
  }

  #hide(message: QueueMessage, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#invisible.delete(message)
      this.#show(message)
    }, milliseconds)
    this.#invisible.set(message, timer)
  }

  #hold(receiptHandle: string, message: QueueMessage, visibilityMs: number | undefined): void {
    const expire = () => void this.changeVisibility(receiptHandle, 0)
    this.#inFlight.set(receiptHandle, visibilityMs === undefined ? { message } : { message, timer: setTimeout(expire, visibilityMs) })
  }

  #release(receiptHandle: string): QueueMessage | undefined {
    const held = this.#inFlight.get(receiptHandle)
    clearTimeout(held?.timer)
    this.#inFlight.delete(receiptHandle)
    return held?.message
  }
}
