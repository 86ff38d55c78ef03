/** The next slice of a delivery: what an invocation has let go of goes on here. */
import { fetchRow } from '../hooks.ts'
import type { GoesOn } from '../model/delivery-request.ts'
import type { Context } from '../model/ports.ts'
import { type Seat, subscriberOf } from '../model/seat.ts'
import { spillKey, type TopicRow } from '../model/topic-row.ts'
import { dispatch } from './dispatch-queue.ts'
import { claimQueue, drain, tryLater } from './drain.ts'
import { hasJustArrived } from './drain-stop.ts'

/** Nothing is left to do where somebody else has taken the lease meanwhile: a publish, or a new SUBSCRIBE. */
export async function goOn(context: Context, topic: string, { seat: named, at, left }: GoesOn): Promise<void> {
  if (named === undefined) return dispatch(context, { topic, at, joins: false })
  const { topics, clock } = context.ports
  const row = await topics.head(topic)
  const seat = row && (await seatNow(context, row, named))
  // Its subscription has ended, or is another one, whose own event delivers; or its queue was handed over to the publishers.
  if (row === undefined || seat === undefined || (seat.live.kind !== 'client' && seat.live.catching === undefined)) return
  const { clientid } = subscriberOf(seat)
  const how = { clientid, row: fetchRow(context.config, topic), at, justArrived: hasJustArrived(seat.live, clock.now()), left }
  const claim = await claimQueue(context, { row, seat })
  if (claim === 'empty' || claim === 'held') return
  if (claim === 'elsewhere') return tryLater(context, seat, how, 'queue in the hands of another subscription of the client')
  return drain(context, { ...how, seat }, claim.leased, claim.ahead)
}

/** The seat as it is now, if the subscription is still the same. It may have moved from its spill row to the head. */
async function seatNow({ ports }: Context, row: TopicRow, named: NonNullable<GoesOn['seat']>): Promise<Seat | undefined> {
  const { entry, spill, session, since } = named
  const { topic } = row
  const key = spill === undefined ? topic : spillKey(topic, spill)
  const spilled = spill === undefined ? undefined : (await ports.topics.head(key))?.live.get(entry)
  const inHead = row.live.get(entry)
  const live = spilled ?? inHead
  if (live === undefined || live.session !== session || live.since !== since) return undefined
  return spilled === undefined ? { topic, key: topic, entry, live } : { topic, key, spill: spill!, entry, live }
}
