/** Delivering a topic's queue to one live client: oldest first, each message awaited to its PUBACK, then acknowledged. */

import { BackendError } from '../errors.ts'
import { MARGIN } from '../model/delivery-window.ts'
import type { Context } from '../model/ports.ts'
import { subscriptionIsOver } from '../model/presence.ts'
import type { Seat, Seated } from '../model/seat.ts'
import { finalSegments, headHomes, type Live, type TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import { DeliveryRun, type Drain, type Stop } from './drain-run.ts'
import { pendingWindows, type ReadAhead, readAhead } from './pending.ts'

/**
 * How long after its connect or SUBSCRIBE a client may not be known yet. Later "not connected" is the truth, whatever the presence
 * row says: its disconnected event was lost or is late. Milliseconds.
 */
const ARRIVAL = 60_000
export const hasJustArrived = (live: Live, now: number): boolean => now - live.at <= ARRIVAL

/** The right to drain a topic's queue for a client. */
interface Claim {
  readonly leased: TopicRow
  readonly ahead: ReadAhead | undefined
}

/**
 * Takes the lease of the seat, and begins to read, unless nothing is there for the client. `taken`: another handler has it. A claim whose
 * event turns out to be stale goes with the seat, if the seat is of that event's own SUBSCRIBE.
 */
export async function claimQueue(context: Context, { row, seat }: Seated): Promise<Claim | 'empty' | 'taken'> {
  const { topics, clock } = context.ports
  // One that is catching up, by a try that was cut short, has publishers leave messages to it until somebody hands over.
  if (seat.live.kind === 'client' && seat.live.catching === undefined && !mayHold(row, seat)) return 'empty'
  const { id: by, deadline: until } = context.invocation
  const ahead = readAhead(topics, row)
  ahead?.homes.catch(() => {})
  // Taken with the seat a moment ago; a lease of an earlier try, given back or run out, may be another's by now.
  const mine = seat.live.catching?.by === by && seat.live.catching.until === until
  const leased = mine ? row : await topics.lease(seat, { by, until }, clock.now())
  return leased === undefined ? 'taken' : { leased, ahead }
}

/** Drains what the topic held when the client became live, unless nothing is there for it or another handler is at it. */
export async function fetchQueue(
  context: Context,
  seated: Seated,
  how: Omit<Drain, 'seat'>,
  claimed = claimQueue(context, seated),
): Promise<void> {
  const claim = await claimed
  if (claim === 'empty') return
  const { seat } = seated
  if (claim !== 'taken') return drain(context, { ...how, seat }, claim.leased, claim.ahead)
  // Who is at it began with an earlier SUBSCRIBE of the session, and stops where that one's connection turns out to be over.
  if (seat.live.since < how.at) throw unfinished(how.clientid, seat, 'queue in the hands of an earlier SUBSCRIBE')
}

const mayHold = (row: TopicRow, seat: Seat): boolean =>
  row.first < finalSegments(row) || [...headHomes(row).keys()].some((id) => millisOfMsgid(id) < seat.live.since + MARGIN)

/**
 * Delivers until the queue holds nothing for the client, then hands over to the publishers. The caller holds the seat's lease; where
 * it cannot go on it gives it back, so that whoever comes next need not wait for its end.
 * Throws `unfinished` where the event must be tried again; what was acknowledged stays acknowledged.
 */
export async function drain(context: Context, drain: Drain, row: TopicRow, ahead?: ReadAhead): Promise<void> {
  const run = new DeliveryRun(context, drain)
  const place = { seat: drain.seat }
  const [delivered] = await Promise.allSettled([untilHandedOver(context, place, run, row, ahead)])
  const [saved] = await Promise.allSettled([run.settleAcks()])
  const failed = [delivered, saved].find((result) => result.status === 'rejected')
  const stop = delivered.status === 'fulfilled' ? delivered.value : undefined
  if (failed === undefined && stop === undefined) return
  const [released] = await Promise.allSettled([context.ports.topics.release(place.seat, context.invocation.id)])
  if (failed !== undefined) throw failed.reason
  if (released.status === 'rejected') throw released.reason
  await checkStop(context, drain, stop!)
}

async function untilHandedOver(
  context: Context,
  place: { seat: Seat },
  run: DeliveryRun,
  row: TopicRow,
  ahead?: ReadAhead,
): Promise<Stop | undefined> {
  const { topics, clock } = context.ports
  const lease = { by: context.invocation.id, until: context.invocation.deadline }
  let current: TopicRow | undefined = row
  let first = ahead
  while (current !== undefined) {
    let met = 0
    for await (const homes of pendingWindows(topics, current, first)) {
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
    // Another session's or another window's by now: whoever began that drains it.
    if (live?.session !== seat.live.session || live.since !== seat.live.since) return undefined
    if (live.catching !== undefined && live.catching.by !== lease.by) return undefined
    if (live.catching === undefined) current = await topics.lease(seat, lease, clock.now())
    if (met === 0 && run.isLate()) return 'late'
  }
  return undefined
}

/** What the seat shows now; where the client moved from a spill row to the head, `place` follows. */
async function stillIn({ ports }: Context, place: { seat: Seat }, head: TopicRow | undefined): Promise<Live | undefined> {
  const { topic, key, entry, live: mine } = place.seat
  const live = key === topic ? undefined : (await ports.topics.head(key))?.live.get(entry)
  if (live !== undefined) return live
  const inHead = head?.live.get(entry)
  if (inHead !== undefined && key !== topic) place.seat = { topic, key: topic, entry, live: mine }
  return inHead
}

/** @throws BackendError where the event must be tried again */
async function checkStop(context: Context, { seat, clientid, justArrived }: Drain, stop: Stop): Promise<void> {
  if (stop === 'forbidden') {
    throw new BackendError(
      'receive-forbidden',
      `${whereIs(clientid, seat)}: direct message refused (403), wanted iot:Receive for the client and iot:SendDirectMessage for us`,
    )
  }
  if (stop === 'gone') {
    if (!justArrived || !hasJustArrived(seat.live, context.ports.clock.now())) return
    const presence = await context.ports.clients.presence(clientid)
    if (subscriptionIsOver(presence, seat.live)) return
  }
  throw unfinished(clientid, seat, stop === 'gone' ? 'not reachable yet' : 'time is up with messages left')
}

const whereIs = (clientid: string, { topic }: Seat): string => `client '${clientid}', topic '${topic}'`
const unfinished = (clientid: string, seat: Seat, why: string): BackendError =>
  new BackendError('unfinished', `${whereIs(clientid, seat)}: ${why}; goes on at the next try`)
