/** A client's subscription, and its seat on a topic's row. */
import { durableFilter, prefixOf } from '../durable-filter.ts'
import { coveringFilter, hasWildcard, parseSubscription } from '../topic.ts'
import { filterEntry, type Live, splitEntry, type TopicRow } from './topic-row.ts'

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

export const isDurable = ({ live }: Seat): boolean => live.kind === 'durable'

/** As in EMQX, a subscription of QoS 0 gets nothing that was queued; a drain that began before it was known goes on. */
export const getsNothing = ({ granted, catching }: Live): boolean => granted === 0 && catching === undefined

/** A client's seat, and its topic's head as of that moment. */
export interface Seated {
  readonly row: TopicRow
  readonly seat: Seat
}

/**
 * Where a subscription has its seat: on its topic's row, or with a wildcard on the row of its covering filter. A client's own shared
 * subscription has one of its own; to an operator's row we deliver ourselves, whatever its prefix.
 */
export function seatOf({ clientid, topic, origin }: Pick<Subscription, 'clientid' | 'topic' | 'origin'>): Place {
  const { filter, share } = parseSubscription(topic)
  if (share !== undefined && origin === 'client') return { topic: coveringFilter(filter), entry: filterEntry(clientid, topic), share }
  return { topic: coveringFilter(filter), entry: hasWildcard(filter) ? filterEntry(clientid, filter) : clientid }
}

/** The seat of a durable subscription, on the row of the topics that it listens to; `undefined`: it is an ordinary one, or has no topic. */
export function durablePlace({ clientid, topic }: Pick<Subscription, 'clientid' | 'topic'>, prefix: string): Place | undefined {
  const filter = durableFilter(topic, prefix)
  return filter === undefined || filter === '' ? undefined : { topic: coveringFilter(filter), entry: filterEntry(clientid, topic) }
}

/**
 * Both where the client may have subscribed by the very filter of an operator's row: the rows of mqtt_sub are one. Where we deliver to it
 * the client may have a seat by the filter without prefix, which is another subscription.
 */
export const seatsOf = (subscription: Subscription): Place[] => {
  const own = seatOf({ ...subscription, origin: 'client' })
  return subscription.origin === 'operator' && own.share !== undefined
    ? [{ ...seatOf(subscription), kind: 'server' }, own]
    : [seatOf(subscription)]
}

/** The row's key, the entry in it, and the group of a shared subscription. */
export interface Place {
  readonly topic: string
  readonly entry: string
  readonly share?: string
  /** Only a seat of this kind is the subscription's. */
  readonly kind?: 'server'
}

/** Operator's rows that share a seat, such as `t` and `$share/g/t`, together: we deliver to the client itself, once. */
export function bySeat(subscriptions: readonly Subscription[]): Subscription[][] {
  const seats = new Map<string, Subscription[]>()
  for (const one of subscriptions) {
    const { filter } = parseSubscription(one.topic)
    seats.set(filter, [...(seats.get(filter) ?? []), one])
  }
  return [...seats.values()]
}

/** Whose seat it is, and by which filter: as sent, and without the prefixes of a shared and of a durable subscription. */
export interface Subscriber {
  readonly clientid: string
  readonly sent: string
  readonly filter: string
  readonly share?: string
  /** With which prefix the client subscribed durably; '': it did not. */
  readonly prefix: string
}

export function subscriberOf({ topic, entry }: Pick<Seat, 'topic' | 'entry'>): Subscriber {
  const [clientid, sent = topic] = splitEntry(entry)
  const prefix = prefixOf(sent, topic)
  const { filter, ...shared } = parseSubscription(sent)
  return { clientid, sent, filter: filter.slice(prefix.length), ...shared, prefix }
}

export const firstOfEachClient = (seats: readonly Seat[]): Seat[] =>
  seats.filter((seat, i) => seats.findIndex((other) => subscriberOf(other).clientid === subscriberOf(seat).clientid) === i)

/** In which spill row the client took its seat: its row of mqtt_sub, read before, may not know yet. */
export const spillOf = (seated: Seated | undefined): Pick<Subscription, 'spill'> =>
  seated?.seat.spill === undefined ? {} : { spill: seated.seat.spill }
