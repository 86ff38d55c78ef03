/** The other end of a delivery request: a hook whose function also delivers what publishes have left to it. */
import { isKeptForMany } from '../hooks.ts'
import type { DeliveryRequest } from '../model/delivery-request.ts'
import type { Delivery, Hook } from '../model/hook.ts'
import type { Context } from '../model/ports.ts'
import { compareMsgids, millisOfMsgid } from '../msgid.ts'
import { goOn } from './go-on.ts'
import { pushQueued, pushUnqueued } from './push.ts'
import { pushKept } from './push-kept.ts'
import { isSliceOver } from './slice.ts'

/** Messages read at once: 128 KB each at most. */
const READ_AT_ONCE = 10

/** The hook, with deliveries beside its own events. */
export function alsoDelivering<Event extends object>(
  hook: Pick<Hook<Event>, 'hook' | 'handle'> & Pick<Hook<Event | DeliveryRequest>, 'parse'>,
): Hook<Event | DeliveryRequest> {
  return {
    hook: hook.hook,
    parse: hook.parse,
    async handle(deliveries) {
      const requests = deliveries.filter(isRequest)
      const own = deliveries.filter((one): one is Delivery<Event> => !isRequest(one))
      const [ours, theirs] = await Promise.all([hook.handle(own), deliverAll(requests)])
      const mine = ours[Symbol.iterator]()
      return deliveries.map((one) => (isRequest(one) ? theirs.get(one)! : mine.next().value!))
    },
  }
}

const isRequest = (one: Delivery<object>): one is Delivery<DeliveryRequest> => 'queued' in one.event

/** What was requested of one topic is delivered as one, oldest first; topics side by side. */
async function deliverAll(deliveries: readonly Delivery<DeliveryRequest>[]) {
  const topics = new Map<string, Delivery<DeliveryRequest>[]>()
  const isAlone = ({ event: { unqueued, goesOn } }: Delivery<DeliveryRequest>) => unqueued !== undefined || goesOn !== undefined
  const alone = deliveries.filter(isAlone).map((one) => [one])
  for (const one of deliveries) if (!isAlone(one)) topics.set(one.event.topic, [...(topics.get(one.event.topic) ?? []), one])
  const results = new Map<Delivery<DeliveryRequest>, PromiseSettledResult<void>>()
  await Promise.all(
    [...alone, ...topics.values()].map(async (some) => {
      const [result] = await Promise.allSettled([deliver(some)])
      for (const one of some) results.set(one, result)
    }),
  )
  return results
}

async function deliver(some: readonly Delivery<DeliveryRequest>[]): Promise<void> {
  const [{ event, context: first }] = some as [Delivery<DeliveryRequest>]
  if (event.unqueued !== undefined) return pushUnqueued(first, event.unqueued)
  if (event.goesOn !== undefined) return goOn(first, event.topic, event.goesOn)
  // A delivery that is tried again may come in another batch: its lease is in its own name.
  const invocations = some.map(({ context }) => context.invocation)
  const receives = Math.max(...invocations.map((invocation) => invocation.receives))
  const context: Context = { ...first, invocation: { ...first.invocation, receives, batch: invocations.map(({ id }) => id) } }
  const named = new Map(some.flatMap(({ event: { queued } }) => queued.map((one) => [one.msgid, one] as const)))
  const all = [...named.values()].sort((a, b) => compareMsgids(a.msgid, b.msgid))
  const { topics, messages, deliveries } = context.ports
  for (let i = 0; i < all.length; i += READ_AT_ONCE) {
    // Who has a queue goes on with it; these are for who listens with a wildcard.
    if (i > 0 && isSliceOver(context)) return deliveries.request({ topic: event.topic, queued: all.slice(i) })
    const part = all.slice(i, i + READ_AT_ONCE)
    const [row, found] = await Promise.all([topics.head(event.topic), messages.get(part.map(({ msgid }) => msgid))])
    // Who acknowledged a message meanwhile has taken it off the queue.
    const stored = part.flatMap(({ msgid, ...how }) => (found.has(msgid) ? [{ message: found.get(msgid)!, ...how }] : []))
    const at = millisOfMsgid(part.at(-1)!.msgid)
    // An earlier try may have leased the queue: it goes on though others have delivered these messages.
    const push = isKeptForMany(context.config, event.topic) ? pushKept : pushQueued
    if (row !== undefined && (stored.length > 0 || receives > 1)) await push(context, { row, stored, at })
  }
}
