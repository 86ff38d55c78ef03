/**
 * A publish on its way to whom we deliver: the function that stores hands it over to the function that delivers, if the topic's row shows
 * somebody who may have to get it. A topic without such subscribers costs nothing more.
 */
import { isKeptForMany } from '../hooks.ts'
import type { DeliveryRequest, Queued } from '../model/delivery-request.ts'
import { MARGIN } from '../model/delivery-window.ts'
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { getsNothing, type Seat, subscriberOf } from '../model/seat.ts'
import { isDispatched, type TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import { coversOf, topicMatches } from '../topic.ts'

/** Hands queued messages over that some live client may have to get from us. */
export async function requestQueued(context: Context, { row, stored }: Queued): Promise<void> {
  const { config, ports } = context
  if (config.deliveryHook === undefined) return
  const oldest = Math.min(...stored.map(({ message }) => millisOfMsgid(message.msgid)))
  const exact = await ports.topics.seats(row, { headOnly: !row.spillServers && oldest >= row.newest + MARGIN })
  const receives = exact.some((seat) => mayReceive(context, row, seat, oldest)) || (await hasWildcardReceivers(context, row.topic))
  if (!receives) return
  const queued = stored.map(({ message: { msgid }, repeated }) => ({ msgid, seq: row.seq, repeated }))
  await ports.deliveries.request({ topic: row.topic, queued })
}

/** The same of a message that is on no queue (QoS 0, or a filter without on_message_publish): only server-side subscribers get it. */
export async function requestUnqueued(context: Context, message: Message): Promise<void> {
  const { config, ports } = context
  if (config.deliveryHook === undefined || !config.serverSubscriptions) return
  const [row] = await ports.topics.heads([message.topic])
  const exact = row === undefined ? [] : await ports.topics.seats(row, { headOnly: !row.spillServers })
  const receives = exact.some(({ live }) => live.kind === 'server') || (await hasWildcardReceivers(context, message.topic))
  if (receives) await ports.deliveries.request({ topic: message.topic, queued: [], unqueued: message })
}

/** Who is caught up by another handler finds the new messages on the queue, in order: that handler goes on until nothing is left. */
function mayReceive({ config, ports }: Context, row: TopicRow, { live }: Seat, oldest: number): boolean {
  if (live.kind === 'durable' && !isKeptForMany(config, row.topic)) return !isDispatched(row, ports.clock.now())
  const { catching } = live
  if (catching !== undefined && catching.until >= ports.clock.now()) return false
  if (live.kind === 'durable') return true
  if (live.kind === 'server') return config.serverSubscriptions
  return (isKeptForMany(config, row.topic) || !getsNothing(live)) && oldest < live.since + MARGIN
}

const hasWildcardReceivers = async (context: Context, topic: string): Promise<boolean> =>
  context.config.serverSubscriptions && (await wildcardSeats(context, topic)).length > 0

/** As the queue of the function that delivers takes it. */
export function deliveryRequestBody({ topic, queued, unqueued, goesOn }: DeliveryRequest): object {
  if (goesOn !== undefined) return { deliver: { topic, goesOn } }
  if (unqueued === undefined) return { deliver: { topic, queued } }
  return { deliver: { topic, unqueued: { ...unqueued, payload: unqueued.payload.toString('base64') } } }
}

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
