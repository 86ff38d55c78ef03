/**
 * A standard SQS queue in memory: a message is delivered at least once, is invisible while a receiver has it, and moves to the
 * dead-letter queue after too many receives. Unlike SQS it is first in, first out while nothing fails, and knows its exact depth.
 */
import { randomUUID } from 'node:crypto'
import type { Append, KeptDeadLetter, KeptMessage } from '../state/kept-state.ts'
import type { HeldMessage, QueueMessage } from './queue-message.ts'
import { recordOf, type SqsRecord } from './record.ts'

export interface QueueOptions {
  /** The construct's name: `MessagePublishQueueEvents`. */
  readonly name: string
  readonly arn: string
  /** Where a message goes after so many failures. Absent: it is tried for ever. */
  readonly redrivePolicy?: { readonly maxReceiveCount: number; readonly deadLetters: Queue }
  /** How long a failed message stays invisible. */
  readonly retryAfterMs: number
  /** Called when a message is sent, visible at once or later. */
  readonly onEntered?: (bytes: number) => void
  /** Called when a message has left: handled, or a dead letter. */
  readonly onLeft?: (bytes: number) => void
  /** Every message that is sent, received, handled or dead is written to it first. */
  readonly journal?: Append | undefined
  readonly warn?: (text: string) => void
  /** Default 128 MB. */
  readonly maxBytes?: number
}

/** A limit of the local run: SQS has none, but the memory of a laptop is limited. In characters; nearly each is one byte. */
const MAX_BYTES = 128 * 1024 * 1024

interface InFlight {
  readonly message: QueueMessage
  /** Ends the visibility timeout. Absent: there is none. */
  readonly timer?: NodeJS.Timeout
}

export class Queue {
  readonly options: QueueOptions
  /** Called when a message has become visible. The event source sets it. */
  onVisible: (() => void) | undefined
  #visible: QueueMessage[] = []
  readonly #invisible = new Map<QueueMessage, NodeJS.Timeout>()
  readonly #inFlight = new Map<string, InFlight>()
  /** Of the bodies of all its messages. */
  #bytes = 0

  constructor(options: QueueOptions) {
    this.options = options
  }

  get name(): string {
    return this.options.name
  }

  /** The name in AWS: the last part of the ARN. */
  get queueName(): string {
    return this.options.arn.split(':').at(-1)!
  }

  /** Messages that are not handled yet; dead letters are not counted. */
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

  /** Messages of this queue that failed too often. */
  get deadLetters(): readonly HeldMessage[] {
    return this.options.redrivePolicy?.deadLetters.messages() ?? []
  }

  /** For how long the oldest visible message has been visible, ms; undefined: none is. */
  waited(now: number): number | undefined {
    return this.#visible[0] && now - this.#visible[0].visibleAt
  }

  /** Returns the message's id. */
  send(body: string, delayMs = 0): string {
    const now = Date.now()
    const message: QueueMessage = { messageId: randomUUID(), body, sentAt: now, visibleAt: now, receives: 0 }
    this.#makeRoom(message)
    this.options.journal?.({ did: 'sent', queue: this.name, id: message.messageId, at: now, body })
    this.#entered(message)
    if (delayMs > 0) this.#hide(message, delayMs)
    else this.#show(message)
    return message.messageId
  }

  /** A message of an earlier run keeps its id: a handler that had begun with it recognizes it by the id. */
  restore({ id: messageId, at: sentAt, body, receives }: KeptMessage): void {
    const message = { messageId, body, sentAt, visibleAt: 0, receives }
    this.#entered(message)
    this.#show(message)
  }

  restoreDeadLetter({ id: messageId, at: sentAt, body, diedAt: deadAt, receives, reason }: KeptDeadLetter): void {
    const { redrivePolicy } = this.options
    if (redrivePolicy) redrivePolicy.deadLetters.#bury({ messageId, body, sentAt, visibleAt: 0, receives, deadAt, reason })
  }

  /**
   * Takes at most so many messages. They are in flight until {@link done} or {@link failed}.
   * @param visibilityMs after so long a message in flight is visible again; absent: never
   */
  receive(max: number, visibilityMs?: number): SqsRecord[] {
    const received = this.#visible.splice(0, max)
    const now = Date.now()
    for (const message of received) message.receives++
    // Written before a handler sees them: after a kill it must know that an earlier try has begun.
    if (received.length > 0)
      this.options.journal?.({ did: 'received', at: now, messages: received.map(({ messageId, receives }) => [messageId, receives]) })
    return received.map((message) => {
      message.firstReceivedAt ??= now
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
    this.#left(message)
  }

  failed(receiptHandle: string, reason: string): void {
    const message = this.#release(receiptHandle)
    if (!message) return
    const { redrivePolicy, retryAfterMs } = this.options
    if (!redrivePolicy || message.receives < redrivePolicy.maxReceiveCount) this.#hide(message, retryAfterMs)
    else {
      const at = Date.now()
      this.options.journal?.({ did: 'died', id: message.messageId, at, receives: message.receives, reason })
      this.#left(message)
      redrivePolicy.deadLetters.#bury(Object.assign(message, { deadAt: at, reason }))
    }
  }

  /** A message in flight stays so for `visibilityMs` from now on; 0: it is visible at once. Returns false if it is not in flight. */
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

  /** Whether one more body is within its bytes. */
  hasRoom(body: string): boolean {
    return this.#bytes + body.length <= (this.options.maxBytes ?? MAX_BYTES)
  }

  close(): void {
    for (const timer of this.#invisible.values()) clearTimeout(timer)
    for (const { timer } of this.#inFlight.values()) clearTimeout(timer)
  }

  #entered({ body }: QueueMessage): void {
    this.#bytes += body.length
    this.options.onEntered?.(body.length)
  }

  #left({ body }: QueueMessage): void {
    this.#bytes -= body.length
    this.options.onLeft?.(body.length)
  }

  #bury(message: QueueMessage): void {
    this.#makeRoom(message)
    this.#entered(message)
    this.#show(message)
  }

  /** In a queue that nobody reads (dead letters, rule errors) the oldest messages make room. */
  #makeRoom({ body }: QueueMessage): void {
    let dropped = 0
    while (!this.hasRoom(body) && this.#visible.length > 0) {
      const oldest = this.#visible.shift()!
      this.options.journal?.({ did: 'left', id: oldest.messageId, at: Date.now() })
      this.#left(oldest)
      dropped++
    }
    if (dropped > 0) this.options.warn?.(`${this.name} is full: ${dropped} messages dropped, the oldest ones`)
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
