/** Subscriptions of clients, from their events: who is subscribed, and whether an event still says the truth. */

import type { SubscriptionChange } from '../events/lifecycle-events.ts'
import { countsWildcards, fetchRow, type HookRow } from '../hooks.ts'
import type { Context, Ports } from '../model/ports.ts'
import { subscriptionIsOver } from '../model/presence.ts'
import { type Seat, type Seated, type Subscription, seatOf, spillOf } from '../model/seat.ts'
import { type Granted, nativeLive } from '../model/topic-row.ts'
import { claimQueue } from '../queue/drain.ts'
import { hasWildcard, parseSubscription } from '../topic.ts'
import { dependsOnQos, grantedTo } from './granted.ts'

/** One filter of a subscribed event, with its seat if the client became live: an exact filter on a queue. */
export interface Subscribing {
  readonly event: SubscriptionChange
  readonly filter: string
  readonly seated: Seated | undefined
  /** The client's seat (a wildcard's too) if IoT Core was asked for the QoS and did not tell it: the caller asks once more. */
  readonly unknown: Seat | undefined
  /** The lease of the queue, which is being asked for already. */
  readonly claimed?: ReturnType<typeof claimQueue> | undefined
}

/**
 * Writes the client's row of mqtt_sub and its seat. Returns `undefined` if the event is stale: then both are removed again.
 * `rows`: those of `session.subscribed` that cover the filter, one an action. `alone`: no other filter of the event has the same topic.
 */
export async function beginSubscription(
  event: SubscriptionChange,
  filter: string,
  rows: readonly HookRow[],
  { alone, ...context }: Context & { alone: boolean },
): Promise<Subscribing | undefined> {
  const asked = dependsOnQos(filter, rows, context.config)
  const granted = asked ? await grantedTo(event, filter, context.ports) : undefined
  const subscription: Subscription = {
    clientid: event.clientid,
    topic: filter,
    qos: granted?.granted ?? rows[0]?.qos ?? 1,
    ...granted,
    origin: 'client',
    session: event.session,
    since: event.at,
  }
  const standing = await context.ports.subscriptions.subscribed(subscription)
  let seated = await seatClient(event, standing, granted, context)
  // Asked for while isStale reads. If the event is stale, undo() removes the seat, and its lease with it.
  const fetches = rows.some(({ action, qos }) => action === 'on_message_fetch_for_queue' && qos !== 0) && isFetched(seated, context)
  const isQueue = !hasWildcard(parseSubscription(filter).filter)
  const claimed = alone && isQueue && fetches && seated?.seat.live.since === event.at ? claimQueue(context, seated) : undefined
  const [stale] = await Promise.allSettled([isStale(context.ports, event, filter), claimed])
  if (stale.status === 'rejected') throw stale.reason
  if (stale.value) return undo(event, standing, seated, context)
  if (await startsAnew(event, standing, seated, context)) {
    seated = await seatClient(event, standing, granted, context)
    if (await isStale(context.ports, event, filter)) return undo(event, standing, seated, context)
  }
  const unknown = asked && seated?.seat.live.granted === undefined ? seated?.seat : undefined
  return { event, filter, seated: isQueue ? seated : undefined, unknown, claimed }
}

/** As in EMQX, a subscription of QoS 0 gets no queue. But an earlier try of the event, which did not know the QoS, may have begun to deliver it. */
export const isFetched = (seated: Seated | undefined, { invocation }: Context): boolean =>
  seated !== undefined && (seated.seat.live.granted !== 0 || seated.seat.live.catching?.by === invocation.id)

/**
 * Gives the client a seat, if it needs one: for an exact filter on a queue, for a wildcard where `consumers` is `any`, or because an
 * operator's row of the same filter has one, which the client's own subscription replaces.
 */
async function seatClient(
  event: SubscriptionChange,
  subscription: Subscription,
  granted: Granted | undefined,
  { ports, config }: Context,
): Promise<Seated | undefined> {
  const { topic, entry } = seatOf({ ...subscription, origin: 'client' })
  const isOperators = subscription.origin === 'operator'
  const isWanted = hasWildcard(topic) ? countsWildcards(config) : fetchRow(config, topic) !== undefined
  if (!isWanted && !isOperators) return undefined
  const seated = await ports.topics.goLive(topic, subscription, entry, nativeLive(event, granted))
  if (seated !== undefined && isOperators) await endServersSeat(subscription, seated, ports)
  return seated
}

