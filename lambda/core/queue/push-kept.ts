/** Messages of a topic that is kept for many on their way to who is live: each subscriber gets each, and its own read position moves. */
import { fetchRow } from '../hooks.ts'
import { MARGIN } from '../model/delivery-window.ts'
import type { Context } from '../model/ports.ts'
import { isPassed } from '../model/position.ts'
import { firstOfEachClient, isDurable, type Seat, subscriberOf } from '../model/seat.ts'
import { millisOfMsgid } from '../msgid.ts'
import { allDone } from '../promises.ts'
import { hasWildcard } from '../topic.ts'
import { drain } from './drain.ts'
import { hasJustArrived } from './drain-stop.ts'
import { moveOn } from './move-position.ts'
import { goingOn, isOurs, type Pushed, type Pushing, pushToWildcard, sendInOrder } from './push.ts'
import { Receipts } from './receipts.ts'
import { seatsFor } from './receivers.ts'
import { sendingInSlice } from './slice.ts'

export async function pushKept(context: Context, pushed: Pushed): Promise<void> {
  const receipts = new Receipts(context)
  try {
    await pushToAll(context, { ...pushed, receipts })
  } finally {
    await receipts.sent()
  }
}

async function pushToAll(context: Context, pushed: Pushing): Promise<void> {
  const { row, stored } = pushed
  const oldest = Math.min(...stored.map(({ message }) => millisOfMsgid(message.msgid)))
  // An earlier try may have leased the topic for anybody.
  const headOnly = !row.spillServers && oldest >= row.newest + MARGIN && context.invocation.receives === 1
  const exact = await context.ports.topics.seats(row, { headOnly })
  const others = await seatsFor(context, row.topic, exact)
  const durable = exact.filter((seat) => isDurable(seat) && subscriberOf(seat).prefix === context.config.durablePrefix)
  const seats = [...others.filter((seat) => !isDurable(seat) || hasWildcard(seat.topic)), ...firstOfEachClient(durable)]
  // An earlier try leased them; by now its client gets its messages by another seat.
  const begun = exact.filter((seat) => !seats.includes(seat) && isOurs(context, seat.live.catching?.by))
  await allDone(
    [...seats, ...begun].map((seat) =>
      hasWildcard(seat.topic) ? pushToWildcard(context, pushed, seat) : pushToReader(context, pushed, seat),
    ),
  )
}

async function pushToReader(all: Context, { row, stored, at, receipts }: Pushing, seat: Seat): Promise<void> {
  const context = goingOn(all, seat.live.catching?.by)
  const { topics, clock, acked: positions } = context.ports
  const { live } = seat
  const { clientid } = subscriberOf(seat)
  const { catching } = live
  const due = live.kind === 'client' ? stored.filter(({ message }) => millisOfMsgid(message.msgid) < live.since + MARGIN) : stored
  if (due.length === 0 && !isOurs(all, catching?.by)) return
  // Another handler delivers to this client: it finds the new messages in the log, in order.
  if (catching !== undefined && catching.by !== context.invocation.id && catching.until >= clock.now()) return
  const position = (await positions.lastAcked(row.topic, clientid))?.position
  // It unsubscribes just now, or its SUBSCRIBE is handled just now and will read the log.
  if (position === undefined) return
  const justArrived = hasJustArrived(live, clock.now())
  if (catching === undefined) {
    const fresh = due.filter(({ message: { msgid }, seq }) => seq >= position.seq && !isPassed(position, msgid))
    const acked: string[] = []
    const messages = fresh.map(({ message }) => message)
    const last = await sendInOrder(context, seat, sendingInSlice(context, seat), messages, (message) => {
      acked.push(message.msgid)
      receipts.acked(clientid, message)
    })
    const homes = new Map(fresh.map(({ message: { msgid }, seq }) => [msgid, seq]))
    const moved = await moveOn(context, { row, clientid, ids: acked, homes })
    // A missing right is not found by trying again: the message waits, and the client's next SUBSCRIBE says what is wrong.
    const isFinal =
      last === 'acked' || last === 'unsendable' || last === 'forbidden' || last === 'ended' || (last === 'gone' && !justArrived)
    if (isFinal && moved !== 'waits') return
  }
  const leased = await topics.lease(seat, { by: context.invocation.id, until: context.invocation.deadline }, clock.now())
  if (leased === undefined) return
  await drain(context, { seat, clientid, row: fetchRow(context.config, row.topic), at, justArrived }, leased)
}
