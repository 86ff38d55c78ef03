/** Clients as they truly are, and what was published. */

/** How a client takes what IoT Core delivers natively. */
export interface Manner {
  /** How many unacknowledged messages IoT Core gives it at once: 100, or less by its Receive Maximum. */
  readonly receiveMaximum: number
  /** From a message's arrival to its PUBACK, least and most. Milliseconds. */
  readonly delay: readonly [least: number, most: number]
  /** Share of the messages that it never acknowledges, or with an error code (0x83): IoT Core takes neither for a delivery. */
  readonly never?: number
  readonly refuses?: number
  /** It acknowledges no direct message. */
  readonly mute?: true
  /** From a direct message's arrival to its PUBACK, least and most. Default: at once. Milliseconds. */
  readonly direct?: readonly [least: number, most: number]
}

export const MANNERS = {
  prompt: { receiveMaximum: 100, delay: [0, 300] },
  slow: { receiveMaximum: 100, delay: [100, 9_000] },
  narrow: { receiveMaximum: 2, delay: [100, 700] },
  late: { receiveMaximum: 100, delay: [500, 40_000] },
  silent: { receiveMaximum: 20, delay: [0, 300], never: 0.4 },
  mute: { receiveMaximum: 20, delay: [0, 300], mute: true },
  tardy: { receiveMaximum: 100, delay: [0, 300], direct: [2_500, 4_900] },
  refusing: { receiveMaximum: 100, delay: [0, 300], refuses: 0.4 },
} satisfies Record<string, Manner>

/** A subscription as SUBSCRIBE asked for it. */
export interface SubscriptionOptions {
  readonly qos: 0 | 1
  readonly noLocal: boolean
}

/** A message that IoT Core has for a connection: under way, waiting for its turn, or delivered. */
export interface Handed {
  readonly connection: SimConnection
  readonly qos: 0 | 1
  readonly shared: boolean
  /** Milliseconds: when the client acknowledges it, if its connection stands until then. */
  readonly acknowledgedAt: number
  /** Whether that is as soon as clients must for settling to be right (README, "What is not promised"). */
  readonly inTime: boolean
}

export interface SimConnection {
  readonly session: string
  readonly version: number
  /** Milliseconds, as everywhere here. */
  readonly since: number
  /** From here on nothing reaches the client, and IoT Core does not know. */
  halfOpenSince?: number
  endedAt?: number
  readonly filters: Map<string, SubscriptionOptions>
  /** Those of the filters of which this connection sent a SUBSCRIBE: a persistent session that goes on sends none. */
  readonly announced: Set<string>
  /** Filter -> when its last SUBSCRIBE came. Milliseconds. */
  readonly subscribedAt: Map<string, number>
}

/** A persistent session between two connections. */
export interface KeptSession {
  readonly session: string
  readonly filters: ReadonlyMap<string, SubscriptionOptions>
  readonly endedAt: number
  /** Ids of messages that IoT Core held for it when its connection ended: they count as delivered, whatever becomes of the session. */
  readonly held: ReadonlySet<string>
}

export interface SimClient {
  readonly id: string
  /** Filters of the operator's rows of mqtt_sub. */
  readonly operator: readonly string[]
  /** Whether it subscribes durably, and never otherwise. */
  readonly durable: boolean
  /** Whether it ever subscribed with a wildcard: then it gets copies that take nothing off. */
  listens: boolean
  /** Seconds: a client is taken to keep it from one connection to the next. */
  readonly keepAlive: number
  /** Its session outlives its connections: `renamed` under a new identifier, of which the documentation does not tell. */
  readonly persistent?: 'same' | 'renamed' | undefined
  readonly manner: Manner
  /** Msgid -> how IoT Core had the message for the client: once for each connection. */
  readonly handed: Map<string, Handed[]>
  /** Ids of messages that the client acknowledges with an error code. */
  readonly refused: Set<string>
  /** Ids of direct messages that reached it. */
  readonly confirmed: Set<string>
  /** Filters to which it was ever subscribed through `$share/`, without that prefix. */
  readonly shares: Set<string>
  connection?: SimConnection
  kept?: KeptSession
  /** Ids of messages that IoT Core holds for the persistent session. */
  held: string[]
  /** Those that IoT Core held when a connection ended, and dropped with the session (docs/guarantees.md, "What is not promised"). */
  readonly dropped: Set<string>
  version: number
  /** When it first connected. Milliseconds. */
  firstAt?: number
  /** Connections so far. */
  connections: number
  /** When the last connection ended. */
  endedAt: number
  lastStamp: number
  /** Whether the last event of the client, a disconnect, was lost. */
  lastEventLost: boolean
  /** Filters by which it is no subscriber of ours any more, because it did not acknowledge, until it subscribes or connects again (I15). */
  readonly silenced: Set<string>
  /** Subscriptions, as sent, whose seat may have ended for that: until this very one is made again, or the client connects. */
  readonly givenUp: Set<string>
  /** Exact topics to which it has subscribed and not unsubscribed since -> when that began. Milliseconds. */
  readonly reads: Map<string, number>
  readonly got: Map<string, { how: 'native' | 'direct'; at: number }>
}

export interface Published {
  readonly msgid: string
  readonly topic: string
  readonly sender: string
  readonly name: string
  /** Milliseconds: as the rule stamped it, and when it truly was. */
  readonly at: number
  readonly publishedAt: number
  readonly payload: string
  /** Its sender asked for a receipt. */
  readonly asked: boolean
  /** A retained publish: of a payload, or an empty one that clears. */
  readonly retain?: 'put' | 'clear' | undefined
}
