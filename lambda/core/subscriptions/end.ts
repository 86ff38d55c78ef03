/** At the end of a connection or of a subscription the client's seats go, and what IoT Core delivered natively is settled. */

import { durableFilter, listensTo } from '../durable-filter.ts'
import type { Connection, Disconnected, SubscriptionChange } from '../events/lifecycle-events.ts'
import { fetchRow, type HookConfig, isKeptForMany, settleTime } from '../hooks.ts'
import type { Context, Ports } from '../model/ports.ts'
import { durablePlace, type Place, type Seated, type Subscription, seatOf, seatsOf } from '../model/seat.ts'
import type { TopicRow } from '../model/topic-row.ts'
import { allDone } from '../promises.ts'
import { mayHold } from '../queue/pending.ts'
import { namedSeat, requestNextSlice } from '../queue/slice.ts'
import { hasWildcard, parseSubscription } from '../topic.ts'
import { endDurable } from './durable.ts'
import { remembersWindows } from './granted.ts'
import { type Ended, proofOfEnd } from './proof.ts'
import { settleEnd, settleOthers } from './settle.ts'

/** A connect removes the seats that older connections of the client left. When those ended nobody knows, so nothing is settled. */
export async function clearOlderConnections(
  { ports, config }: Context,
  event: Connection,
  subscriptions: readonly Subscription[],
): Promise<void> {
  await Promise.all(
    subscriptions.map(async (subscription) => {
      const { origin, session, since = 0 } = subscription
      if (origin === 'client' && (session === event.session || since >= event.at)) return
      for (const { topic, entry, share } of placesOf(subscription, config)) {
        if (share !== undefined) await ports.topics.leaveShare(topic, event.at)
        await ports.topics.clearOlder(topic, subscription, entry, event)
      }
      if (origin === 'client') await ports.subscriptions.unsubscribed(event.clientid, subscription.topic, session ?? '', event.at)
    }),
  )
}

/** Removes each seat before its row of mqtt_sub: an event that is tried again finds by the rows what is left to do. */
export async function endConnection(context: Context, event: Disconnected): Promise<void> {
  const { subscriptions } = context.ports
  const all = await subscriptions.of(event.clientid)
  const end = async (subscription: Subscription) => {
    await endSeat(context, subscription, { ...event, all })
    if (subscription.origin === 'client') await subscriptions.unsubscribed(event.clientid, subscription.topic, event.session, event.at)
  }
  // Rows of durable subscriptions last: a try after this one must know, too, that the client had them.
  await allDone(all.filter(({ topic }) => !isDurable(topic, context)).map(end))
  await allDone(all.filter(({ topic }) => isDurable(topic, context)).map(end))
}

/** Of a client's durable subscription its one place, also where an operator has written a row of the same filter. */
function placesOf(subscription: Subscription, { durablePrefix }: HookConfig): Place[] {
  const durable = durablePlace(subscription, durablePrefix)
  return durable === undefined ? seatsOf(subscription) : [durable]
}

/** Removes the session's seat of the subscription, and settles what the client got there. Returns the seat as it was. */
async function endSeat(context: Context, subscription: Subscription, end: SeatEnd): Promise<Seated | undefined> {
  if (isDurable(subscription.topic, context)) return endDurable(subscription, { session: end.session, until: end.at }, context)
  const { clientid, session, at: until, clean, all } = end
  const was = { clientid, filter: subscription.topic, until, clean, all }
  let found: Seated | undefined
  for (const { topic, entry, share, kind } of seatsOf(subscription)) {
    const end = { session, until, ...(share === undefined ? {} : { left: until }), ...(kind === undefined ? {} : { kind }) }
    const ended = await context.ports.topics.endLive(topic, subscription, entry, end)
    if (ended?.seat.live.kind === 'client' && !hasWildcard(topic)) {
      await judgeEnd(context, ended.row, { ...was, live: ended.seat.live })
      await settleOthers(context, ended, until)
    }
    found = ended ?? found
  }
  if (found === undefined && isMine(subscription, end)) await settleAgain(context, subscription, was)
  return found
}

