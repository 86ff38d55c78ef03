/** The operator's row is the authority at every delivery (I13): whoever deletes it and however, what it stood for ends. */
import type { SendOutcome } from '../metrics.ts'
import type { Message } from '../model/message.ts'
import type { Ports } from '../model/ports.ts'
import { type Seat, type Subscription, subscriberOf } from '../model/seat.ts'
import { parseSubscription } from '../topic.ts'

/** Whether the delivery may be made now; absent: nobody need be asked, the client subscribed itself. */
export type Stands = () => Promise<boolean>

/** `ended`: the operator's row is gone, and nothing was sent. */
export type Delivered = SendOutcome | 'ended'

/** Whether an operator's row of the client has the filter, with or without `$share/` prefix. One consistent Query. */
export async function operatorRowStands({ subscriptions }: Ports, clientid: string, filter: string): Promise<boolean> {
  return hasOperatorRow(await subscriptions.of(clientid), filter)
}

const hasOperatorRow = (rows: readonly Subscription[], filter: string): boolean =>
  rows.some(({ origin, topic }) => origin === 'operator' && parseSubscription(topic).filter === filter)

/** Of the seat's own row, asked of `mqtt_sub` each time. */
export function standingOf(ports: Ports, seat: Seat): Stands | undefined {
  const { clientid, filter } = subscriberOf(seat)
  return seat.live.kind === 'server' ? () => operatorRowStands(ports, clientid, filter) : undefined
}

/** One try to send a message for a seat. */
export async function sendFor(ports: Ports, seat: Seat, message: Message): Promise<Delivered> {
  if ((await standingOf(ports, seat)?.()) === false) return 'ended'
  const { clientid, prefix } = subscriberOf(seat)
  return ports.device.send(clientid, message, { prefix })
}

/**
 * Of each client the one seat by which it gets a message, so that it comes once. Exact seats come first, and the client's own; of
 * several by operator's rows the first whose row stands, and those whose rows are gone end.
 */
export async function oneSeatEach(ports: Ports, seats: readonly Seat[]): Promise<Seat[]> {
  const ofClient = new Map<string, Seat[]>()
  for (const seat of seats) {
    const { clientid } = subscriberOf(seat)
    ofClient.set(clientid, [...(ofClient.get(clientid) ?? []), seat])
  }
  const chosen = await Promise.all([...ofClient.values()].map((all) => choose(ports, all)))
  return chosen.filter((seat) => seat !== undefined)
}

async function choose(ports: Ports, all: readonly Seat[]): Promise<Seat | undefined> {
  const [first] = all
  // A single one is asked about before each message.
  if (all.length === 1 || first!.live.kind === 'client') return first
  const rows = await ports.subscriptions.of(subscriberOf(first!).clientid)
  const stands = (seat: Seat) => seat.live.kind === 'durable' || hasOperatorRow(rows, subscriberOf(seat).filter)
  await Promise.all(all.map((seat) => (stands(seat) ? undefined : ports.topics.endServer(seat))))
  return all.find(stands)
}
