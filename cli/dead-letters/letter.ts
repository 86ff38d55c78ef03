/** A message that did not get through, and what is to be done with it. */
import type { HookName } from '../../lambda/core/hooks.ts'

export interface Letter {
  readonly messageId: string
  readonly body: string
  /** Milliseconds since the epoch: when SQS got it first, before it became a dead letter. */
  readonly sentAt: number
  /** SQS's receipt handle of the last receive. */
  readonly receipt: string
}

/** Why a letter stays where it is. Never what it says (I10). */
export interface Fault {
  /** Stable: `bad-event`, `unknown-rule`, `no-queue`, `came-back`, `not-deleted`, or SQS's own. */
  readonly code: string
  readonly why: string
}

/** What goes to which hook's queue, or why nothing does. */
export type Verdict = { readonly hook: HookName; readonly body: string } | (Fault & { readonly hook?: HookName })

export const isFault = (verdict: Verdict): verdict is Fault & { readonly hook?: HookName } => 'code' in verdict
