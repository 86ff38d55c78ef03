/** What proves that native subscribers have a message: the windows in which they surely were subscribed, and had time to acknowledge. */

import type { Disconnected } from '../events/lifecycle-events.ts'
import { CLEAN_DOUBT, LATEST_EVENT, lostDoubt, MARGIN, type Window, windowOf } from '../model/delivery-window.ts'
import type { Context, Device, Ports } from '../model/ports.ts'
import type { Seat } from '../model/seat.ts'
import type { Granted, Live, TopicRow } from '../model/topic-row.ts'

export interface Proof {
  /** Who counts as having acknowledged. */
  readonly clientid: string
  readonly window: Window
  /** Who may have got the messages. No Local is invisible, so what they sent themselves proves nothing. */
  readonly members: ReadonlySet<string>
}

/** A native subscription that has ended. */
export interface Ended extends Pick<Disconnected, 'clientid'> {
  readonly live: Live
  /** Milliseconds. */
  readonly until: number
  /** The client said that it goes. */
  readonly clean: boolean
}

/** When is asked, and how long clients may take to acknowledge. Milliseconds. */
interface Asked {
  readonly at: number
  readonly settle: number
}

/** With more members of shared subscriptions on a topic nothing is settled: each costs a GetConnection (100/s an account). */
const MEMBERS = 16
/** EMQX's `$queue/` means nothing to IoT Core: it delivers nothing there. */
const EMQX_QUEUE = '$queue'

/** `undefined`: the end proves nothing. */
export async function proofOfEnd(context: Context, row: TopicRow, ended: Ended, settle: number): Promise<Proof | undefined> {
  const { clientid, live, until, clean } = ended
  if (live.granted !== 1) return undefined
  if (live.shared !== undefined) return groupProof(context, row, { at: until, settle }, ended)
  const doubt = clean ? CLEAN_DOUBT : lostDoubt((await context.ports.device.connection(clientid))?.keepAlive)
  return ownProof(context.ports, { clientid, topic: row.topic, live }, { until, doubt: doubt + settle })
}

/** While subscriptions stand, as GetConnection shows: each native subscriber of the head by itself, and the shared ones together. */
export async function proofsInMidWindow(context: Context, row: TopicRow, asked: Asked): Promise<Proof[]> {
  const seats = await context.ports.topics.seats(row, { headOnly: true })
  const natives = seats.filter(({ live }) => isNative(live))
  const own = natives.filter(({ live }) => live.shared === undefined && live.since + MARGIN < asked.at)
  const proofs = await Promise.all([
    ...own.map((seat) => proofOfStanding(context, seat, asked)),
    natives.some(({ live }) => live.shared !== undefined) ? groupProof(context, row, asked) : undefined,
  ])
  return proofs.filter((proof) => proof !== undefined)
}

/** Somebody to whom IoT Core delivers, as far as is known. */
export const isNative = ({ kind, granted }: Live): boolean => kind === 'client' && granted !== 0

async function proofOfStanding(context: Context, seat: Seat, { at, settle }: Asked): Promise<Proof | undefined> {
  const keepAlive = await keepAliveOfStanding(context.ports, seat)
  if (keepAlive === undefined) return undefined
  const doubt = Math.max(lostDoubt(keepAlive), LATEST_EVENT) + settle
  return ownProof(context.ports, { clientid: seat.entry, topic: seat.topic, live: seat.live }, { until: at, doubt })
}

const ownProof = async (ports: Ports, subscriber: Subscriber, end: { until: number; doubt: number }): Promise<Proof> => ({
  clientid: subscriber.clientid,
  members: new Set([subscriber.clientid]),
  window: await provenWindow(ports, subscriber, end),
})

/**
 * A message went to one member of a group, and nobody tells to which: it is proven once everybody to whom it may have gone is. Who left,
 * as the row tells, may have taken older messages along. The shared subscriptions of a topic count as one group.
 */
