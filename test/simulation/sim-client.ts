/** Clients as they truly are, and what was published. */

export interface SimConnection {
  readonly session: string
  readonly version: number
  /** Milliseconds, as everywhere here. */
  readonly since: number
  /** From here on nothing reaches the client, and IoT Core does not know. */
  halfOpenSince?: number
  readonly filters: Set<string>
}

export interface SimClient {
  readonly id: string
  /** Filters of the operator's rows of mqtt_sub. */
  readonly operator: readonly string[]
  /** Seconds: a client is taken to keep it from one connection to the next. */
  readonly keepAlive: number
  connection?: SimConnection
  version: number
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
}