export async function endSubscription(context: Context, event: SubscriptionChange, filter: string): Promise<void> {
  const { ports, config } = context
  const { clientid, session, at } = event
  const all = await ports.subscriptions.of(clientid)
  // If there is no row: an operator may have deleted it, and its seat is still there.
  const subscription: Subscription = all.find(({ topic }) => topic === filter) ?? { clientid, topic: filter, qos: 1, origin: 'operator' }
  await ports.topics.markGone(filter, event)
  const ended = await endSeat(context, subscription, { clientid, session, at, clean: true })
  const live = ended?.seat.live
  if (live === undefined || live.at <= at) await ports.subscriptions.unsubscribed(clientid, filter, session, at)
  // If the client has subscribed again by now, what was published between the two is for it. Of a durable subscription the later event does all.
  const { topic } = seatOf(subscription)
  const again =
    hasWildcard(topic) || isDurable(filter, context) || fetchRow(config, topic) === undefined
      ? undefined
      : (startedAnew(ended, at) ?? (ended ? undefined : await seatAfter(ports, subscription, event)))
  if (again === undefined || !mayHold(again.row, again.seat)) return
  await requestNextSlice(context, topic, { at: again.seat.live.at, seat: namedSeat(again.seat) })
}

/** The seat if a later SUBSCRIBE of the same session keeps it: it begins with that SUBSCRIBE now. */
function startedAnew(ended: Seated | undefined, until: number): Seated | undefined {
  if (ended === undefined || ended.seat.live.at <= until) return undefined
  const { catching: _, ...live } = ended.seat.live
  return { row: ended.row, seat: { ...ended.seat, live: { ...live, since: live.at } } }
}

/** The same seat, for a later try of this event: the earlier try made the seat begin anew and died before it delivered. */
async function seatAfter(ports: Ports, subscription: Subscription, event: SubscriptionChange): Promise<Seated | undefined> {
  const { topic, entry } = seatOf({ ...subscription, origin: 'client' })
  const row = await ports.topics.head(topic)
  const seats =
    row === undefined
      ? []
      : await ports.topics.seats(row, { headOnly: subscription.spill === undefined && subscription.origin === 'client' })
  const seat = seats.find((one) => one.entry === entry && one.live.kind === 'client' && one.live.session === event.session)
  return row !== undefined && seat !== undefined && seat.live.since > event.at ? { row, seat } : undefined
}

const isDurable = (filter: string, { config }: Context): boolean => durableFilter(filter, config.durablePrefix) !== undefined

type SessionEnd = Pick<Disconnected, 'clientid' | 'session' | 'at' | 'clean'>

/** All subscriptions of the client whose connection has ended; absent: one subscription has. */
interface WithAll {
  readonly all?: readonly Subscription[] | undefined
}

type SeatEnd = SessionEnd & WithAll
type EndedSeat = Ended & WithAll

const isMine = ({ origin, session, since = 0, topic }: Subscription, event: SessionEnd): boolean =>
  origin === 'client' && session === event.session && since <= event.at && !hasWildcard(parseSubscription(topic).filter)

/** What the ended subscription surely got leaves the queue; on a topic kept for many the client's next SUBSCRIBE passes it. */
async function judgeEnd(context: Context, row: TopicRow, { all, ...ended }: EndedSeat): Promise<void> {
  if (isKeptForMany(context.config, row.topic)) await rememberWindow(context, row, ended, all ?? [])
  else await settleEnd(context, row, ended)
}

/**
 * Where the client had the topic by a durable subscription or an operator's row, too, nothing is inferred (I12). An UNSUBSCRIBE forgets
 * the position. `all`: the client's subscriptions as its connection ended.
 */
async function rememberWindow(context: Context, row: TopicRow, ended: Ended, all: readonly Subscription[]): Promise<void> {
  const { ports, config } = context
  const { topic } = row
  const settle = settleTime(config, topic)
  const mine = all.filter((one) => listensTo(one.topic, config.durablePrefix) === topic)
  const isNative = mine.length > 0 && mine.every((one) => one.origin === 'client' && !isDurable(one.topic, context))
  if (settle === undefined || !isNative || !remembersWindows(ended.filter, config)) return
  const proof = await proofOfEnd(context, row, ended, settle)
  if (proof !== undefined && proof.window.from <= proof.window.to) await ports.acked.addWindow(topic, ended.clientid, proof.window)
}

/** There is a row of mqtt_sub but no seat: an earlier try died before it settled, or an unsubscribe was handled first. */
async function settleAgain(context: Context, subscription: Subscription, was: Omit<EndedSeat, 'live'>): Promise<void> {
  const { session = '', since = was.until, at = since, granted, grantedAt } = subscription
  const { topic } = seatOf(subscription)
  const row = fetchRow(context.config, topic) && (await context.ports.topics.head(topic))
  if (row === undefined) return
  // A SUBSCRIBE between the first and the latest may have had another QoS. The seat would know, the row is not told: the proof begins after.
  const from = at > since ? Math.max(grantedAt ?? 0, at) : grantedAt
  const known = granted === undefined ? {} : { granted, ...(from === undefined ? {} : { grantedAt: from }) }
  await judgeEnd(context, row, { ...was, live: { kind: 'client', session, since, at, ...known } })
}
