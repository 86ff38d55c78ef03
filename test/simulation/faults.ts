/** What goes wrong, how often, and how often it did. */
import type { Random } from './random.ts'

/** Share of the occasions, 0 to 1. */
export const SHARES = {
  // DynamoDB, of its calls. The SDK gave up: nothing was done.
  throttled: 0.01,
  /** Done, then told that it failed: the SDK gave up waiting for an answer. */
  'reply-lost': 0.01,
  /** Done, its answer lost, and done once more by the SDK's own retry. */
  repeated: 0.01,
  /** Of a batch some keys are left over. */
  unprocessed: 0.05,

  // The data plane, of its calls.
  'send-throttled': 0.02,
  'send-failed': 0.005,
  /** No PUBACK in time although the client is there; half of these clients have the message. */
  'puback-lost': 0.04,
  'not-yet-known': 0.3,
  'connection-unknown': 0.2,
  'subscriptions-unknown': 0.2,
  'retained-throttled': 0.02,

  // IoT Core's events.
  'disconnect-lost': 0.1,
  /** A rule puts an event on its queue twice. */
  duplicated: 0.1,

  // SQS, of its receives. It shows the message to another function as well.
  'received-twice': 0.02,
  /** An event comes up to 20 s late. */
  late: 0.15,
  /** A failed event is seen again sooner than the visibility timeout says. */
  hasty: 0.8,

  // SQS, of a delivery request: it was not taken, or was and that is not told.
  'request-failed': 0.02,
  'request-untold': 0.02,

  // Lambda, of the steps: some function dies.
  crash: 0.004,

  /** An operator presses Ctrl-C, of the steps at which a command runs. */
  'ctrl-c': 0.02,
} as const

export type FaultName = keyof typeof SHARES
export const FAULT_NAMES = Object.keys(SHARES) as FaultName[]
export type Shares = Readonly<Record<FaultName, number>>

export class Faults {
  /** Whether anything goes wrong at present. */
  on = false
  readonly injected = new Map<FaultName, number>()
  private readonly random: Random
  private readonly shares: Shares
  private readonly without: ReadonlySet<FaultName>

  constructor(random: Random, shares: Shares, without: ReadonlySet<FaultName>) {
    this.random = random
    this.shares = shares
    this.without = without
  }

  happens(name: FaultName): boolean {
    if (!this.on || this.without.has(name) || !this.random.chance(this.shares[name])) return false
    this.injected.set(name, (this.injected.get(name) ?? 0) + 1)
    return true
  }
}
