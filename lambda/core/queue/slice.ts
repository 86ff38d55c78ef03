/**
 * Time slices: a delivery that has held its invocation for so long lets go after the message in hand, and goes on by a request of its own.
 * So the invocation ends, and other clients have their turn, however slowly a client acknowledges (I15).
 */
import type { GoesOn } from '../model/delivery-request.ts'
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import type { Seat } from '../model/seat.ts'
import { type Delivered, sendFor } from './operator-rows.ts'

/** Four messages of a client that acknowledges each just in time. Milliseconds. */
const SLICE = 20_000

export const isSliceOver = ({ ports, invocation }: Context): boolean => ports.clock.now() - invocation.began >= SLICE

/** Sends for a seat, one message at a time. `late`: the slice is over, and nothing was sent; the first message is always sent. */
export function sendingInSlice(context: Context, seat: Seat): (message: Message) => Promise<Delivered | 'late'> {
  let tried = false
  return async (message) => {
    if (tried && isSliceOver(context)) return 'late'
    tried = true
    return sendFor(context.ports, seat, message)
  }
}

/**
 * Requests that the delivery of the topic's queue goes on, to the client of the seat or, without one, to its durable subscribers. The lease
 * is given back before: if this fails, the event is tried again, and whoever comes first goes on.
 */
export async function requestNextSlice({ ports }: Context, topic: string, goesOn: GoesOn): Promise<void> {
  await ports.deliveries.request({ topic, queued: [], goesOn })
}

/** How a request names a seat. */
export const namedSeat = ({ entry, spill, live: { session, since } }: Seat): GoesOn['seat'] => ({
  entry,
  session,
  since,
  ...(spill === undefined ? {} : { spill }),
})
