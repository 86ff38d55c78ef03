/** Delivering a topic's queue to one live client: oldest first, each message awaited to its PUBACK, then acknowledged. */

import { isKeptForMany } from '../hooks.ts'
import type { Context } from '../model/ports.ts'
import { type Seat, type Seated, subscriberOf } from '../model/seat.ts'
import type { Live, TopicRow } from '../model/topic-row.ts'
import { type Drain, DrainRun, type Run, type Stop } from './drain-run.ts'
import { checkStop, giveUp, RECEIVES, unfinished } from './drain-stop.ts'
import { KeptRun } from './kept-run.ts'
import { type Stands, standingOf } from './operator-rows.ts'
import { mayHold, type ReadAhead, readAhead } from './pending.ts'
import { namedSeat, requestNextSlice } from './slice.ts'

/** The right to drain a topic's queue for a client, and the first part of the queue. */
interface Claim {
  readonly leased: TopicRow
  readonly ahead: ReadAhead | undefined
}

/**
 * Leases the queue for the client of the seat, and begins to read it. `empty`: nothing is there for the client. `held`: another handler has
 * the lease. If the event turns out to be stale, its lease goes with the seat.
 */
export async function claimQueue(context: Context, { row, seat }: Seated): Promise<Claim | 'empty' | 'held' | 'elsewhere'> {
  const { topics, clock } = context.ports
  // A seat with a lease is catching up: publishers leave messages to the drain. If its handler died, somebody must go on and hand over.
  if (seat.live.kind === 'client' && seat.live.catching === undefined && !mayHold(row, seat)) return 'empty'
  const { id: by, deadline: until } = context.invocation
  if (isDrainedElsewhere(row, seat, by, clock.now())) return 'elsewhere'
  // On a topic kept for many the read position tells where to begin.
  const ahead = isKeptForMany(context.config, row.topic) ? undefined : readAhead(topics, row)
  ahead?.homes.catch(() => {})
  // The seat was taken together with this lease a moment ago. A lease of an earlier try may be another handler's by now.
  const mine = seat.live.catching?.by === by && seat.live.catching.until === until
  const leased = mine ? row : await topics.lease(seat, { by, until }, clock.now())
  return leased === undefined ? 'held' : { leased, ahead }
}

/** Drains the topic's queue for a client that took its seat, unless nothing is there for it or another handler drains already. */
export async function fetchQueue(
  context: Context,
  seated: Seated,
  how: Omit<Drain, 'seat'>,
  claimed = claimQueue(context, seated),
): Promise<void> {
  const claim = await claimed
  if (claim === 'empty') return
  const { seat } = seated
  if (claim === 'elsewhere') return tryLater(context, seat, how, 'queue in the hands of another subscription of the client')
  if (claim !== 'held') return drain(context, { ...how, seat }, claim.leased, claim.ahead)
  // The other handler has an earlier SUBSCRIBE of the session, and stops if that one turns out to be stale: so this event is tried again.
  if (seat.live.since < how.at || seat.live.kind === 'durable')
    await tryLater(context, seat, how, 'the handler of an earlier SUBSCRIBE delivers its queue')
}

/** At the event's next receive; before it would be a dead letter, by a request, which has as many receives again. */
export async function tryLater(context: Context, seat: Seat, { clientid, at, left }: Omit<Drain, 'seat'>, why: string): Promise<void> {
  if (context.invocation.receives < RECEIVES) throw unfinished(clientid, seat, why)
  await requestNextSlice(context, seat.topic, { at, seat: namedSeat(seat), left })
}

/** The client subscribed to the topic by another filter, too: its queue comes once. */
function isDrainedElsewhere(row: TopicRow, seat: Seat, by: string, now: number): boolean {
  const { clientid } = subscriberOf(seat)
  return [...row.live].some(([entry, { catching }]) => {
    const other = entry !== seat.entry && subscriberOf({ topic: row.topic, entry }).clientid === clientid
    return other && catching !== undefined && catching.by !== by && catching.until >= now
  })
}

/**
 * Delivers until the queue holds nothing for the client, then hands over to the publishers. The caller holds the seat's lease. A drain that
 * cannot finish gives the lease back, so that the next handler need not wait until it ends.
 * Throws `unfinished` where the event must be tried again; what was acknowledged stays acknowledged.
 */
