import { sqsDeliveries } from '../adapters/function/delivery-queue.ts'
import { lambdaHandler } from '../adapters/function/handler.ts'
import { listensTo } from '../core/durable-filter.ts'
import { parseSubscriptionChange, type SubscriptionChange } from '../core/events/lifecycle-events.ts'
import { isKeptForMany, rowsCovering } from '../core/hooks.ts'
import { type Actions, eachEvent, type Hook, performInOrder } from '../core/model/hook.ts'
import type { Context } from '../core/model/ports.ts'
import { allDone } from '../core/promises.ts'
import { endSubscription } from '../core/subscriptions/end.ts'
import { on_acked_delete } from '../on_acked_delete.ts'

const ACTIONS: Actions<'session.unsubscribed', [SubscriptionChange, filter: string, Context]> = { on_acked_delete }

export const sessionUnsubscribed: Hook<SubscriptionChange> = {
  hook: 'session.unsubscribed',
  parse: parseSubscriptionChange,
  handle: eachEvent((event, context) => allDone(event.topics.map((filter) => unsubscribed(event, filter, context)))),
}

/** Ends the subscription also where no row covers its filter: nothing more is delivered to a client that unsubscribed. */
async function unsubscribed(event: SubscriptionChange, filter: string, context: Context): Promise<void> {
  await endSubscription(context, event, filter)
  const topics = listensTo(filter, context.config.durablePrefix)
  if (isKeptForMany(context.config, topics) && (await mayListenStill(event, filter, topics, context))) return
  await performInOrder(ACTIONS, rowsCovering(context.config.rows, topics), event, topics, context)
}

/**
 * On a topic kept for many: by another filter, or it has subscribed once more since. The client's read position is for that. The rows of
 * `mqtt_sub` tell it while the connection stands. Of a connection that has ended, in doubt the answer is yes: a position too many costs
 * duplicates, one too few costs messages (I11).
 */
async function mayListenStill(event: SubscriptionChange, filter: string, topic: string, { ports, config }: Context): Promise<boolean> {
  const { clientid, session } = event
  const rows = await ports.subscriptions.of(clientid)
  if (rows.some((row) => listensTo(row.topic, config.durablePrefix) === topic)) return true
  const position = (await ports.acked.lastAcked(topic, clientid))?.position
  const others = [...(position?.filters ?? [])].filter((other) => other !== filter)
  if (position === undefined || others.length === 0) return false
  const [presence, ...ends] = await Promise.all([
    ports.clients.presence(clientid),
    ...others.map((other) => ports.topics.goneSince(other, clientid)),
  ])
  if (presence?.connected && presence.session === session) return false
  return !ends.every((end) => end !== undefined && end.until >= position.subscribedAt)
}

export const handler = lambdaHandler(sessionUnsubscribed, sqsDeliveries)
