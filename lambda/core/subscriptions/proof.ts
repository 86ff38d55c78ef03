/** What proves that native subscribers have a message: the windows in which they surely were subscribed, and had time to acknowledge. */

import { countsWildcards } from '../hooks.ts'
import { CLEAN_DOUBT, LATEST_EVENT, lostDoubt, MARGIN, type Window, windowOf } from '../model/delivery-window.ts'
import type { Context, GrantedSubscriptions, Ports } from '../model/ports.ts'
import { type Seat, type Subscriber, subscriberOf } from '../model/seat.ts'
import type { Granted, Live, TopicRow } from '../model/topic-row.ts'
import { coversOf, deliversNatively, parseSubscription } from '../topic.ts'

export interface Proof {
  /** Who counts as having acknowledged. */
  readonly clientid: string
  readonly window: Window
  /** Who may have got the messages. No Local is invisible, so what they sent themselves proves nothing. */
  readonly members: ReadonlySet<string>
}

/** A native subscription that has ended. */
export interface Ended {
  readonly clientid: string
  /** As the client sent it. */
  readonly filter: string
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
  const { clientid, filter, live, until, clean } = ended
  if (live.granted !== 1) return undefined
  if (parseSubscription(filter).share !== undefined) return groupProof(context, row, row.topic, { at: until, settle }, ended)
  const doubt = clean ? CLEAN_DOUBT : lostDoubt((await context.ports.device.connection(clientid))?.keepAlive)
  return ownProof(context.ports, { clientid, sent: filter, live }, { until, doubt: doubt + settle })
}

/** The rows on which native subscribers of the topic sit: its own, and where wildcards count those of the filters that cover it. */
export async function rowsWithNatives({ ports, config }: Context, row: TopicRow, at: number): Promise<TopicRow[]> {
  const covers = countsWildcards(config, row.topic) ? await ports.topics.heads(coversOf(row.topic)) : []
  const isOld = ({ live }: Seat) => isNative(live) && live.since + MARGIN < at
  return [row, ...covers].filter((one) =>
    seatsOf(one).some((seat) => isOld(seat) && deliversNatively(subscriberOf(seat).filter, row.topic)),
  )
}

const seatsOf = ({ topic, live }: TopicRow): Seat[] => [...live].map(([entry, live]) => ({ topic, key: topic, entry, live }))

/** Somebody to whom IoT Core delivers, as far as is known. */
const isNative = ({ kind, granted }: Live): boolean => kind === 'client' && granted !== 0

/** While subscriptions stand, as GetConnection shows: each native subscriber of a head by itself, and the shared ones of a row together. */
export async function proofsInMidWindow(context: Context, topic: string, rows: readonly TopicRow[], asked: Asked): Promise<Proof[]> {
  const proofs = rows.flatMap((row) => {
    const natives = seatsOf(row).filter((seat) => isNative(seat.live) && deliversNatively(subscriberOf(seat).filter, topic))
    const own = natives.filter((seat) => subscriberOf(seat).share === undefined && seat.live.since + MARGIN < asked.at)
    const group = natives.some(isMember) ? [groupProof(context, row, topic, asked)] : []
    return [...own.map((seat) => proofOfStanding(context, seat, asked)), ...group]
  })
  return (await Promise.all(proofs)).filter((proof) => proof !== undefined)
}

async function proofOfStanding(context: Context, seat: Seat, { at, settle }: Asked): Promise<Proof | undefined> {
  const keepAlive = await keepAliveOfStanding(context.ports, seat)
  if (keepAlive === undefined) return undefined
  const doubt = Math.max(lostDoubt(keepAlive), LATEST_EVENT) + settle
  return ownProof(context.ports, windowed(seat), { until: at, doubt })
}

const ownProof = async (ports: Ports, subscriber: Windowed, end: { until: number; doubt: number }): Promise<Proof> => ({
  clientid: subscriber.clientid,
  members: new Set([subscriber.clientid]),
  window: await provenWindow(ports, subscriber, end),
})

/**
 * A message went to one member of a group, and nobody tells to which: it is proven once everybody to whom it may have gone is. Who left,
 * as the row tells, may have taken older messages along. The shared subscriptions of a topic count as one group.
 */
