/**
 * DynamoDB units of each operation with the default conf and one event an invocation. test/cli/costs-measured-units.test.ts measures
 * them again and compares. What AWS bills and DynamoDB Local does not count is added (test/support/call-log.ts).
 *
 * A message's own row is not part of these: it is written once and deleted once, and billed by its size.
 */
export interface Units {
  readonly writes: number
  readonly reads: number
}

/** The update of the topic's head, one sealing in 16 publishes, and the search for server-side subscribers. */
export const PUBLISH: Units = { writes: 1.19, reads: 2 }
/** A retained message; its row of mqtt_retain and the update of its message, as large as a row, are not counted here. */
export const RETAINED: Units = { writes: 0, reads: 1 }
/** A queued message that is delivered and acknowledged. */
export const DELIVERED: Units = { writes: 0.3, reads: 2.14 }
/** A message that IoT Core delivered and that settling takes off the queue; half a read unit asks who sent it and how large it is. */
export const SETTLED: Units = { writes: 0.17, reads: 1.59 }
/** A connection with a subscription to one topic: connect, subscribe, disconnect. */
export const CONNECTION: Units = { writes: 6, reads: 7.5 }

/** How a message comes to its subscriber where IoT Core does not deliver it itself. */
export interface Pushed {
  /** A connection of the client: with a SUBSCRIBE below `durable/`, or with an operator's row. */
  readonly connection: Units
  /** A live message, requested of the function that delivers, sent and acknowledged: beside its publish and its own row. */
  readonly live: Units
  /** How often its row is read: it takes so many read units more for each 4 KB. */
  readonly rowReads: number
}
/** Each message alone, so that each has its own dispatch lease: two writes of the topic's head. */
export const DURABLE: Pushed = { connection: { writes: 9, reads: 10.5 }, live: { writes: 3.8, reads: 3.92 }, rowReads: 2 }
export const OPERATOR: Pushed = { connection: { writes: 6, reads: 8.5 }, live: { writes: 1.81, reads: 4 }, rowReads: 1 }

/** Bytes of a message's row without topic, sender and payload: the names of seven attributes, the id, three numbers. */
export const ROW_BYTES = 95

/**
 * Bytes that a function logs for one publish in its invocation: a line of the event and one of the metrics. Client id of 20, topic of
 * 32 bytes. `delivery`: both of the delivery that it requests. test/cli/costs-logged-bytes.test.ts measures them again. CloudWatch bills
 * 26 bytes more a line.
 */
export const LOGGED = { event: 263, metrics: 301, delivery: { event: 176, metrics: 300 }, line: 26 } as const
/** START, END and REPORT of an invocation, as the Lambda developer guide shows them. */
export const LAMBDA_LOGS = 72 + 52 + 125 + 3 * LOGGED.line
/** Metrics of a fleet in which everything but errors happens: seven hooks, stored, brought, delivered, settled, age. */
export const CUSTOM_METRICS = 12
/** Alarm metrics of the default conf (test/cli/costs-logged-bytes.test.ts counts them). */
export const ALARM_METRICS = 30
