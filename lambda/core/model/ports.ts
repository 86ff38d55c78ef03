/** What the actions need of the world. Stores speak the domain; `adapters` implements them on DynamoDB and the IoT data plane. */
import type { Connected, Disconnected, SubscriptionChange } from '../events/lifecycle-events.ts'
import type { HookConfig } from '../hooks.ts'
import type { SendOutcome } from '../metrics.ts'
import type { DeliveryRequest } from './delivery-request.ts'
import type { Ignored } from './ignored.ts'
import type { Message } from './message.ts'
import type { PositionTable } from './position.ts'
import type { Presence } from './presence.ts'
import type { NativeRetained, RetainTable } from './retain-table.ts'
import type { Seat, Seated, Subscription } from './seat.ts'
import type { Granted, Homes, Lease, Live, TopicRow } from './topic-row.ts'

/** `mqtt_client`. */
export interface ClientTable {
  /** Writes a connect unless the row shows a newer connection. Returns whether the row had proved that all before are over (`followsEnd`). */
  connected(event: Connected): Promise<boolean>
  disconnected(event: Disconnected): Promise<void>
  presence(clientid: string): Promise<Presence | undefined>
}

export interface SubscriptionTable {
  /** Records a client's own subscription; an operator's row and a newer session's stay. Returns the row that stands there then. */
  subscribed(subscription: Subscription): Promise<Subscription>
  /** Deletes the client's own row of that session, if it was not renewed after `until` (ms). */
  unsubscribed(clientid: string, topic: string, session: string, until: number): Promise<void>
  of(clientid: string): Promise<Subscription[]>
}

/** What settling needs to know of a message. `bytes`: of its payload. */
export interface Traits {
  readonly sender: string
  readonly bytes: number
}

/** `mqtt_msg`. */
export interface MessageTable {
  /** Returns whether the row was there already: the event is a repetition. */
  put(message: Message): Promise<boolean>
  /** Stores messages in few requests, none twice; one result for each, in order. Whether a row was there already is not told. */
  putAll(messages: readonly Message[]): Promise<PromiseSettledResult<void>[]>
  /** From so many messages on {@link putAll} costs less: one that was put by itself is known to be new, and not looked for later. */
  readonly putAllFrom: number
  /** Messages by id; absent ones are missing. */
  get(msgids: readonly string[]): Promise<Map<string, Message>>
  /** By id, whose message it is and how large, perhaps without the latest. */
  traits(msgids: readonly string[]): Promise<Map<string, Traits>>
  /** Topics of messages by id; absent ones are missing. No payload is read into memory. */
  topicsOf(msgids: readonly string[]): Promise<Map<string, string>>
  /** Which of the ids have a row. */
  existing(msgids: readonly string[]): Promise<Set<string>>
  remove(msgids: readonly string[]): Promise<void>
  /** Writes `retain` and `qos` of the message into its row, if it has one still. */
  correct(message: Message): Promise<void>
  /** Notes in the message's row who acknowledged it first, and when (ms). */
  noteAcked(msgid: string, acked: { readonly clientid: string; readonly at: number }): Promise<void>
}

/** The end of a subscription, or of its connection. */
export interface End {
  readonly session: string
  /** Milliseconds. */
  readonly until: number
  /** Milliseconds: when a member of a shared subscription left; absent: it is none, or its seat knows it. */
  readonly left?: number
  /** Only a seat of this kind ends. */
  readonly kind?: 'server'
}

/** That a session unsubscribed. */
export interface Gone {
  readonly session: string
  /** Milliseconds: the latest unsubscribe, and the one before it; 0: none is known. */
  readonly until: number
  readonly earlier: number
}

