/**
 * The row of a topic in `mqtt_topic_msg_map`: where publishers and subscribers meet.
 *
 * head     {topic, MsgId, seq, first, adds, live [, sealing, sealed] [, late] [, spill, newest, spill_servers] [, settled_at, share_left] [, dispatch]}
 * segment  {topic: topic U+0000 number, MsgId}        a full set that was moved aside
 * spill    {topic: topic U+0000 "live" number, live}  seats for which the head has no room
 * place    {topic: topic U+0000 "place" U+0000 seat, spill}  which spill row an operator's row takes its seat in
 * marker   {topic: filter U+0000 "gone" U+0000 clientid, session, until, earlier, expires_at}
 *
 * No MQTT topic can contain U+0000 [MQTT-1.5.3-2], so none of the additional keys can be a topic's.
 */
import type { SubscriptionChange } from '../events/lifecycle-events.ts'
import { LEAST_BACKLOG } from '../metrics.ts'
import { isMsgid, millisOfMsgid } from '../msgid.ts'

/** Ids in a head before it is sealed: 16 ids of 47 bytes and one seat stay below 1 KB, DynamoDB's write unit. */
export const HEAD_IDS = 16
/** Seats in the head, and in each spill row. */
export const HEAD_LIVE = 4
export const SPILL_LIVE = 16

/** A seat: that a client is subscribed now. */
export interface Live {
  /**
   * `client`: it subscribed itself, IoT Core delivers to it. `server`: an operator's row subscribed it, we deliver to it. `durable`: it
   * subscribed itself below the prefix, we deliver to it there.
   */
  readonly kind: 'client' | 'server' | 'durable'
  readonly session: string
  /** Milliseconds: subscribed since; a repeated SUBSCRIBE of the same session does not change it. */
  readonly since: number
  /** Milliseconds: the latest SUBSCRIBE. */
  readonly at: number
  /** QoS that IoT Core granted; absent: not known. */
  readonly granted?: number
  /** Milliseconds: since when it is known; absent: since `since`. */
  readonly grantedAt?: number
  /** Set while a handler drains the queue for the client: publishers leave new messages to that handler. */
  readonly catching?: Lease
}
export interface Lease {
  /** SQS message id of the event that drains: its own retry may go on at once. */
  readonly by: string
  /** Milliseconds: nobody is draining after this. */
  readonly until: number
}

/** The event that delivers a topic's queue to durable subscribers. `rests`: it goes on at its next try; a new subscriber does not wait. */
export interface DispatchLease extends Lease {
  readonly rests?: boolean
}

export interface TopicRow {
  readonly topic: string
  readonly ids: readonly string[]
  /** A full set on its way to segment `seq`. */
  readonly sealing?: { readonly seq: number; readonly ids: readonly string[] }
  /** The number the next segment gets. */
  readonly seq: number
  /** No segment below this number has ids. */
  readonly first: number
  /** How many segments were written late, after another helper had finished. Who read the segments before may not have seen these. */
  readonly late: number
  /** Grows with every publish, and when a durable subscriber joins: so a delivery sees whether one came in since it read the row. */
  readonly adds: number
  /** Entry key -> seat. The key is the client id, or {@link filterEntry}. */
  readonly live: ReadonlyMap<string, Live>
  /** Set while an event delivers to the durable subscribers: publishers leave new messages to it. */
  readonly dispatch?: DispatchLease
  /** Whether the row has a map of seats: a row that EMQX wrote has none. */
  readonly hasLive: boolean
  /** Number of spill rows. */
  readonly spill: number
  /** Milliseconds: the newest `since` of a spilled native subscriber. */
  readonly newest: number
  readonly spillServers: boolean
  /** Milliseconds: when native deliveries were last settled in mid-window. */
  readonly settledAt: number
  /** Milliseconds: when a member of a shared subscription last left. What is older may have been for it. */
  readonly shareLeft: number
}

/** Whether an event delivers to the topic's durable subscribers now, or is going to: new messages are left to it. */
export const isDispatched = ({ dispatch }: TopicRow, now: number): boolean => dispatch !== undefined && dispatch.until >= now

const NUL = '\u0000'
export const segmentKey = (topic: string, seq: number): string => `${topic}${NUL}${seq}`
export const spillKey = (topic: string, n: number): string => `${topic}${NUL}live${n}`
export const placeKey = (topic: string, entry: string): string => `${topic}${NUL}place${NUL}${entry}`
export const goneKey = (filter: string, clientid: string): string => `${filter}${NUL}gone${NUL}${clientid}`
/** The tombstone of a retained message: an older retained message that arrives later is not stored. */
export const retainTombstoneKey = (topic: string): string => `${topic}${NUL}retain`
/** That a message is stored and delivered, and waits for its retained check only. */
export const awaitedCheckKey = (topic: string, msgid: string): string => `${topic}${NUL}retain-check${NUL}${msgid}`
/** What IoT Core answered of the topic's retained message, for publishes that are tried again. */
export const retainAnswerKey = (topic: string): string => `${topic}${NUL}retain-answer`
/** How far a SUBSCRIBE has come with its retained messages. */
export const retainPlaceKey = (eventId: string): string => `${NUL}retain-place${NUL}${eventId}`
/** The entry of a seat that is not of the row's very topic: a client may have several on a covering row, and `$share/g/t` beside `t`. */
export const filterEntry = (clientid: string, filter: string): string => `${clientid}${NUL}${filter}`
export const splitEntry = (entry: string): [clientid: string, filter?: string] => {
  const at = entry.indexOf(NUL)
  return at < 0 ? [entry] : [entry.slice(0, at), entry.slice(at + 1)]
}

