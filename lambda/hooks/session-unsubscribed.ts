import { lambdaHandler } from '../adapters/function/handler.ts'
import { parseSubscriptionChange, type SubscriptionChange } from '../core/events/events.ts'
import { eachAlone, type Hook, working } from '../core/model/hook.ts'
import type { Context } from '../core/model/ports.ts'
import { allDone } from '../core/promises.ts'
import { endSubscription } from '../core/subscriptions/end.ts'
import { parseSubscription, topicMatches } from '../core/topic.ts'
import { on_acked_delete } from '../on_acked_delete.ts'

export const sessionUnsubscribed: Hook<SubscriptionChange> = {
  hook: 'session.unsubscribed',
  parse: parseSubscriptionChange,
  handle: eachAlone((event, context) => allDone(event.topics.map((filter) => unsubscribed(event, filter, context)))),
}

/** The subscription ends, whatever rows there are: who is live no more is not delivered to. */
async function unsubscribed(event: SubscriptionChange, filter: string, context: Context): Promise<void> {
  await endSubscription(context, event, filter)
  const { filter: topics } = parseSubscription(filter)
  if (context.config.rows.some(({ topic }) => topicMatches(topic ?? '#', topics)))
    await working('on_acked_delete', on_acked_delete(event, topics, context))
}

export const handler = lambdaHandler(sessionUnsubscribed)
