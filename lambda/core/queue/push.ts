/** Publishes on their way to who is live: server-side subscribers, and native ones that subscribed while the message was being stored. */

import { fetchRow } from '../hooks.ts'
import { MARGIN } from '../model/delivery-window.ts'
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { type Seat, subscriberOf } from '../model/seat.ts'
import type { Live, TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import { allDone } from '../promises.ts'
import { coversOf, hasWildcard, topicMatches } from '../topic.ts'
import { acknowledge, hasAckRow } from './acknowledge.ts'
import { drain, hasJustArrived } from './drain.ts'
import { type Delivered, oneSeatEach, sendFor } from './operator-rows.ts'
import { locate } from './pending.ts'

export interface Stored {
  readonly message: Message
  /** A repeated event stored it, or may have: the queue may name it twice. */
  readonly repeated: boolean
}

/** One topic's new messages, oldest first, and its row as of the moment they were added. */
export interface Queued {
  readonly row: TopicRow
  readonly stored: readonly Stored[]
}

/** Pushes queued messages to the topic's live clients; who acknowledges first takes a message off the queue. */
export async function pushQueued(context: Context, { row, stored }: Queued): Promise<void> {
  const oldest = Math.min(...stored.map(({ message }) => millisOfMsgid(message.msgid)))
  const headOnly = !row.spillServers && oldest >= row.newest + MARGIN
  const exact = context.ports.topics.seats(row, { headOnly })
  const seats = await seatsFor(context, row.topic, exact)
  const messages = stored.map(({ message }) => message)
  // An earlier try leased them; by now its client gets its messages by another seat.
  const begun = (await exact).filter((seat) => !seats.includes(seat) && isOurs(context, seat.live.catching?.by))
  for (const seat of begun) await pushToSeat(context, row, seat, messages)
  const done = await Promise.allSettled(
    seats.map((seat) => (hasWildcard(seat.topic) ? pushToWildcard : pushToSeat)(context, row, seat, messages)),
  )
  const taken = new Set<string>()
  for (const { clientid, msgids } of done.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))) {
    await takeOff(context, { row, stored }, clientid, msgids, taken)
  }
  for (const result of done) if (result.status === 'rejected') throw result.reason
}

interface Acked {
  readonly clientid: string
  readonly msgids: readonly string[]
}

/** Pushes messages that are on no queue (QoS 0, or a filter without on_message_publish) to server-side subscribers. */
export async function pushUnqueued(context: Context, message: Message): Promise<void> {
  const { topics } = context.ports
  const [row] = await topics.heads([message.topic])
  const seats = await seatsFor(context, message.topic, row === undefined ? [] : topics.seats(row, { headOnly: !row.spillServers }))
  const servers = seats.filter(({ live }) => live.kind === 'server')
  await allDone(servers.map((seat) => sendInOrder(context, seat, (one) => sendPatiently(context, seat, one), [message])))
}

/** One seat of each client: on the topic's row, or on a covering row by a filter that matches. */
async function seatsFor(context: Context, topic: string, exact: Seat[] | Promise<Seat[]>): Promise<Seat[]> {
  const { config, ports } = context
  const [seats, wildcards] = await Promise.all([exact, config.serverSubscriptions ? wildcardSeats(context, topic) : []])
  // Without on_subscribe_lookup there are no server-side subscriptions: what has a seat was left by an earlier conf.
  // Of a client's own seats the latest has most to get.
  const own = seats.filter(({ live }) => live.kind === 'client' && !getsNothing(live)).sort((a, b) => b.live.since - a.live.since)
  const servers = seats.filter(({ live }) => live.kind === 'server')
  return oneSeatEach(ports, config.serverSubscriptions ? [...own, ...servers, ...wildcards] : own)
}

/** As in EMQX, a subscription of QoS 0 gets nothing that was queued; a drain that began before it was known goes on. */
const getsNothing = ({ granted, catching }: Live): boolean => granted === 0 && catching === undefined

async function wildcardSeats({ ports: { topics } }: Context, topic: string): Promise<Seat[]> {
  const rows = await topics.heads(coversOf(topic))
  const seats = (await Promise.all(rows.map((row) => topics.seats(row, { headOnly: false })))).flat()
  return seats.filter((seat) => seat.live.kind === 'server' && topicMatches(subscriberOf(seat).filter, topic))
}