/** The seat of an operator's row `$share/g/t` lies elsewhere than the one of the client's own SUBSCRIBE to it: the operator's ends. */
async function endServersSeat(subscription: Subscription, { row, seat }: Seated, { topics }: Ports): Promise<void> {
  const { entry } = seatOf(subscription)
  if (entry === seat.entry) return
  const server = (await topics.seats(row, { headOnly: false })).find((one) => one.entry === entry && one.live.kind === 'server')
  if (server !== undefined) await topics.endServer(server)
}

/**
 * Whether the seat is of an older SUBSCRIBE that the client has ended by an UNSUBSCRIBE meanwhile: a late try of the older event made
 * it. Then the older seat is ended here, and the caller makes a new one.
 */
async function startsAnew(
  event: SubscriptionChange,
  subscription: Subscription,
  seated: Seated | undefined,
  { ports }: Context,
): Promise<boolean> {
  if (seated === undefined || seated.seat.live.since >= event.at) return false
  const { since } = seated.seat.live
  const ends = (await endsOf(ports, event, subscription.topic)).filter((end) => end > since && end < event.at)
  if (ends.length === 0) return false
  const { topic, entry, share } = seatOf({ ...subscription, origin: 'client' })
  const until = Math.max(...ends)
  const left = share === undefined ? {} : { left: until }
  await ports.topics.endLive(topic, { ...subscription, ...spillOf(seated) }, entry, { session: event.session, until, ...left })
  return true
}

/** Removes what the stale event wrote: the seat, then the row. */
async function undo(
  event: SubscriptionChange,
  subscription: Subscription,
  seated: Seated | undefined,
  { ports }: Context,
): Promise<undefined> {
  const { clientid, session, at } = event
  const { topic, entry, share } = seatOf({ ...subscription, origin: 'client' })
  const left = share === undefined ? {} : { left: await lastSeen(ports, event, subscription.topic) }
  await ports.topics.endLive(topic, { ...subscription, ...spillOf(seated) }, entry, { session, until: at, ...left })
  await ports.subscriptions.unsubscribed(clientid, subscription.topic, session, at)
}

/** The latest moment at which the stale event's session may have been subscribed: the group settles nothing from before it. Milliseconds. */
async function lastSeen(ports: Ports, event: SubscriptionChange, filter: string): Promise<number> {
  const [presence, ends] = await Promise.all([ports.clients.presence(event.clientid), endsOf(ports, event, filter)])
  return Math.max(event.at, presence?.eventAt ?? 0, presence?.connectedAt ?? 0, ...ends)
}

/**
 * Whether a subscribed event is stale: its connection is over, or a later unsubscribe was handled first. It is asked after row and seat
 * are written: so either this finds the end, or the handler of the end finds row and seat.
 */
export async function isStale(ports: Ports, event: SessionEvent, filter: string): Promise<boolean> {
  const [presence, unsubscribed] = await Promise.all([ports.clients.presence(event.clientid), hasUnsubscribed(ports, event, filter)])
  return subscriptionIsOver(presence, event) || unsubscribed
}

/** Whether the session unsubscribed from the filter at or after the event. */
export const hasUnsubscribed = async (ports: Ports, event: SessionEvent, filter: string): Promise<boolean> =>
  (await endsOf(ports, event, filter)).some((end) => end >= event.at)

/** When the session unsubscribed from the filter, as far as it is remembered. Milliseconds. */
async function endsOf(ports: Ports, { clientid, session }: Pick<SessionEvent, 'clientid' | 'session'>, filter: string): Promise<number[]> {
  const gone = await ports.topics.goneSince(filter, clientid)
  return gone?.session === session ? [gone.until, gone.earlier] : []
}

interface SessionEvent {
  readonly clientid: string
  readonly session: string
  readonly at: number
}
