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
  handle: eachEvent((event, context) => allDone(event.topics.map((filter) => subscribed(event, filter, context)))),
}

/** Records the subscription, then runs the actions whose rows cover its filter. A stale event leaves no trace. */
async function subscribed(event: SubscriptionChange, filter: string, context: Context): Promise<void> {
  const rows = firstOfEachAction(rowsCovering(context.config.rows, parseSubscription(filter).filter))
  const begun = await beginSubscription(event, filter, rows, context)
  if (begun !== undefined) await allDone(rows.map((row) => perform(ACTIONS, row.action, begun, row, context)))
}

/** Several rows of an action may cover a filter, but it is one subscription: the first row in the conf counts. */
const firstOfEachAction = (rows: readonly HookRow[]): HookRow[] =>
  rows.filter((row, i) => rows.findIndex(({ action }) => action === row.action) === i)

export const handler = lambdaHandler(sessionSubscribed)