export async function drain(context: Context, drain: Drain, row: TopicRow, ahead?: ReadAhead): Promise<void> {
  const place = { seat: drain.seat }
  const Deliveries = isKeptForMany(context.config, row.topic) ? KeptRun : DrainRun
  const run = new Deliveries(context, drain, standing(context, place))
  try {
    await drained(context, place, run, drain, row, ahead)
  } finally {
    // The queue is in other hands by now: nobody waits for them.
    await run.receipts.sent()
  }
}

async function drained(
  context: Context,
  place: { seat: Seat },
  run: Run,
  drain: Drain,
  row: TopicRow,
  ahead: ReadAhead | undefined,
): Promise<void> {
  const [delivered] = await Promise.allSettled([untilHandedOver(context, place, run, row, ahead)])
  const [saved] = await Promise.allSettled([run.writeAcks()])
  const failed = [delivered, saved].find((result) => result.status === 'rejected')
  const stop = delivered.status === 'fulfilled' ? delivered.value : undefined
  if (failed === undefined && stop === undefined) return
  const [released] = await Promise.allSettled([giveUp(context, place.seat, stop, run)])
  if (failed !== undefined) throw failed.reason
  if (released.status === 'rejected') throw released.reason
  await checkStop(context, { ...drain, seat: place.seat }, stop!, run)
}

/** So often it is asked whether the seat is still there; a slow client's is before each message. Milliseconds. */
const LOOK = 500

/** Whether the subscription goes on: its seat, and an operator's row. */
function standing(context: Context, place: { seat: Seat }): Stands {
  const { clock, topics } = context.ports
  const operatorRow = standingOf(context.ports, place.seat)
  let looked = clock.now()
  return async () => {
    if (clock.now() - looked >= LOOK) {
      looked = clock.now()
      const live = await stillIn(context, place, await topics.head(place.seat.topic))
      if (!isSame(live, place.seat.live) || live?.catching?.by !== context.invocation.id) return false
    }
    return (await operatorRow?.()) ?? true
  }
}

const isSame = (live: Live | undefined, mine: Live): live is Live => live?.session === mine.session && live.since === mine.since

async function untilHandedOver(
  context: Context,
  place: { seat: Seat },
  run: Run,
  row: TopicRow,
  ahead?: ReadAhead,
): Promise<Stop | undefined> {
  const { topics, clock } = context.ports
  const lease = { by: context.invocation.id, until: context.invocation.deadline }
  let current: TopicRow | undefined = row
  let first = ahead
  while (current !== undefined) {
    let met = 0
    for await (const homes of run.parts(current, first)) {
      const ids = run.eligible(homes)
      met += ids.length
      const stop = await run.deliver(ids, homes)
      if (stop !== undefined) return stop
    }
    first = undefined
    if (met === 0 && (await topics.handOver(current, place.seat, lease.by))) return undefined
    current = await topics.head(place.seat.topic)
    const live = await stillIn(context, place, current)
    const { seat } = place
    // The seat is of another session or a later subscription by now: the handler of that event drains.
    // A later SUBSCRIBE has taken a durable seat over, together with this lease.
    if (!isSame(live, seat.live)) return seat.live.kind === 'durable' ? void (await topics.release(seat, lease.by)) : undefined
    if (live.catching !== undefined && live.catching.by !== lease.by) return undefined
    if (live.catching === undefined) current = await topics.lease(seat, lease, clock.now())
    if (met === 0 && run.isLate()) return 'late'
  }
  return undefined
}

/** The client's entry now. If it moved from a spill row to the head, `place` moves along. */
async function stillIn({ ports }: Context, place: { seat: Seat }, head: TopicRow | undefined): Promise<Live | undefined> {
  const { topic, key, entry, live: mine } = place.seat
  const live = key === topic ? undefined : (await ports.topics.head(key))?.live.get(entry)
  if (live !== undefined) return live
  const inHead = head?.live.get(entry)
  if (inHead !== undefined && key !== topic) place.seat = { topic, key: topic, entry, live: mine }
  return inHead
}