async function groupProof(context: Context, row: TopicRow, { at, settle }: Asked, ended?: Ended): Promise<Proof | undefined> {
  const { ports } = context
  if (ended?.live.shared === EMQX_QUEUE) return undefined
  const seats = (await ports.topics.seats(row, { headOnly: false })).filter(
    ({ entry, live }) => isMember(live) && entry !== ended?.clientid,
  )
  if (seats.length >= MEMBERS || seats.some(({ live }) => live.granted === 0)) return undefined
  const standing = await Promise.all(seats.map((seat) => keepAliveOfStanding(ports, seat)))
  const keepAlives = standing.filter((keepAlive) => keepAlive !== undefined)
  if (keepAlives.length < seats.length) return undefined
  if (ended !== undefined) keepAlives.push((await ports.device.connection(ended.clientid))?.keepAlive || Number.NaN)
  const doubt =
    Math.max(LATEST_EVENT, ...keepAlives.map((keepAlive) => lostDoubt(Number.isNaN(keepAlive) ? undefined : keepAlive))) + settle
  const members = [...seats.map(({ entry, live }) => ({ clientid: entry, live })), ...(ended === undefined ? [] : [ended])]
  if (members.length === 0) return undefined
  const windows = await Promise.all(
    members.map(({ clientid, live }) => provenWindow(ports, { clientid, topic: row.topic, live }, { until: at, doubt })),
  )
  return {
    clientid: members.at(-1)!.clientid,
    members: new Set(members.map(({ clientid }) => clientid)),
    window: {
      from: Math.max(row.shareLeft + MARGIN, ...windows.map(({ from }) => from)),
      to: Math.min(...windows.map(({ to }) => to)),
    },
  }
}

const isMember = ({ kind, shared }: Live): boolean => kind === 'client' && shared !== undefined && shared !== EMQX_QUEUE

/** Seconds, of a subscription that stands at QoS 1 as IoT Core tells now; 0 where it does not tell. `undefined`: that is not proven. */
async function keepAliveOfStanding(ports: Ports, seat: Seat): Promise<number | undefined> {
  const { entry: clientid, live } = seat
  const connection = await ports.device.connection(clientid)
  if (connection?.connected !== true || connection.connectedSince === undefined || connection.connectedSince > live.since) return undefined
  if (live.granted === undefined) {
    // From now on it is known: what is older stays pending.
    const granted = grantedNow(await ports.device.subscriptions(clientid, { notBefore: live.at }), filtersOf(seat.topic, live), live.since)
    if (granted !== undefined) await ports.topics.noteGranted(seat, granted)
  }
  return live.granted === 1 ? (connection.keepAlive ?? 0) : undefined
}

/** The least QoS of the filters, as IoT Core tells it. `since`: of the window, in ms. */
export function grantedNow(
  answer: Awaited<ReturnType<Device['subscriptions']>>,
  filters: readonly string[],
  since: number,
): Granted | undefined {
  const all = filters.map((filter) => answer?.known.get(filter)).filter((qos) => qos !== undefined)
  if (answer === undefined || all.length === 0) return undefined
  return { granted: Math.min(...all), ...(answer.at > since + MARGIN ? { grantedAt: answer.at } : {}) }
}

/** Filters by which the seat may have been taken, as the client sent them. */
const filtersOf = (topic: string, { shared }: Live): string[] => [
  topic,
  ...(shared === undefined ? [] : [`$share/${shared}/${topic}`, ...(shared === EMQX_QUEUE ? [`${EMQX_QUEUE}/${topic}`] : [])]),
]

interface Subscriber {
  readonly clientid: string
  readonly topic: string
  readonly live: Live
}

/**
 * The window in which a client surely was subscribed natively. A persistent session that goes on may keep its identifier: what was published
 * between its connections IoT Core may still hold, so the window begins with the connection. A subscribed event that is tried again after its
 * unsubscribe makes the client live for a moment, or for as long as that try stays dead: the ends that are remembered know better.
 */
async function provenWindow(
  ports: Ports,
  { clientid, topic, live }: Subscriber,
  { until, doubt }: { until: number; doubt: number },
): Promise<Window> {
  const [presence, ...marks] = await Promise.all([
    ports.clients.presence(clientid),
    ...filtersOf(topic, live).map((filter) => ports.topics.goneSince(filter, clientid)),
  ])
  // Not known where a disconnect overtook its connect: then nothing is proven.
  const connectedAt = presence?.session === live.session ? (presence.connectedAt ?? Number.POSITIVE_INFINITY) : 0
  const gone = marks.filter((mark) => mark !== undefined)
  const same = gone.filter(({ session }) => session === live.session)
  const ends = same.flatMap(({ until, earlier }) => [until, earlier]).filter((end) => end >= live.since && end < until)
  const since = Math.max(connectedAt, live.grantedAt ?? 0, ends.some((end) => end < live.at) ? live.at : live.since)
  // Two ends of a filter are remembered, whoever's: before the older one, or before another session's, there may have been more.
  const forgotten = gone.some((mark) => (mark.session === live.session ? mark.earlier : mark.until) >= since)
  return windowOf({ since }, forgotten ? since : Math.min(until, ...ends.filter((end) => end >= live.at)), doubt)
}
