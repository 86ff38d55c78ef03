/** Durable subscriptions of clients: their seats are on the row of the topics that they listen to. Nothing of them is ever inferred (I12). */

import { durableFault, durableFilter } from '../durable-filter.ts'
import type { SubscriptionChange } from '../events/lifecycle-events.ts'
import { isKeptForMany } from '../hooks.ts'
import type { Context } from '../model/ports.ts'
import { durablePlace, type Seated, type Subscription, spillOf } from '../model/seat.ts'
import type { Live } from '../model/topic-row.ts'
import { dispatch } from '../queue/dispatch-queue.ts'
import { hasWildcard } from '../topic.ts'
import { isStale } from './begin.ts'

/** A durable filter of a subscribed event. */
export interface Joining {
  readonly event: SubscriptionChange
  /** As the client sent it, and without the prefixes. */
  readonly sent: string
  readonly filter: string
  /** If its client competes for the topic's queue. */
  readonly seated: Seated | undefined
}

/** Records the subscription and takes its seat. `undefined`: the event is stale, and nothing is left of it, or it can bring nothing. */
export async function beginDurable(event: SubscriptionChange, sent: string, qos: number, context: Context): Promise<Joining | undefined> {
  const { ports, config } = context
  const { clientid, session, at } = event
  const filter = durableFilter(sent, config.durablePrefix)!
  const subscription: Subscription = { clientid, topic: sent, qos, origin: 'client', session, since: at }
  const standing = await ports.subscriptions.subscribed(subscription)
  const fault = durableFault(filter, config)
  if (fault !== undefined) context.ignored({ code: 'bad-durable-subscription', clientid, topic: sent, why: fault })
  const seated = fault === undefined ? await takeSeat(standing, event, context) : undefined
  if (await isStale(ports, event, sent)) {
    await leave(standing, seated, event, context)
    if (context.invocation.receives > 1) await goOn(filter, at, context)
    return undefined
  }
  if (fault !== undefined) return undefined
  // A newer session has the seat: no row may tell yet that this one is over.
  if (seated === undefined && context.invocation.receives > 1) await goOn(filter, at, context)
  return { event, sent, filter, seated: hasWildcard(filter) ? undefined : seated }
}

/** An earlier try of an event that takes no seat now may have had the dispatch lease: what was left to it is for the other subscribers. */
async function goOn(topic: string, at: number, context: Context): Promise<void> {
  const row = await context.ports.topics.head(topic)
  if (row?.dispatch?.by === context.invocation.id) await dispatch(context, { topic, at, joins: true })
}

function takeSeat(
  subscription: Subscription,
  { session, at }: SubscriptionChange,
  { ports, config, invocation }: Context,
): Promise<Seated | undefined> {
  const { topic, entry } = durablePlace(subscription, config.durablePrefix)!
  // On a topic kept for many it is caught up by itself; a queue is dispatched to all.
  const catching = { by: invocation.id, until: invocation.deadline }
  const isCaughtUp = !hasWildcard(topic) && isKeptForMany(config, topic)
  const live: Live = { kind: 'durable', session, since: at, at, ...(isCaughtUp && { catching }) }
  return ports.topics.goLive(topic, subscription, entry, live)
}

async function leave(subscription: Subscription, seated: Seated | undefined, event: SubscriptionChange, context: Context): Promise<void> {
  const { clientid, session, at } = event
  await endDurable({ ...subscription, ...spillOf(seated) }, { session, until: at }, context)
  await context.ports.subscriptions.unsubscribed(clientid, subscription.topic, session, at)
}

/** Ends the seat that the session had by the durable subscription. Returns it as it was. */
export async function endDurable(
  subscription: Subscription,
  end: { readonly session: string; readonly until: number },
  { ports, config }: Context,
): Promise<Seated | undefined> {
  const place = durablePlace(subscription, config.durablePrefix)
  return place && ports.topics.endLive(place.topic, subscription, place.entry, end)
}
