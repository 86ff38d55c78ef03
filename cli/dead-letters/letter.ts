/** A message in a dead-letter queue or in the queue of rule errors, and what is to be done with it. */
import type { HookName } from '../../lambda/core/hooks.ts'

export interface Letter {
  readonly messageId: string
  readonly body: string
  /** Milliseconds since the epoch: when it was first sent to SQS, before it became a dead letter. */
  readonly sentAt: number
  /** SQS's receipt handle of the last receive. */
  readonly receipt: string
}

/** Why a letter stays in its queue. It never quotes the letter (I10). */
export interface Fault {
  /** Stable: `bad-event`, `unknown-rule`, `no-queue`, `came-back`, `not-deleted`, or a code of SQS. */
  readonly code: string
  readonly why: string
}

/** The message for the hook's queue, or why there is none. */
export type Verdict = { readonly hook: HookName; readonly body: string } | (Fault & { readonly hook?: HookName })

export const isFault = (verdict: Verdict): verdict is Fault & { readonly hook?: HookName } => 'code' in verdict
