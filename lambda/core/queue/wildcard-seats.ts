import type { Context } from '../model/ports.ts'
import { type Seat, subscriberOf } from '../model/seat.ts'
import { coversOf, topicMatches } from '../topic.ts'

/** Seats on the rows of the filters that cover the topic: operator's rows, and durable subscriptions below the prefix that is set. */
export async function wildcardSeats({ ports: { topics }, config }: Context, topic: string): Promise<Seat[]> {
  const rows = await topics.heads(coversOf(topic))
  const seats = (await Promise.all(rows.map((row) => topics.seats(row, { headOnly: false })))).flat()
  return seats.filter((seat) => {
    const { filter, prefix } = subscriberOf(seat)
    const isOurs = seat.live.kind === 'durable' ? prefix === config.durablePrefix : seat.live.kind === 'server'
    return isOurs && topicMatches(filter, topic)
  })
}
