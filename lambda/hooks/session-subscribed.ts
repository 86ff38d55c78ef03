import { lambdaHandler } from '../adapters/function/handler.ts'
import { parseSubscriptionChange, type SubscriptionChange } from '../core/events/events.ts'
import type { HookRow } from '../core/hooks.ts'
import { eachAlone, type Hook, working } from '../core/model/hook.ts'
import type { Context } from '../core/model/ports.ts'
import { allDone } from '../core/promises.ts'
import { beginSubscription } from '../core/subscriptions/begin.ts'
import { parseSubscription, topicMatches } from '../core/topic.ts'
import { on_message_fetch_for_queue } from '../on_message_fetch_for_queue.ts'
import { on_retain_lookup } from '../on_retain_lookup.ts'

const ACTIONS = { on_message_fetch_for_queue, on_retain_lookup }

export const sessionSubscribed: Hook<SubscriptionChange> = {
  hook: 'session.subscribed',
  parse: parseSubscriptionChange,
  handle: eachAlone((event, context) => allDone(event.topics.map((filter) => subscribed(event, filter, context)))),
}

/** Records the subscription, then runs the actions whose rows cover its filter. A stale event leaves no trace. */
async function subscribed(event: SubscriptionChange, filter: string, context: Context): Promise<void> {
  const rows = rowsCovering(filter, context)
  const begun = await beginSubscription(event, filter, rows, context)
  if (begun === undefined) return
  await allDone(rows.map((row) => working(row.action, ACTIONS[row.action as keyof typeof ACTIONS](begun, row, context))))
}

/** However many rows of an action cover the filter, it is one subscription: the first row counts. */
function rowsCovering(filter: string, { config }: Context): HookRow[] {
  const { filter: topics } = parseSubscription(filter)
  const covering = config.rows.filter(({ topic }) => topicMatches(topic ?? '#', topics))
  return covering.filter((row, i) => covering.findIndex(({ action }) => action === row.action) === i)
}

export const handler = lambdaHandler(sessionSubscribed)
