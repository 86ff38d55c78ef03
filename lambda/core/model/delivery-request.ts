/**
 * What a publish requests of the function that delivers: storing never waits for delivering (I15). It is a message of that function's queue.
 *
 * {deliver: {topic, queued: [{msgid, seq, repeated}]}}   messages of the topic's queue, oldest first
 * {deliver: {topic, unqueued: {...}}}                    a message that is on no queue, whole; its payload in base64
 */
import type { Message } from './message.ts'

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

export function deliveryRequestBody({ topic, queued, unqueued }: DeliveryRequest): object {
  if (unqueued === undefined) return { deliver: { topic, queued } }
  return { deliver: { topic, unqueued: { ...unqueued, payload: unqueued.payload.toString('base64') } } }
}
