/** What goes wrong, and how often. */
import type { DatabaseFaults } from './dynamodb-client.ts'
import type { PlatformFaults } from './iot-core.ts'
import type { QueueFaults } from './queues.ts'

export interface Faults {
  readonly database: DatabaseFaults
  readonly platform: PlatformFaults
  readonly queue: QueueFaults
  /** Share of the steps at which some function dies. */
  readonly crash: number
}
export const FAULTS: Faults = {
  database: { throttled: 0.01, replyLost: 0.01, repeated: 0.01, unprocessed: 0.05 },
  platform: { lostDisconnect: 0.1, throttledSend: 0.02, lostPuback: 0.04, unknownConnection: 0.2, notYet: 0.3 },
  queue: { duplicated: 0.1, receivedTwice: 0.02, late: 20_000, overtakenUnsubscribe: false, hasty: true },
  crash: 0.004,
}
