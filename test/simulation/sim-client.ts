/** Clients as they truly are, and what was published. */

export interface SimConnection {
  readonly session: string
  readonly version: number
  /** Milliseconds, as everywhere here. */
  readonly since: number
  /** From here on nothing reaches the client, and IoT Core does not know. */
  halfOpenSince?: number
  readonly filters: Set<string>
  /** Those of the filters of which this connection sent a SUBSCRIBE: a persistent session that goes on sends none. */
  readonly announced: Set<string>
}

/** A persistent session between two connections. */
export interface KeptSession {
  readonly session: string
  readonly filters: ReadonlySet<string>
  readonly endedAt: number
  /** Ids of messages that IoT Core held for it when its connection ended: they count as delivered, whatever becomes of the session. */
  readonly held: ReadonlySet<string>
}

export interface SimClient {
  readonly id: string
  /** Filters of the operator's rows of mqtt_sub. */
  readonly operator: readonly string[]
  /** Seconds: a client is taken to keep it from one connection to the next. */
  readonly keepAlive: number
  /** Its session outlives its connections: `renamed` under a new identifier, of which the documentation does not tell. */
  readonly persistent?: 'same' | 'renamed' | undefined
  connection?: SimConnection
  kept?: KeptSession
  /** Ids of messages that IoT Core holds for the persistent session. */
  held: string[]
  /** Those that IoT Core held when a connection ended, and dropped with the session (docs/guarantees.md, "What is not promised"). */
  readonly dropped: Set<string>
  version: number
  /** Connections so far. */
  connections: number
  /** When the last connection ended. */
  endedAt: number
  lastStamp: number
  /** Whether the last event of the client, a disconnect, was lost. */
  lastEventLost: boolean
  readonly got: Map<string, { how: 'native' | 'direct'; at: number }>
}

export interface Published {
  readonly msgid: string
  readonly topic: string
  readonly name: string
  readonly at: number
  readonly payload: string
  /** A retained publish: of a payload, or an empty one that clears. */
  readonly retain?: 'put' | 'clear' | undefined
}
