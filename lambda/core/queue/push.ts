/** Publishes on their way to who is live: server-side subscribers, and native ones that subscribed while the message was being stored. */

import { fetchRow } from '../hooks.ts'
import type { SendOutcome } from '../metrics.ts'
import { MARGIN } from '../model/delivery-window.ts'
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import type { Seat } from '../model/seat.ts'
import { type Live, splitWildcardEntry, type TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import { allDone } from '../promises.ts'
import { coversOf, topicMatches } from '../topic.ts'
import { acknowledge, takesAcks } from './acknowledge.ts'
import { drain, hasJustArrived } from './drain.ts'
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
  const seats = await context.ports.topics.seats(row, { headOnly })
  const messages = stored.map(({ message }) => message)
  const done = await Promise.allSettled([
    ...seats.map((seat) => pushToSeat(context, row, seat, messages)),
    pushToWildcards(context, row.topic, messages, new Set(seats.map(({ entry }) => entry))),
  ])
  const taken = new Set<string>()
  for (const { clientid, msgids } of done.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))) {
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
  const row = (await topics.heads([message.topic]))[0]
  const seats = row === undefined ? [] : await topics.seats(row, { headOnly: !row.spillServers })
  const servers = seats.filter(({ live }) => live.kind === 'server')
  await pushToWildcards(context, message.topic, [message], new Set(seats.map(({ entry }) => entry)))
  await allDone(servers.map(({ entry, live }) => sendPatiently(context, entry, message, live)))
}

async function pushToSeat(all: Context, row: TopicRow, seat: Seat, messages: readonly Message[]): Promise<Acked[]> {
  const context = goingOn(all, seat.live.catching?.by)
  const { topics, clock } = context.ports
  const { live, entry: clientid } = seat
  const due = live.kind === 'server' ? messages : messages.filter(({ msgid }) => millisOfMsgid(msgid) < live.since + MARGIN)
  // As in EMQX, a subscription of QoS 0 gets nothing that was queued.
  if (live.granted === 0) return []
  if (due.length === 0) return []
  const catching = live.catching
  // Another handler is draining the queue for this client: it finds the new messages there, in order.
  if (catching !== undefined && catching.by !== context.invocation.id && catching.until >= clock.now()) return []
  const justArrived = hasJustArrived(live, clock.now())
  const acked: string[] = []
  if (catching === undefined) {
    const last = await sendInOrder((message) => context.ports.device.send(clientid, message), due, acked)
    // A missing right is not found by trying again: the message stays queued, and the client's next connect says what is wrong.
    const final = last === 'acked' || last === 'unsendable' || last === 'forbidden' || (last === 'gone' && !justArrived)
    if (final) return [{ clientid, msgids: acked }]
  }
  await takeOff(context, { row, stored: due.map((message) => ({ message, repeated: false })) }, clientid, acked, new Set())
  const lease = { by: context.invocation.id, until: context.invocation.deadline }
  const leased = await topics.lease(seat, lease, clock.now())
  if (leased === undefined) return []
  const at = millisOfMsgid(due.at(-1)!.msgid)
  await drain(context, { seat, clientid, row: fetchRow(context.config, row.topic), at, justArrived }, leased)
  return []
}

/** The event of the batch whose earlier try holds the lease goes on with it. */
const goingOn = (context: Context, holder: string | undefined): Context =>
  holder !== undefined && context.invocation.batch?.includes(holder)
    ? { ...context, invocation: { ...context.invocation, id: holder } }
    : context

async function pushToWildcards(
  context: Context,
  topic: string,
  messages: readonly Message[],
  exact: ReadonlySet<string>,
): Promise<Acked[]> {
  if (!context.config.serverSubscriptions) return []
  const { topics } = context.ports
  const rows = await topics.heads(coversOf(topic))
  const seats = (await Promise.all(rows.map((row) => topics.seats(row, { headOnly: false })))).flat()
  const clients = new Map<string, Live>()
  for (const { entry, live } of seats) {
    const [clientid, filter] = splitWildcardEntry(entry)
    if (live.kind === 'server' && topicMatches(filter, topic) && !exact.has(clientid)) clients.set(clientid, live)
  }
  return Promise.all(
    [...clients].map(async ([clientid, live]) => {
      const msgids: string[] = []
      await sendInOrder((message) => sendPatiently(context, clientid, message, live), messages, msgids)
      return { clientid, msgids }
    }),
  )
}

/** One in flight, so order holds; stops at the first message that was not acknowledged, save one that can never be sent. */
async function sendInOrder(
  send: (message: Message) => Promise<SendOutcome>,
  messages: readonly Message[],
  acked: string[],
): Promise<SendOutcome> {
  let outcome: SendOutcome = 'acked'
  for (const message of messages) {
    outcome = await send(message)
    if (outcome === 'acked') acked.push(message.msgid)
    else if (outcome !== 'unsendable') return outcome
  }
  return outcome
}

/** For who has no queue that is drained: a few more tries, then the message passes it by. Milliseconds. */
const PAUSES = [500, 1_000, 2_000]

async function sendPatiently({ ports }: Context, clientid: string, message: Message, live: Live): Promise<SendOutcome> {
  const { device, clock } = ports
  let outcome = await device.send(clientid, message)
  for (const pause of PAUSES) {
    const notYet = outcome === 'gone' && hasJustArrived(live, clock.now())
    if (outcome !== 'unknown' && outcome !== 'throttled' && !notYet) return outcome
    await clock.sleep(pause)
    outcome = await device.send(clientid, message)
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
  else if (msgids.length > 0 && takesAcks(context.config, row.topic)) await context.ports.acked.put(row.topic, clientid, msgids.at(-1)!)
}