/**
 * A pending id and the numbers of the segments that hold it or will hold it: an id seen in a head with `seq` n can only move to segment n.
 */
export type Homes = Map<string, Set<number>>

export function addHomes(homes: Homes, ids: Iterable<string>, seq: number): Homes {
  for (const id of ids) homes.set(id, (homes.get(id) ?? new Set()).add(seq))
  return homes
}

/** Ids in the head itself, with their homes. */
export const headHomes = (row: TopicRow): Homes =>
  addHomes(addHomes(new Map(), row.ids, row.seq), row.sealing?.ids ?? [], row.sealing?.seq ?? row.seq)

/** Segments below this number are final: written once, never again. */
export const finalSegments = (row: TopicRow): number => row.sealing?.seq ?? row.seq

/** A native subscription, from its event. */
export const nativeLive = (event: SubscriptionChange, granted?: Granted): Live => ({
  kind: 'client',
  session: event.session,
  since: event.at,
  at: event.at,
  ...granted,
})

/** What IoT Core said of a subscription's QoS, as {@link Live} keeps it. */
export type Granted = Required<Pick<Live, 'granted'>> & Pick<Live, 'grantedAt'>

/** The seat after one more SUBSCRIBE of its session: of an unknown QoS where this one's is. */
export function renewed(live: Live, again: Live): Live {
  // Of a durable subscription nothing is inferred from its beginning: it is the last SUBSCRIBE's, in whatever order its events come (I4).
  if (live.kind === 'durable') {
    const { catching: _, ...rest } = again
    return again.at > live.at ? { ...rest, ...(live.catching === undefined ? {} : { catching: live.catching }) } : live
  }
  // At QoS 0 nothing was for it: its window begins anew, also where nobody tells that it is QoS 1 now.
  if (live.granted === 0 && again.granted !== 0 && again.at > live.at) return again
  const { granted: _, grantedAt: __, ...rest } = live
  return { ...rest, at: Math.max(live.at, again.at), ...grantedOfBoth(live, again) }
}

/** A SUBSCRIBE that follows another one so soon may have been there when IoT Core told the QoS of the one before. Milliseconds. */
const AT_ONCE = 1_000

/** If a SUBSCRIBE between the two may have had another QoS (not told, or heard of late), the proof begins after that SUBSCRIBE. */
function grantedOfBoth(live: Live, again: Live): Partial<Granted> {
  const isKnown = again.at === live.at || again.at === live.since
  if (isKnown && live.granted !== undefined) return grantedIn(live)
  if (again.at < live.at) {
    const grantedAt = Math.max(live.grantedAt ?? 0, again.grantedAt ?? 0, live.at)
    return grantedIn({ ...(isKnown ? again : live), grantedAt })
  }
  const anew = { ...again, grantedAt: again.grantedAt ?? again.at }
  if (live.granted === undefined || again.granted === 0) return grantedIn(anew)
  if (live.granted !== again.granted) return {}
  return again.grantedAt === undefined && again.at > live.at + AT_ONCE ? grantedIn(live) : grantedIn(anew)
}

const grantedIn = ({ granted, grantedAt }: Live): Partial<Granted> =>
  granted === undefined ? {} : { granted, ...(grantedAt === undefined ? {} : { grantedAt }) }

/** What the head tells of its queue, without a further read. */
export interface Depth {
  readonly about: number
  /** Whether the number is exact: no segments. */
  readonly exact: boolean
}

const namedBy = ({ ids, sealing }: TopicRow): string[] => [...ids, ...(sealing?.ids ?? [])]

/** Of a segment nobody knows how many of its ids are acknowledged: each counts in full. */
export function depthOf(row: TopicRow): Depth {
  const segments = Math.max(0, finalSegments(row) - row.first)
  return { about: namedBy(row).length + segments * HEAD_IDS, exact: segments === 0 }
}

/**
 * Milliseconds: when the oldest message that the head names was published; undefined: it names none. The segments of a deeper queue hold
 * older ones.
 */
function oldestInHead(row: TopicRow): number | undefined {
  const times = namedBy(row).filter(isMsgid).map(millisOfMsgid)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** @param now milliseconds @returns undefined: what waits is no backlog */
export function backlogOf(row: TopicRow, now: number): { readonly depth: number; readonly ageMs: number } | undefined {
  const depth = depthOf(row).about
  const ageMs = Math.max(0, now - (oldestInHead(row) ?? now))
  return depth >= LEAST_BACKLOG.messages || ageMs >= LEAST_BACKLOG.ms ? { depth, ageMs } : undefined
}
