/** Who gets a message of a topic from us: seats on the topic's row, and on the rows of the filters that cover it. */
import type { Context } from '../model/ports.ts'
import { type Seat, subscriberOf } from '../model/seat.ts'
import type { Live } from '../model/topic-row.ts'
import { coversOf, topicMatches } from '../topic.ts'
import { oneSeatEach } from './operator-rows.ts'

/** One seat of each client: on the topic's row, or on a covering row by a filter that matches. */
export async function seatsFor(context: Context, topic: string, exact: Seat[] | Promise<Seat[]>): Promise<Seat[]> {
  const { config, ports } = context
  const [seats, wildcards] = await Promise.all([exact, config.serverSubscriptions ? wildcardSeats(context, topic) : []])
  // Without on_subscribe_lookup there are no server-side subscriptions: what has a seat was left by an earlier conf.
  // Of a client's own seats the latest has most to get.
  const own = seats.filter(({ live }) => live.kind === 'client' && !getsNothing(live)).sort((a, b) => b.live.since - a.live.since)
  // Who subscribed durably itself does not get the same by an operator's row.
  const durable = new Set(seats.filter(({ live }) => live.kind === 'durable').map((seat) => subscriberOf(seat).clientid))
  const servers = seats.filter((seat) => seat.live.kind === 'server' && !durable.has(subscriberOf(seat).clientid))
  return oneSeatEach(ports, config.serverSubscriptions ? [...own, ...servers, ...wildcards] : own)
}

/** As in EMQX, a subscription of QoS 0 gets nothing that was queued; a drain that began before it was known goes on. */
export const getsNothing = ({ granted, catching }: Live): boolean => granted === 0 && catching === undefined

export async function wildcardSeats({ ports: { topics }, config }: Context, topic: string): Promise<Seat[]> {
  const rows = await topics.heads(coversOf(topic))
  const seats = (await Promise.all(rows.map((row) => topics.seats(row, { headOnly: false })))).flat()
  return seats.filter((seat) => {
    const { filter, prefix } = subscriberOf(seat)
    const isOurs = seat.live.kind === 'durable' ? prefix === config.durablePrefix : seat.live.kind === 'server'
    return isOurs && topicMatches(filter, topic)
  })
}