async function pushToSeat(all: Context, row: TopicRow, seat: Seat, messages: readonly Message[]): Promise<Acked> {
  const context = goingOn(all, seat.live.catching?.by)
  const { topics, clock } = context.ports
  const { live } = seat
  const { clientid } = subscriberOf(seat)
  const due = live.kind === 'server' ? messages : messages.filter(({ msgid }) => millisOfMsgid(msgid) < live.since + MARGIN)
  const nothing = { clientid, msgids: [] }
  const catching = live.catching
  if (due.length === 0) return nothing
  // Another handler is draining the queue for this client: it finds the new messages there, in order.
  if (catching !== undefined && catching.by !== context.invocation.id && catching.until >= clock.now()) return nothing
  const justArrived = hasJustArrived(live, clock.now())
  const acked: string[] = []
  if (catching === undefined) {
    const last = await sendInOrder(context, seat, (message) => sendFor(context.ports, seat, message), due, acked)
    // A missing right is not found by trying again: the message stays queued, and the client's next connect says what is wrong.
    const final = last === 'acked' || last === 'unsendable' || last === 'forbidden' || last === 'ended' || (last === 'gone' && !justArrived)
    if (final) return { clientid, msgids: acked }
  }
  await takeOff(context, { row, stored: due.map((message) => ({ message, repeated: false })) }, clientid, acked, new Set())
  const lease = { by: context.invocation.id, until: context.invocation.deadline }
  const leased = await topics.lease(seat, lease, clock.now())
  if (leased === undefined) return nothing
  const at = millisOfMsgid(due.at(-1)!.msgid)
  await drain(context, { seat, clientid, row: fetchRow(context.config, row.topic), at, justArrived }, leased)
  return nothing
}

/** The event of the batch whose earlier try holds the lease goes on with it. */
const goingOn = (context: Context, holder: string | undefined): Context =>
  isOurs(context, holder) ? { ...context, invocation: { ...context.invocation, id: holder } } : context

const isOurs = ({ invocation }: Context, holder: string | undefined): holder is string =>
  holder !== undefined && (holder === invocation.id || invocation.batch?.includes(holder) === true)

async function pushToWildcard(context: Context, _: TopicRow, seat: Seat, messages: readonly Message[]): Promise<Acked> {
  const msgids: string[] = []
  await sendInOrder(context, seat, (message) => sendPatiently(context, seat, message), messages, msgids)
  return { clientid: subscriberOf(seat).clientid, msgids }
}

/** One in flight, so order holds; stops at the first message that was not acknowledged, save one that can never be sent. */
async function sendInOrder(
  { ports }: Context,
  seat: Seat,
  send: (message: Message) => Promise<Delivered>,
  messages: readonly Message[],
  acked: string[] = [],
): Promise<Delivered> {
  let outcome: Delivered = 'acked'
  for (const message of messages) {
    outcome = await send(message)
    if (outcome === 'ended') await ports.topics.endServer(seat)
    if (outcome === 'acked') acked.push(message.msgid)
    else if (outcome !== 'unsendable') return outcome
  }
  return outcome
}

/** For who has no queue that is drained: a few more tries, then the message passes it by. Milliseconds. */
const PAUSES = [500, 1_000, 2_000]

async function sendPatiently({ ports }: Context, seat: Seat, message: Message): Promise<Delivered> {
  const { clock } = ports
  let outcome = await sendFor(ports, seat, message)
  for (const pause of PAUSES) {
    const notYet = outcome === 'gone' && hasJustArrived(seat.live, clock.now())
    if (outcome !== 'unknown' && outcome !== 'throttled' && !notYet) return outcome
    await clock.sleep(pause)
    outcome = await sendFor(ports, seat, message)
  }
  return outcome
}

async function takeOff(
  context: Context,
  { row, stored }: Queued,
  clientid: string,
  msgids: readonly string[],
  taken: Set<string>,
): Promise<void> {
  const { topics } = context.ports
  const fresh = msgids.filter((id) => !taken.has(id))
  const repeated = stored.filter(({ message, repeated }) => repeated && fresh.includes(message.msgid)).map(({ message }) => message.msgid)
  const homes = repeated.length > 0 ? await locate(topics, row, repeated) : new Map<string, Set<number>>()
  for (const id of fresh) if (!homes.has(id)) homes.set(id, new Set([row.seq]))
  for (const id of fresh) taken.add(id)
  if (fresh.length > 0) await acknowledge(context, { topic: row.topic, clientid, homes })
  else if (msgids.length > 0 && hasAckRow(context.config, row.topic)) await context.ports.acked.put(row.topic, clientid, msgids.at(-1)!)
}
