/**
 * What is requested of the function that delivers, by a publish, because storing never waits for delivering, or by a delivery that lets go
 * of its invocation (I15). It is a message of that function's queue.
 *
 * {deliver: {topic, queued: [{msgid, seq, repeated}]}}   messages of the topic's queue, oldest first
 * {deliver: {topic, unqueued: {...}}}                    a message that is on no queue, whole; its payload in base64
 * {deliver: {topic, goesOn: {at, seat, left}}}           the next slice of a delivery that has let go
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
  readonly goesOn?: GoesOn | undefined
}

/** What a delivery that has let go leaves to the next invocation. */
export interface GoesOn {
  /** Milliseconds: expiry and time_range count from here. */
  readonly at: number
  /** Whose queue is drained; absent: the topic's is dispatched to its durable subscribers. `since` in milliseconds. */
  readonly seat?: { readonly entry: string; readonly session: string; readonly since: number; readonly spill?: number } | undefined
  /** Messages that the client may still get; absent: all. */
  readonly left?: number | undefined
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
