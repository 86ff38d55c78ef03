/** Who gets a message of a topic from us: seats on the topic's row, and on the rows of the filters that cover it. */
import { isKeptForMany } from '../hooks.ts'
import type { Context } from '../model/ports.ts'
import { getsNothing, type Seat, subscriberOf } from '../model/seat.ts'
import { oneSeatEach } from './operator-rows.ts'
import { wildcardSeats } from './request-delivery.ts'

/** One seat of each client: on the topic's row, or on a covering row by a filter that matches. */
export async function seatsFor(context: Context, topic: string, exact: Seat[] | Promise<Seat[]>): Promise<Seat[]> {
  const { config, ports } = context
  const [seats, wildcards] = await Promise.all([exact, config.serverSubscriptions ? wildcardSeats(context, topic) : []])
  // Without on_subscribe_lookup there are no server-side subscriptions: what has a seat was left by an earlier conf.
  // Of a client's own seats the latest has most to get.
  const isKept = isKeptForMany(config, topic)
  const own = seats
    .filter(({ live }) => live.kind === 'client' && (isKept || !getsNothing(live)))
    .sort((a, b) => b.live.since - a.live.since)
  // Who subscribed durably itself does not get the same by an operator's row.
  const durable = new Set(seats.filter(({ live }) => live.kind === 'durable').map((seat) => subscriberOf(seat).clientid))
  const servers = seats.filter((seat) => seat.live.kind === 'server' && !durable.has(subscriberOf(seat).clientid))
  return oneSeatEach(ports, config.serverSubscriptions ? [...own, ...servers, ...wildcards] : own)
}
