/** What the end of a connection or of a subscription leaves to do: nobody is live any more, what was delivered natively is settled. */

import type { Connection, Disconnected, SubscriptionChange } from '../events/lifecycle-events.ts'
import { fetchRow } from '../hooks.ts'
import { CLEAN_DOUBT, lostDoubt } from '../model/delivery-window.ts'
import type { Context, Ports } from '../model/ports.ts'
import { type Seated, type Subscription, seatOf } from '../model/seat.ts'
import type { Live } from '../model/topic-row.ts'
import { allDone } from '../promises.ts'
import { fetchQueue } from '../queue/drain.ts'
import { hasWildcard, parseSubscription } from '../topic.ts'
import { provenWindow, settleWindow } from './settle.ts'

/** A connect ends what older connections of the client left live; their windows have no proof, so nothing is settled. */
export async function clearOlderConnections(ports: Ports, event: Connection, subscriptions: readonly Subscription[]): Promise<void> {
  await Promise.all(
    subscriptions.map(async (subscription) => {
      const { origin, session, since = 0 } = subscription
      if (origin === 'client' && (session === event.session || since >= event.at)) return
      const { topic, entry } = seatOf(subscription)
      await ports.topics.clearOlder(topic, subscription, entry, event)
      if (origin === 'client') await ports.subscriptions.unsubscribed(event.clientid, subscription.topic, session ?? '', event.at)
    }),
  )
}

/** Live entries first, then the rows: a retried event finds what is left to do. */
export async function endConnection(context: Context, event: Disconnected): Promise<void> {
  const subscriptions = await context.ports.subscriptions.of(event.clientid)
  const doubt = memo(async () => (event.clean ? CLEAN_DOUBT : lostDoubtOf(context.ports, event.clientid)))
  await allDone(
    subscriptions.map(async (subscription) => {
      const { topic, entry, shared } = seatOf(subscription)
      const end = { session: event.session, until: event.at }
      const ended = await context.ports.topics.endLive(topic, subscription, entry, end)
      if (ended?.seat.live.kind === 'client' && !hasWildcard(topic)) {
        const was = { clientid: event.clientid, filter: subscription.topic, live: ended.seat.live }
        const end = { until: event.at, doubt: () => doubtFor(context.ports, event.clientid, shared, doubt) }
        await settleWindow(context, ended.row, event.clientid, () => provenWindow(context.ports, was, end))
      } else if (ended === undefined && isMine(subscription, event)) {
        await settleAgain(context, subscription, event, () => doubtFor(context.ports, event.clientid, shared, doubt))
      }
      if (subscription.origin === 'client') {
        await context.ports.subscriptions.unsubscribed(event.clientid, subscription.topic, event.session, event.at)
      }
    }),
  )
}

export async function endSubscription(context: Context, event: SubscriptionChange, filter: string): Promise<void> {
  const { ports, config } = context
  const subscription: Subscription = (await ports.subscriptions.of(event.clientid)).find(({ topic }) => topic === filter) ?? {
    clientid: event.clientid,
    topic: filter,
    qos: 1,
    origin: 'client',
  }
  const { topic, entry, shared } = seatOf(subscription)
  await ports.topics.markGone(filter, event)
  const ended = await ports.topics.endLive(topic, subscription, entry, { session: event.session, until: event.at })
  const live = ended?.seat.live
  if (ended !== undefined && live?.kind === 'client' && !hasWildcard(topic)) {
    const doubt = () => doubtFor(ports, event.clientid, shared, async () => CLEAN_DOUBT)
    const was = { clientid: event.clientid, filter, live }
    await settleWindow(context, ended.row, event.clientid, () => provenWindow(ports, was, { until: event.at, doubt }))
  } else if (ended === undefined && isMine(subscription, event) && fetchRow(config, topic) !== undefined) {
    await settleAgain(context, subscription, event, () => doubtFor(ports, event.clientid, shared, async () => CLEAN_DOUBT))
  }
  if (live === undefined || live.at <= event.at) await ports.subscriptions.unsubscribed(event.clientid, filter, event.session, event.at)
  // It may have subscribed again by now: what came in between is for it.
  const again = hasWildcard(topic)
    ? undefined
    : (startedAnew(ended, event.at) ?? (ended ? undefined : await seatAfter(ports, subscription, event)))
  if (again === undefined) return
  const { at } = again.seat.live
  await fetchQueue(context, again, { clientid: event.clientid, row: fetchRow(config, topic), at, justArrived: false })
}

/** The seat whose window this end has started anew. */
function startedAnew(ended: Seated | undefined, until: number): Seated | undefined {
  if (ended === undefined || ended.seat.live.at <= until) return undefined
  const { catching: _, ...live } = ended.seat.live
  return { row: ended.row, seat: { ...ended.seat, live: { ...live, since: live.at } } }
}

/** The same found by a later try of the event: the one that started it anew died before it had fetched. */
async function seatAfter(ports: Ports, subscription: Subscription, event: SubscriptionChange): Promise<Seated | undefined> {
  const { topic, entry } = seatOf(subscription)
  const row = await ports.topics.head(topic)
  const seats = row === undefined ? [] : await ports.topics.seats(row, { headOnly: subscription.spill === undefined })
  const seat = seats.find((one) => one.entry === entry && one.live.kind === 'client' && one.live.session === event.session)
  return row !== undefined && seat !== undefined && seat.live.since > event.at ? { row, seat } : undefined
}

type SessionEnd = Pick<Disconnected, 'clientid' | 'session' | 'at'>

const isMine = ({ origin, session, since = 0, topic }: Subscription, event: SessionEnd): boolean =>
  origin === 'client' && session === event.session && since <= event.at && !hasWildcard(parseSubscription(topic).filter)

/** The live entry is gone and the row is not: an earlier try was cut short before it settled. An unsubscribe may have come first. */
async function settleAgain(context: Context, subscription: Subscription, event: SessionEnd, doubt: () => Promise<number>): Promise<void> {
  const { clientid, session } = event
  const { topic: filter, since = event.at, at = since } = subscription
  const row = await context.ports.topics.head(seatOf(subscription).topic)
  if (row === undefined) return
  const live: Live = { kind: 'client', session, since, at }
  await settleWindow(context, row, clientid, () => provenWindow(context.ports, { clientid, filter, live }, { until: event.at, doubt }))
}

/** A member of a shared subscription cannot know which member got a message: it settles as late as for a lost connection. */
const doubtFor = (ports: Ports, clientid: string, shared: boolean, doubt: () => Promise<number>): Promise<number> =>
  shared ? lostDoubtOf(ports, clientid) : doubt()

const lostDoubtOf = async (ports: Ports, clientid: string): Promise<number> =>
  lostDoubt((await ports.device.connection(clientid))?.keepAlive)

function memo<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
