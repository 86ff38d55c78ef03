/** Messages on their way to who is live: server-side subscribers, and native ones that subscribed while the message was being stored. */

import { BackendError } from '../errors.ts'
import { fetchRow } from '../hooks.ts'
import type { Stored } from '../model/delivery-request.ts'
import { MARGIN } from '../model/delivery-window.ts'
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { isDurable, type Seat, subscriberOf } from '../model/seat.ts'
import type { TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import { allDone } from '../promises.ts'
import { hasWildcard } from '../topic.ts'
import type { Puback } from './acknowledge.ts'
import { acknowledge, hasAckRow } from './acknowledge.ts'
import { dispatch } from './dispatch-queue.ts'
import { drain } from './drain.ts'
import { endSilent, hasJustArrived } from './drain-stop.ts'
import { type Delivered, sendFor } from './operator-rows.ts'
import { UNANSWERED } from './patient-sender.ts'
import { locate } from './pending.ts'
import { Receipts } from './receipts.ts'
import { seatsFor } from './receivers.ts'
import { sendingInSlice } from './slice.ts'

/** What was queued, as requested of the function that delivers: the row as it is now, and the numbers of the heads that named the messages. */
export interface Pushed {
  readonly row: TopicRow
  readonly stored: readonly (Stored & { readonly seq: number })[]
  /** Milliseconds: when the latest was published, also of those that are gone by now. */
  readonly at: number
}

/** Pushes queued messages to the topic's live clients; who acknowledges first takes a message off the queue. */
export async function pushQueued(context: Context, pushed: Pushed): Promise<void> {
  const receipts = new Receipts(context)
  try {
    await push(context, { ...pushed, receipts })
  } finally {
    await receipts.sent()
  }
}

async function push(context: Context, pushed: Pushing): Promise<void> {
  const { row, stored } = pushed
  const oldest = Math.min(...stored.map(({ message }) => millisOfMsgid(message.msgid)))
  // An earlier try may have leased the queue for anybody.
  const headOnly = !row.spillServers && oldest >= row.newest + MARGIN && context.invocation.receives === 1
  const exact = context.ports.topics.seats(row, { headOnly })
  const seats = await seatsFor(context, row.topic, exact)
  // An earlier try leased them; by now its client gets its messages by another seat.
  const begun = (await exact).filter((seat) => !seats.includes(seat) && isOurs(context, seat.live.catching?.by))
  for (const seat of begun) await pushToSeat(context, pushed, seat)
  const holder = row.dispatch?.by
  const isDispatchedHere = (await exact).some(isDurable) || isOurs(context, holder)
  await allDone([
    pushToSeats(context, pushed, seats),
    isDispatchedHere && dispatch(goingOn(context, holder), { topic: row.topic, at: pushed.at, joins: false }),
  ])
}

async function pushToSeats(context: Context, pushed: Pushing, seats: readonly Seat[]): Promise<void> {
  const done = await Promise.allSettled(seats.map((seat) => (hasWildcard(seat.topic) ? pushToWildcard : pushToSeat)(context, pushed, seat)))
  // A table or the network failed, so somebody was not even tried: the message stays for the next try, though another client has it.
  for (const result of done) if (result.status === 'rejected' && !(result.reason instanceof BackendError)) throw result.reason
  const taken = new Set<string>()
  for (const acked of done.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))) {
    await takeOff(context, pushed, acked, taken)
  }
  for (const result of done) if (result.status === 'rejected') throw result.reason
}

export type Pushing = Pushed & { readonly receipts: Receipts }

/** What a client acknowledged, by msgid. */
interface Acked {
  readonly clientid: string
  readonly pubacks: Map<string, Puback>
}

/** Pushes messages that are on no queue (QoS 0, or a filter without on_message_publish) to server-side subscribers. */
export async function pushUnqueued(context: Context, message: Message): Promise<void> {
  const { topics } = context.ports
  const [row] = await topics.heads([message.topic])
  const seats = await seatsFor(context, message.topic, row === undefined ? [] : topics.seats(row, { headOnly: !row.spillServers }))
  const servers = seats.filter(({ live }) => live.kind !== 'client')
  await allDone(servers.map((seat) => pushPatiently(context, seat, [message])))
}

