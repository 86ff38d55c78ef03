/** What a local queue holds. */

export interface HeldMessage {
  readonly messageId: string
  readonly body: string
  /** Milliseconds; stays when the message becomes a dead letter, as in SQS. */
  readonly sentAt: number
  receives: number
  /** When it became a dead letter, milliseconds. */
  deadAt?: number
  /** Why the last try failed. */
  reason?: string
}

export interface QueueMessage extends HeldMessage {
  /** Since when the message is visible, milliseconds. */
  visibleAt: number
  firstReceivedAt?: number
}
