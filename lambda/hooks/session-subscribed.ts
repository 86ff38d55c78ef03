import { lambdaHandler } from '../adapters/function/handler.ts'
import { parseSubscriptionChange, type SubscriptionChange } from '../core/events/events.ts'
import { eachAlone, type Hook, working } from '../core/model/hook.ts'
import type { Context, Seated, Subscription } from '../core/model/ports.ts'
import { nativeLive } from '../core/model/topic-row.ts'
import { allDone } from '../core/promises.ts'
import { claimQueue } from '../core/queue/drain.ts'
import { endsOf, fetchRow, isStale } from '../core/subscriptions/begin.ts'
import { seatOf, spillOf } from '../core/subscriptions/end.ts'
import { hasWildcard, parseSubscription, topicMatches } from '../core/topic.ts'
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
  const { filter: topics } = parseSubscription(filter)
  const covering = context.config.rows.filter(({ topic }) => topicMatches(topic ?? '#', topics))
  // However many rows of an action cover the filter, it is one subscription: the first row counts.
  const rows = covering.filter((row, i) => covering.findIndex(({ action }) => action === row.action) === i)
  const subscription: Subscription = {
    clientid: event.clientid,
    topic: filter,
    qos: rows[0]?.qos ?? 1,
    origin: 'client',
    session: event.session,
    since: event.at,
  }
  const standing = await context.ports.subscriptions.subscribed(subscription)
  let seated = await takeSeat(event, standing, context)
  // Meanwhile: what a seat of this very SUBSCRIBE holds goes with it if the event is stale.
  const fetches = rows.some(({ action, qos }) => action === 'on_message_fetch_for_queue' && qos !== 0)
  const claimed = fetches && seated?.seat.live.since === event.at ? claimQueue(context, seated) : undefined
  const [stale] = await Promise.allSettled([isStale(context.ports, event, filter), claimed])
  if (stale.status === 'rejected') throw stale.reason
  if (stale.value) return undo(event, standing, seated, context)
  if (await startsAnew(event, standing, seated, context)) {
    seated = await takeSeat(event, standing, context)
    if (await isStale(context.ports, event, filter)) return undo(event, standing, seated, context)
  }
  await allDone(
    rows.map((row) => working(row.action, ACTIONS[row.action as keyof typeof ACTIONS]({ event, filter, seated, claimed }, row, context))),
  )
}

/** An exact filter on a queue makes the client live; with a wildcard it only takes the place of an operator's row of the same filter. */
async function takeSeat(event: SubscriptionChange, subscription: Subscription, { ports, config }: Context): Promise<Seated | undefined> {
  const { topic, entry, shared } = seatOf(subscription)
  const live = nativeLive(event, shared)
  if (!hasWildcard(topic)) return fetchRow(config, topic) && ports.topics.goLive(topic, subscription, entry, live)
  if (subscription.origin === 'operator') await ports.topics.goLive(topic, subscription, entry, live)
  return undefined
}

/**
 * The client had unsubscribed in between, and an earlier subscribed event that was tried again had made it live once more: it is
 * subscribed since this event only. Returns whether that had to be said.
 */
async function startsAnew(
  event: SubscriptionChange,
  subscription: Subscription,
  taken: Seated | undefined,
  { ports }: Context,
): Promise<boolean> {
  if (taken === undefined || taken.seat.live.since >= event.at) return false
  const { since } = taken.seat.live
  const ends = (await endsOf(ports, event, subscription.topic)).filter((end) => end > since && end < event.at)
  if (ends.length === 0) return false
  const { topic, entry } = seatOf(subscription)
  await ports.topics.endLive(topic, { ...subscription, ...spillOf(taken) }, entry, { session: event.session, until: Math.max(...ends) })
  return true
}

async function undo(event: SubscriptionChange, subscription: Subscription, seated: Seated | undefined, { ports }: Context): Promise<void> {
  const { topic, entry } = seatOf(subscription)
  await ports.topics.endLive(topic, { ...subscription, ...spillOf(seated) }, entry, { session: event.session, until: event.at })
  await ports.subscriptions.unsubscribed(event.clientid, subscription.topic, event.session, event.at)
}

export const handler = lambdaHandler(sessionSubscribed)
