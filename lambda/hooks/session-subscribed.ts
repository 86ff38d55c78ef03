import { lambdaHandler } from '../adapters/function/handler.ts'
import { parseSubscriptionChange, type SubscriptionChange } from '../core/events/lifecycle-events.ts'
import { type HookRow, rowsCovering } from '../core/hooks.ts'
import { type Actions, eachEvent, type Hook, perform } from '../core/model/hook.ts'
import type { Context } from '../core/model/ports.ts'
import { allDone } from '../core/promises.ts'
import { beginSubscription, type Subscribing } from '../core/subscriptions/begin.ts'
import { parseSubscription } from '../core/topic.ts'
import { on_message_fetch_for_queue } from '../on_message_fetch_for_queue.ts'
import { on_retain_lookup } from '../on_retain_lookup.ts'

const ACTIONS: Actions<'session.subscribed', [Subscribing, HookRow, Context]> = { on_message_fetch_for_queue, on_retain_lookup }

export const sessionSubscribed: Hook<SubscriptionChange> = {
  hook: 'session.subscribed',
  parse: parseSubscriptionChange,
  handle: eachEvent((event, context) => allDone(bySeat(event.topics).map((filters) => subscribed(event, filters, context)))),
}

/** Filters of one topic, `$share/g/t` before `t`: the client has one seat there, and its queue comes once. */
function bySeat(filters: readonly string[]): string[][] {
  const seats = new Map<string, string[]>()
  for (const filter of filters) {
    const { filter: topics, share } = parseSubscription(filter)
    const others = seats.get(topics) ?? []
    seats.set(topics, share === undefined ? [...others, filter] : [filter, ...others])
  }
  return [...seats.values()]
}

/** Records the subscriptions, then runs the actions whose rows cover their filter. A stale event leaves no trace. */
async function subscribed(event: SubscriptionChange, filters: readonly string[], context: Context): Promise<void> {
  const rows = firstOfEachAction(rowsCovering(context.config.rows, parseSubscription(filters[0]!).filter))
  const begun: Subscribing[] = []
  for (const filter of filters) {
    const one = await beginSubscription(event, filter, rows, context)
    if (one !== undefined) begun.push(one)
  }
  const last = begun.at(-1)
  if (last === undefined) return
  // Retained messages are for the filter that is not shared; the queue may have been claimed with the first one.
  const subscribing = { ...last, claimed: begun[0]!.claimed }
  await allDone(rows.map((row) => perform(ACTIONS, row.action, subscribing, row, context)))
}

/** Several rows of an action may cover a filter, but it is one subscription: the first row in the conf counts. */
const firstOfEachAction = (rows: readonly HookRow[]): HookRow[] =>
  rows.filter((row, i) => rows.findIndex(({ action }) => action === row.action) === i)

export const handler = lambdaHandler(sessionSubscribed)
