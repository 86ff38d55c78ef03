/**
 * DynamoDB units of each operation, as the engines of the tests count them with the default conf, one event an invocation
 * (test/cli/costs-measured.test.ts measures them again and compares), with what AWS bills and DynamoDB Local leaves out (test/support/call-log.ts).
 *
 * Beside these, a message's row itself is written once and deleted once, each billed by its size.
 */
export interface Units {
  readonly writes: number
  readonly reads: number
}

/** Beside the message's own row: the topic's head, one sealing in 16 publishes, the look for server-side subscribers. */
export const PUBLISH: Units = { writes: 1.19, reads: 2 }
/** Beside the row that mqtt_retain gets. */
export const RETAINED: Units = { writes: 0, reads: 1 }
/** A queued message that is delivered and acknowledged, beside the deletion of its row. */
export const DELIVERED: Units = { writes: 0.3, reads: 2.14 }
/** A message that IoT Core delivered, when its subscriber's window is settled; beside the deletion of its row. */
export const SETTLED: Units = { writes: 0.17, reads: 1.09 }
/** A connection with a subscription to one topic: connect, subscribe, disconnect, beside its messages. */
export const CONNECTION: Units = { writes: 6, reads: 7.5 }

/** Bytes of a message's row without its topic, sender and payload: the names of seven attributes, the id, three numbers. */
export const ROW_BYTES = 95