/** `mqtt_topic_msg_map`: the topic rows. Every method is made of single-row atomic updates. */
export interface TopicTable {
  /** Adds ids to the head and returns it as of that moment: a subscriber sees the ids, or is seen here. */
  add(topic: string, msgids: readonly string[]): Promise<TopicRow>
  head(topic: string): Promise<TopicRow | undefined>
  heads(topics: readonly string[]): Promise<TopicRow[]>
  /** The seats of the head and, unless `headOnly`, of its spill rows. */
  seats(row: TopicRow, options: { headOnly: boolean }): Promise<Seat[]>
  /** Ids of segments [from, to), by number. */
  segments(topic: string, from: number, to: number): Promise<Map<number, readonly string[]>>
  /** Takes ids off the head, its sealing set and their segments. */
  removeIds(topic: string, homes: Homes): Promise<void>
  /** Moves full sets into segments, which expire `lifetime` seconds after their newest message. Returns whether this call sealed one. */
  seal(row: TopicRow, lifetime?: number): Promise<boolean>
  /** Says that no segment below `first` has ids, unless one came late since `row` was read. */
  advanceFirst(row: TopicRow, first: number): Promise<void>
  /** Gives the client a seat. `undefined`: a newer session of it has one. */
  goLive(topic: string, subscription: Subscription, entry: string, live: Live): Promise<Seated | undefined>
  /** Ends what the session had live since before `until` (ms). Returns the seat as it was, and the row as it was before. */
  endLive(topic: string, subscription: Subscription, entry: string, end: End): Promise<Seated | undefined>
  /** Ends a seat whose operator's row is gone, unless the client has subscribed itself since. Returns whether it did. */
  endServer(seat: Seat): Promise<boolean>
  /** Ends the seat of a client that does not acknowledge, unless it has subscribed once more. Returns whether it did. */
  endSilent(seat: Seat): Promise<boolean>
  /** Removes the seats that older sessions took before `at` (ms). */
  clearOlder(topic: string, subscription: Subscription, entry: string, newer: { session: string; at: number }): Promise<void>
  /** Remembers that a member of a shared subscription left the topic (ms): the others prove nothing for what is older. */
  leaveShare(topic: string, at: number): Promise<void>
  /** Remembers which QoS IoT Core granted, as long as the client has not subscribed once more. */
  noteGranted(seat: Seat, granted: Granted): Promise<void>
  /** Takes or renews the right to drain; `undefined`: another handler has it, or the seat is no longer the session's. */
  lease(seat: Seat, lease: Lease, now: number): Promise<TopicRow | undefined>
  /** Gives the lease back but stays catching: the next handler goes on. */
  release(seat: Seat, by: string): Promise<void>
  /** Ends the catching that the lease of `by` stands for, if no publish came in since `row` was read. Returns whether it did. */
  handOver(row: TopicRow, seat: Seat, by: string): Promise<boolean>
  /** Takes or renews the dispatch lease of the topic; `undefined`: another event has it. `now`: in ms; `wakes`: also one that rests. */
  claimDispatch(topic: string, lease: Lease, how: { now: number; wakes: boolean }): Promise<TopicRow | undefined>
  /** Tells the event that holds the dispatch lease at `now` (ms) that a subscriber came. Returns whether such an event will look again. */
  joinDispatch(topic: string, now: number): Promise<boolean>
  /** Ends the dispatch, if neither a publish nor a subscriber came in since `row` was read. Returns whether it did. */
  endDispatch(row: TopicRow, by: string): Promise<boolean>
  /** The same until the event's next try: publishers leave new messages to it, a new subscriber takes over. */
  restDispatch(row: TopicRow, lease: Lease): Promise<boolean>
  /** Gives the dispatch lease back: the next event goes on. */
  releaseDispatch(topic: string, by: string): Promise<void>
  /** Claims the settling of the topic in mid-window, at most once in `interval` ms. */
  claimSettling(row: TopicRow, at: number, interval: number): Promise<boolean>
  /** Remembers that the session unsubscribed from the filter, for subscribed events that it overtook. */
  markGone(filter: string, event: SubscriptionChange): Promise<void>
  goneSince(filter: string, clientid: string): Promise<Gone | undefined>
}

/** `mqtt_acked`. */
export interface AckedTable extends PositionTable {
  /** `at`: when the client acknowledged it, in ms; absent: that is inferred. */
  put(topic: string, clientid: string, msgid: string, at?: number): Promise<void>
  /** Deletes the row if its message was published, or its position subscribed, at or before `at` (ms). */
  remove(topic: string, clientid: string, at: number): Promise<void>
}

export interface NativeConnection {
  readonly connected: boolean
  /** Milliseconds. */
  readonly connectedSince?: number
  /** Seconds. */
  readonly keepAlive?: number
}

export interface GrantedSubscriptions {
  /** Milliseconds: when IoT Core said so. */
  readonly at: number
  /** Filter as subscribed -> QoS. */
  readonly known: ReadonlyMap<string, number>
}

/** The queue of the function that delivers. */
export interface DeliveryQueue {
  request(delivery: DeliveryRequest): Promise<void>
}

/**
 * `retain`: it is a retained message. `prefix`: the message goes to the client on its topic below that prefix. `receipt`: it is a receipt,
 * and has no user property of ours: nobody is to acknowledge it on the ack topic.
 */
export interface SendOptions {
  readonly receipt?: boolean
  readonly retain?: boolean
  readonly prefix?: string
}

/** The IoT data plane. Nothing here publishes (I8). */
export interface Device {
  /** A direct message, confirmed by the client's PUBACK. */
  send(clientid: string, message: Message, options?: SendOptions): Promise<SendOutcome>
  /** `undefined`: throttled or unknown. */
  connection(clientid: string): Promise<NativeConnection | undefined>
  /** Of a client that is connected or keeps its session, as of `notBefore` (ms) or later. `undefined`: throttled or unknown. */
  subscriptions(clientid: string, when: { notBefore: number }): Promise<GrantedSubscriptions | undefined>
  retained(topic: string): Promise<NativeRetained | undefined>
}

export interface Clock {
  /** Milliseconds. Used for leases, pauses and deadlines; never for what is stored of an event. */
  now(): number
  sleep(ms: number): Promise<void>
}

export interface Ports {
  readonly clients: ClientTable
  readonly subscriptions: SubscriptionTable
  readonly messages: MessageTable
  readonly topics: TopicTable
  readonly acked: AckedTable
  readonly retained: RetainTable
  readonly device: Device
  readonly deliveries: DeliveryQueue
  readonly clock: Clock
}

/** One delivery of one event to a handler. */
export interface Invocation {
  /** SQS message id: a retried event keeps it. */
  readonly id: string
  /** Milliseconds, by {@link Clock.now}. */
  readonly began: number
  /** Milliseconds, by {@link Clock.now}: stop before. */
  readonly deadline: number
  /** How often SQS has handed out the event, this time included. */
  readonly receives: number
  /** SQS message ids of the events that are handled in one with it, its own included. */
  readonly batch?: readonly string[]
}

/** A limit that was hit. */
export interface LimitHit {
  /** Which one: its code in the log. */
  readonly limit: 'unanswered-sends' | 'client-silent' | 'position-expired' | 'position-waits'
  readonly clientid: string
  /** The topic or filter. */
  readonly topic: string
  /** What was got, and what happens next. */
  readonly why: string
}

/** What an action gets beside its event. */
export interface Context {
  readonly ports: Ports
  readonly config: HookConfig
  readonly invocation: Invocation
  /** Says what was passed over and why: a log line, and of an operator's row a count. */
  readonly ignored: (what: Ignored) => void
  /** Says that a limit was hit: a log line and a count. */
  readonly limited: (hit: LimitHit) => void
}
