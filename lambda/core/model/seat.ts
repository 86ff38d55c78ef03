/** A client's subscription, and its seat on a topic's row. */
import { coveringFilter, hasWildcard, parseSubscription } from '../topic.ts'
import { isWildcardEntry, type Live, splitWildcardEntry, type TopicRow, wildcardEntry } from './topic-row.ts'

/** A row of `mqtt_sub`. */
export interface Subscription {
  readonly clientid: string
  /** Filter as subscribed, `$share/` prefix included. */
  readonly topic: string
  /** Of an operator's row whatever stands there: NaN, if that is no number. */
  readonly qos: number
  /** `client`: written from a subscribed event; `operator`: a server-side subscription. */
  readonly origin: 'client' | 'operator'
  readonly session?: string
  /** Milliseconds. */
  readonly since?: number
  /** Milliseconds: the latest SUBSCRIBE, if the session repeated it. */
  readonly at?: number
  /** QoS that IoT Core granted; absent: not known. And since when that is known (ms), if that is later than `since`. */
  readonly granted?: number
  readonly grantedAt?: number
  /** Number of the spill row that has the client's seat. Never read from an operator's row, which others write again as they like. */
  readonly spill?: number
}

/** An operator's row that is passed over. */
export interface IgnoredRow {
  readonly clientid: string
  readonly filter: string
  /** What was got, and what was wanted. */
  readonly why: string
}

/** A client's seat, and where it is: on the topic's row, or on one of its spill rows. */
export interface Seat {
  readonly topic: string
  /** Key of the row that holds the entry. */
  readonly key: string
  /** Number of the spill row, if it is one that holds the entry. */
  readonly spill?: number
  /** Key of the entry in the row's `live`. */
  readonly entry: string
  readonly live: Live
}

/** A client's seat, and its topic's head as of that moment. */
export interface Seated {
  readonly row: TopicRow
  readonly seat: Seat
}

/** Where a subscription is live: on its topic's row, or with a wildcard on the row of its covering filter. */
export function seatOf({ clientid, topic }: Pick<Subscription, 'clientid' | 'topic'>): Place {
  const { filter, share } = parseSubscription(topic)
  const shared = share === undefined ? {} : { share }
  return hasWildcard(filter)
    ? { topic: coveringFilter(filter), entry: wildcardEntry(clientid, filter), ...shared }
    : { topic: filter, entry: clientid, ...shared }
}

/** The row's key, the entry in it, and the group of a shared subscription. */
interface Place {
  readonly topic: string
  readonly entry: string
  readonly share?: string
}

/** Subscriptions that share a seat, such as `t` and `$share/g/t`, together. */
export function bySeat(subscriptions: readonly Subscription[]): Subscription[][] {
  const seats = new Map<string, Subscription[]>()
  for (const one of subscriptions) {
    const { filter } = parseSubscription(one.topic)
    seats.set(filter, [...(seats.get(filter) ?? []), one])
  }
  return [...seats.values()]
}

/** The session's other subscriptions that share the seat: `t`, `$share/g/t`. */
export const besides = (all: readonly Subscription[], { topic }: Subscription, session: string): Subscription[] => {
  const own = all.filter((other) => other.origin === 'client' && other.session === session && other.topic !== topic)
  return own.filter((other) => parseSubscription(other.topic).filter === parseSubscription(topic).filter)
}

/** In which spill row the client took its seat: its row of mqtt_sub, read before, may not know yet. */
export const spillOf = (seated: Seated | undefined): Pick<Subscription, 'spill'> =>
  seated?.seat.spill === undefined ? {} : { spill: seated.seat.spill }

/** Whose seat it is, and by which filter, without `$share/` prefix. */
export function subscriberOf({ topic, entry }: Pick<Seat, 'topic' | 'entry'>): { readonly clientid: string; readonly filter: string } {
  if (!isWildcardEntry(entry)) return { clientid: entry, filter: topic }
  const [clientid, filter] = splitWildcardEntry(entry)
  return { clientid, filter }
}
