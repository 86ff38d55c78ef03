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
  const servers = seats.filter(({ live }) => live.kind === 'server')
  return oneSeatEach(ports, config.serverSubscriptions ? [...own, ...servers, ...wildcards] : own)
}

/** As in EMQX, a subscription of QoS 0 gets nothing that was queued; a drain that began before it was known goes on. */
export const getsNothing = ({ granted, catching }: Live): boolean => granted === 0 && catching === undefined

export async function wildcardSeats({ ports: { topics } }: Context, topic: string): Promise<Seat[]> {
  const rows = await topics.heads(coversOf(topic))
  const seats = (await Promise.all(rows.map((row) => topics.seats(row, { headOnly: false })))).flat()
  return seats.filter((seat) => seat.live.kind === 'server' && topicMatches(subscriberOf(seat).filter, topic))
}