async function pushToSeat(all: Context, { row, stored, at, receipts }: Pushing, seat: Seat): Promise<Acked> {
  const context = goingOn(all, seat.live.catching?.by)
  const { topics, clock } = context.ports
  const { live } = seat
  const { clientid } = subscriberOf(seat)
  const due = live.kind === 'server' ? stored : stored.filter(({ message }) => millisOfMsgid(message.msgid) < live.since + MARGIN)
  const nothing = { clientid, pubacks: new Map<string, Puback>() }
  const catching = live.catching
  const isBegun = isOurs(all, catching?.by)
  if (due.length === 0 && !isBegun) return nothing
  // Another handler is draining the queue for this client: it finds the new messages there, in order.
  if (catching !== undefined && catching.by !== context.invocation.id && catching.until >= clock.now()) return nothing
  const justArrived = hasJustArrived(live, clock.now())
  const acked: Acked = { clientid, pubacks: new Map() }
  if (catching === undefined) {
    const last = await sendInOrder(
      context,
      seat,
      sendingInSlice(context, seat),
      due.map(({ message }) => message),
      (message) => acked.pubacks.set(message.msgid, receipts.acked(clientid, message)),
    )
    // A missing right is not found by trying again: the message stays queued, and the client's next connect says what is wrong.
    const final = last === 'acked' || last === 'unsendable' || last === 'forbidden' || last === 'ended' || (last === 'gone' && !justArrived)
    if (final) return acked
  }
  await takeOff(context, { row, stored: due.map((one) => ({ ...one, repeated: false })), at }, acked, new Set())
  const lease = { by: context.invocation.id, until: context.invocation.deadline }
  const leased = await topics.lease(seat, lease, clock.now())
  if (leased === undefined) return nothing
  await drain(context, { seat, clientid, row: fetchRow(context.config, row.topic), at, justArrived }, leased)
  return nothing
}

/** The event of the batch whose earlier try holds the lease goes on with it. */
export const goingOn = (context: Context, holder: string | undefined): Context =>
  isOurs(context, holder) ? { ...context, invocation: { ...context.invocation, id: holder } } : context

export const isOurs = ({ invocation }: Context, holder: string | undefined): holder is string =>
  holder !== undefined && (holder === invocation.id || invocation.batch?.includes(holder) === true)

export async function pushToWildcard(context: Context, { stored, receipts }: Pushing, seat: Seat): Promise<Acked> {
  const { clientid } = subscriberOf(seat)
  const pubacks = new Map<string, Puback>()
  await pushPatiently(
    context,
    seat,
    stored.map(({ message }) => message),
    // Queues are of exact topics: who listens to many of them takes nothing off, and no sender asks for its receipt.
    isDurable(seat) ? undefined : (message) => pubacks.set(message.msgid, receipts.acked(clientid, message)),
  )
  return { clientid, pubacks }
}

async function pushPatiently(context: Context, seat: Seat, messages: readonly Message[], onAcked?: OnAcked): Promise<void> {
  const last = await sendInOrder(context, seat, (message) => sendPatiently(context, seat, message), messages, onAcked)
  if (last === 'silent') await endSilent(context, seat)
}

type OnAcked = (message: Message) => void

/** One in flight, so order holds; stops at the first message that was not acknowledged, save one that can never be sent. */
export async function sendInOrder(
  { ports }: Context,
  seat: Seat,
  send: (message: Message) => Promise<Delivered | 'late'>,
  messages: readonly Message[],
  onAcked?: OnAcked,
): Promise<Delivered | 'late'> {
  let outcome: Delivered | 'late' = 'acked'
  for (const message of messages) {
    outcome = await send(message)
    if (outcome === 'ended') await ports.topics.endServer(seat)
    if (outcome === 'acked') onAcked?.(message)
    else if (outcome !== 'unsendable') return outcome
  }
  return outcome
}

/** For who has no queue that is drained: a few more tries, then the message passes it by. Milliseconds. */
const PAUSES = [500, 1_000, 2_000]

async function sendPatiently({ ports }: Context, seat: Seat, message: Message): Promise<Delivered> {
  const { clock } = ports
  let outcome = await sendFor(ports, seat, message)
  let unanswered = 0
  for (const pause of PAUSES) {
    const isUnanswered = outcome === 'silent' || outcome === 'unknown'
    const notYet = outcome === 'gone' && hasJustArrived(seat.live, clock.now())
    if (!isUnanswered && outcome !== 'throttled' && !notYet) return outcome
    if (isUnanswered && ++unanswered >= UNANSWERED) return outcome
    await clock.sleep(pause)
    outcome = await sendFor(ports, seat, message)
  }
  return outcome
}

async function takeOff(context: Context, { row, stored }: Pushed, { clientid, pubacks }: Acked, taken: Set<string>): Promise<void> {
  const { topics } = context.ports
  const msgids = [...pubacks.keys()]
  const fresh = msgids.filter((id) => !taken.has(id))
  const repeated = stored.filter(({ message, repeated }) => repeated && fresh.includes(message.msgid)).map(({ message }) => message.msgid)
  const homes = repeated.length > 0 ? await locate(topics, row, repeated) : new Map<string, Set<number>>()
  const seqs = new Map(stored.map(({ message, seq }) => [message.msgid, seq]))
  for (const id of fresh) if (!homes.has(id)) homes.set(id, new Set([seqs.get(id)!]))
  for (const id of fresh) taken.add(id)
  const newest = msgids.at(-1)
  if (fresh.length > 0) await acknowledge(context, { topic: row.topic, clientid, homes, pubacks })
  else if (newest !== undefined && hasAckRow(context.config, row.topic))
    await context.ports.acked.put(row.topic, clientid, newest, pubacks.get(newest)!.at)
}
