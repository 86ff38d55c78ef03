/** One thing that the depth block measures, and where. */
import type { Clients } from './handlers.ts'
import { type Original, originalMsgid } from './original.ts'
import type { Tables } from './six-tables.ts'

export interface DepthFigure {
  readonly name: string
  readonly atMost?: number
}

export interface DepthCase {
  /** In the order of what `sample` returns. */
  readonly figures: readonly DepthFigure[]
  /** The n-th event: milliseconds of each figure. */
  readonly sample: (n: number) => Promise<readonly number[]>
  /** EMQX's pattern for the same, in ms; and what it is called. */
  readonly original?: { readonly name: string; readonly sample: (n: number) => Promise<unknown> }
  /** Devices acknowledge at once: only DynamoDB is far away. */
  readonly devicesNear?: true
  /** In how many rounds it is sampled at most; it takes long. */
  readonly rounds?: number
  /** How many rows there must be at the end. Default: not looked at. */
  readonly rows?: (samples: number) => Partial<Record<keyof Tables, number>>
}

export interface Ground {
  readonly clients: Clients
  readonly tables: Tables
  readonly original: Original
  /** How often each case is sampled, at most. */
  readonly samples: number
  /** Messages in the queue of a subscriber. */
  readonly queued: number
}

/** When everything begins, in ms: queued messages are older than who subscribes. */
export const START = Date.now() - 600_000

export const originalMessage = (n: number, topic: string) => ({
  msgid: originalMsgid(n),
  topic,
  sender: 'c',
  payload: `${n}`.padEnd(100, '.'),
})
