/**
 * What a publish requests of the function that delivers: storing never waits for delivering (I15). It is a message of that function's queue.
 *
 * {deliver: {topic, queued: [{msgid, seq, repeated}]}}   messages of the topic's queue, oldest first
 * {deliver: {topic, unqueued: {...}}}                    a message that is on no queue, whole; its payload in base64
 */
import type { Message } from './message.ts'
import type { TopicRow } from './topic-row.ts'

/** A message that was named on its topic's queue. */
export interface Named {
  readonly msgid: string
  /** Number of the head that named it: it can only move to that segment. */
  readonly seq: number
  /** A repeated event stored it, or may have: the queue may name it twice. */
  readonly repeated: boolean
}

export interface DeliveryRequest {
  readonly topic: string
  readonly queued: readonly Named[]
  readonly unqueued?: Message | undefined
}

export interface Stored {
  readonly message: Message
  /** A repeated event stored it, or may have: the queue may name it twice. */
  readonly repeated: boolean
}

/** One topic's new messages, oldest first, and its row as of the moment they were added. */
export interface Queued {
  readonly row: TopicRow
  readonly stored: readonly Stored[]
}