async function groupProof(
  context: Context,
  row: TopicRow,
  topic: string,
  { at, settle }: Asked,
  ended?: Ended,
): Promise<Proof | undefined> {
  const { ports } = context
  if (ended !== undefined && parseSubscription(ended.filter).share === EMQX_QUEUE) return undefined
  const seats = (await ports.topics.seats(row, { headOnly: false })).filter((seat) => {
    const { clientid, sent, filter } = subscriberOf(seat)
    return isMember(seat) && deliversNatively(filter, topic) && !(clientid === ended?.clientid && sent === ended.filter)
  })
  if (seats.length >= MEMBERS || seats.some(({ live }) => live.granted === 0)) return undefined
  const standing = await Promise.all(seats.map((seat) => keepAliveOfStanding(ports, seat)))
  const keepAlives = standing.filter((keepAlive) => keepAlive !== undefined)
  if (keepAlives.length < seats.length) return undefined
  if (ended !== undefined) keepAlives.push((await ports.device.connection(ended.clientid))?.keepAlive || Number.NaN)
  const doubt =
    Math.max(LATEST_EVENT, ...keepAlives.map((keepAlive) => lostDoubt(Number.isNaN(keepAlive) ? undefined : keepAlive))) + settle
  const members = [...seats.map(windowed), ...(ended === undefined ? [] : [{ ...ended, sent: ended.filter }])]
  if (members.length === 0) return undefined
  const windows = await Promise.all(members.map((member) => provenWindow(ports, member, { until: at, doubt })))
  return {
    clientid: members.at(-1)!.clientid,
    members: new Set(members.map(({ clientid }) => clientid)),
    window: {
      from: Math.max(row.shareLeft + MARGIN, ...windows.map(({ from }) => from)),
      to: Math.min(...windows.map(({ to }) => to)),
    },
  }
}

function isMember(seat: Seat): boolean {
  const { share } = subscriberOf(seat)
  return seat.live.kind === 'client' && share !== undefined && share !== EMQX_QUEUE
}

/** A subscription, whose window is asked for. `sent`: its filter as the client sent it. */
type Windowed = Pick<Subscriber, 'clientid' | 'sent'> & Pick<Seat, 'live'>

const windowed = (seat: Seat): Windowed => ({ ...subscriberOf(seat), live: seat.live })

/** Seconds, of a subscription that stands at QoS 1 as IoT Core tells now; 0 where it does not tell. `undefined`: that is not proven. */
async function keepAliveOfStanding(ports: Ports, seat: Seat): Promise<number | undefined> {
  const { live } = seat
  const { clientid, sent } = subscriberOf(seat)
  const connection = await ports.device.connection(clientid)
  if (connection?.connected !== true || connection.connectedSince === undefined || connection.connectedSince > live.since) return undefined
  if (live.granted === undefined) {
    // From now on it is known: what is older stays pending.
    const granted = grantedNow(await ports.device.subscriptions(clientid, { notBefore: live.at }), sent, live.since)
    if (granted !== undefined) await ports.topics.noteGranted(seat, granted)
  }
  return live.granted === 1 ? (connection.keepAlive ?? 0) : undefined
}

/**
 * The window in which a client surely was subscribed natively. A persistent session that goes on may keep its identifier: what was published
 * between its connections IoT Core may still hold, so the window begins with the connection. A subscribed event that is tried again after its
 * unsubscribe makes the client live for a moment, or for as long as that try stays dead: the ends that are remembered know better.
 */
async function provenWindow(
  ports: Ports,
  { clientid, sent, live }: Windowed,
  { until, doubt }: { until: number; doubt: number },
): Promise<Window> {
  const [presence, gone] = await Promise.all([ports.clients.presence(clientid), ports.topics.goneSince(sent, clientid)])
  // Not known where a disconnect overtook its connect: then nothing is proven.
  const connectedAt = presence?.session === live.session ? (presence.connectedAt ?? Number.POSITIVE_INFINITY) : 0
  const same = gone?.session === live.session
  const ends = same ? [gone.until, gone.earlier].filter((end) => end >= live.since && end < until) : []
  const since = Math.max(connectedAt, live.grantedAt ?? 0, ends.some((end) => end < live.at) ? live.at : live.since)
  // Two ends are remembered, whoever's: before the older one, or before another session's, there may have been more.
  const forgotten = gone !== undefined && (same ? gone.earlier : gone.until) >= since
  return windowOf({ since }, forgotten ? since : Math.min(until, ...ends.filter((end) => end >= live.at)), doubt)
}

/** The QoS of the filter, as IoT Core tells it, with or without the prefix of a shared one. `since`: of the window, in ms. */
export function grantedNow(answer: GrantedSubscriptions | undefined, sent: string, since: number): Granted | undefined {
  const granted = answer?.known.get(sent) ?? answer?.known.get(parseSubscription(sent).filter)
  if (answer === undefined || granted === undefined) return undefined
  return { granted, ...(answer.at > since + MARGIN ? { grantedAt: answer.at } : {}) }
}
