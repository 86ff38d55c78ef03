/** The casts of the histories: one for each seed, in turn. */

import type { Consumers } from '../../lambda/core/hooks.ts'
import type { MANNERS } from './sim-client.ts'

export type CommandKind = 'purge' | 'subscriptions' | 'retained'

/** Who is there, and how much is published. */
export interface Cast {
  readonly name: string
  readonly natives: number
  readonly operators: Readonly<Record<string, readonly string[]>>
  /** Clients that subscribe durably only: `d1`, `d2`, ... */
  readonly durables?: number
  readonly topics: readonly string[]
  readonly bursts: readonly number[]
  /** Native clients keep their sessions, under the same identifier or a new one. */
  readonly persistent?: 'same' | 'renamed'
  /** Share of natively delivered messages that are acknowledged on the ack topic. */
  readonly acks?: number
  /** Share of publishes that are retained; the conf has the rows for it then. */
  readonly retained?: number
  /** How native clients acknowledge, by turns. Default: at once. */
  readonly manners?: readonly (keyof typeof MANNERS)[]
  /** How the clients of operator's rows acknowledge, by turns. Default: at once. */
  readonly servers?: readonly (keyof typeof MANNERS)[]
  /** The same of clients that subscribe durably. */
  readonly lasting?: readonly (keyof typeof MANNERS)[]
  /** Share of the SUBSCRIBEs that ask for QoS 0, and for No Local; and of the filters that are subscribed to through `$share/`. */
  readonly qos0?: number
  readonly noLocal?: number
  readonly shared?: number
  /** Seconds, as the rows of on_message_fetch_for_queue say it. Default: what is their default. */
  readonly settle?: number
  readonly consumers?: Consumers
  /** Share of the steps at which an operator changes a row of mqtt_sub. */
  readonly changes?: number
  /** What an operator does with the commands, beside everything else. */
  readonly commands?: readonly CommandKind[]
  /** Topics are kept for many: each subscriber gets each message. */
  readonly many?: true
  /** Seconds after which messages expire: some do in a long calm. Default: never. */
  readonly expiry?: number
  /** Share of the publishes that come from a subscriber. */
  readonly own?: number
  /** Every third publish comes from one of the clients, and asks for a receipt. */
  readonly receipts?: true
}

export const CASTS: readonly Cast[] = [
  { name: 'all kinds', natives: 3, operators: { s1: ['a/1'], s2: ['a/+'] }, topics: ['a/1', 'a/2'], bursts: [1, 1, 2, 8] },
  {
    name: 'an operator at work',
    natives: 2,
    operators: { s1: ['a/1', 'a/+'], s2: ['a/1', '$share/g/a/1'], s3: ['a/+', 'a/#'] },
    topics: ['a/1', 'a/2'],
    bursts: [1, 2, 8, 20],
    changes: 0.25,
  },
  // Nobody empties the queues at once: they are sealed into segments.
  { name: 'segments', natives: 2, operators: {}, topics: ['a/1', 'a/2'], bursts: [1, 4, 12, 24], settle: 1 },
  { name: 'segments, pushed', natives: 2, operators: { s1: ['a/1'] }, topics: ['a/1'], bursts: [1, 4, 12, 24] },
  // More clients than a head has room for.
  { name: 'spilled', natives: 7, operators: { s1: ['a/1'] }, topics: ['a/1'], bursts: [1, 2, 8], settle: 1 },
  {
    name: 'spilled servers',
    natives: 1,
    operators: { s1: ['a/1'], s2: ['a/1'], s3: ['a/1'], s4: ['a/1'], s5: ['a/1'], s6: ['a/1'] },
    topics: ['a/1'],
    bursts: [1, 2, 8],
    changes: 0.15,
  },
  { name: 'ack topic', natives: 3, operators: { s2: ['a/+'] }, topics: ['a/1', 'a/2'], bursts: [1, 2, 8, 20], acks: 0.5 },
  {
    name: 'retained',
    natives: 2,
    operators: { s1: ['a/1'], s2: ['a/+'] },
    topics: ['a/1', 'a/2'],
    bursts: [1, 1, 3],
    retained: 0.5,
    changes: 0.1,
  },
  { name: 'persistent', natives: 3, operators: {}, topics: ['a/1', 'a/2'], bursts: [1, 2, 8], persistent: 'same' },
  { name: 'persistent, renamed', natives: 3, operators: { s1: ['a/1'] }, topics: ['a/1'], bursts: [1, 8, 20], persistent: 'renamed' },
  // What is promised holds for who acknowledges in time, also one by one or late.
  { name: 'slow', natives: 3, operators: {}, topics: ['a/1', 'a/2'], bursts: [1, 2, 8], manners: ['slow', 'narrow', 'prompt'] },
  {
    name: 'unruly',
    natives: 4,
    operators: { s1: ['a/1'] },
    topics: ['a/1', 'a/2'],
    bursts: [1, 2, 8, 24],
    manners: ['late', 'silent', 'refusing', 'prompt'],
  },
  { name: 'shared', natives: 3, operators: {}, topics: ['a/1', 'a/2'], bursts: [1, 2, 8], shared: 0.8, settle: 1 },
  {
    name: 'qos 0, no local',
    natives: 3,
    operators: {},
    topics: ['a/1', 'a/2'],
    bursts: [1, 2, 8],
    qos0: 0.4,
    noLocal: 0.5,
    own: 0.4,
    settle: 1,
  },
  // Who does not acknowledge is given up, and costs the others nothing; who does just in time has its turn, like the others.
  {
    name: 'mute',
    natives: 3,
    operators: { s1: ['a/1'], s2: ['a/+'], s3: ['a/1'] },
    topics: ['a/1', 'a/2'],
    bursts: [1, 2, 8, 20],
    manners: ['prompt', 'mute', 'tardy'],
    servers: ['mute', 'mute', 'tardy'],
    settle: 1,
  },
  {
    name: 'wildcards count',
    natives: 3,
    operators: {},
    topics: ['a/1', 'a'],
    bursts: [1, 2, 8],
    shared: 0.3,
    own: 0.1,
    qos0: 0.1,
    settle: 1,
    consumers: 'any',
  },
  { name: 'durable', natives: 0, operators: {}, durables: 1, topics: ['a/1', 'a/2'], bursts: [1, 2, 8, 24], receipts: true },
  { name: 'competing', natives: 0, operators: {}, durables: 3, topics: ['a/1'], bursts: [1, 2, 8, 24], shared: 0.2, receipts: true },
  {
    name: 'competing, spilled',
    natives: 1,
    operators: { s1: ['a/1'] },
    durables: 6,
    lasting: ['tardy'],
    topics: ['a/1'],
    bursts: [1, 2, 8, 24],
    settle: 1,
  },
  {
    name: 'durable beside all kinds',
    natives: 2,
    operators: { s1: ['a/1'], s2: ['a/+'] },
    durables: 2,
    lasting: ['tardy', 'prompt'],
    topics: ['a/1', 'a/2'],
    bursts: [1, 1, 8],
    retained: 0.2,
    changes: 0.1,
    receipts: true,
  },
  { name: 'many', natives: 0, operators: {}, durables: 3, topics: ['a/1', 'a/2'], bursts: [1, 2, 8, 24], many: true, receipts: true },
  {
    name: 'many, all kinds',
    natives: 2,
    operators: { s1: ['a/1'], s2: ['a/1', 'a/+'] },
    durables: 2,
    topics: ['a/1', 'a/2'],
    bursts: [1, 4, 12, 24],
    many: true,
    expiry: 300,
    acks: 0.2,
    changes: 0.1,
  },
  {
    name: 'many, spilled',
    natives: 1,
    operators: { s1: ['a/1'] },
    durables: 6,
    lasting: ['tardy', 'prompt'],
    topics: ['a/1'],
    bursts: [1, 8, 20],
    many: true,
    shared: 0.2,
  },
  // What IoT Core surely delivered to them moves their read positions.
  {
    name: 'many, native',
    natives: 3,
    operators: {},
    topics: ['a/1', 'a/2'],
    bursts: [1, 4, 12, 24],
    many: true,
    settle: 1,
    own: 0.3,
    noLocal: 0.3,
    qos0: 0.15,
    shared: 0.4,
  },
]

/** An operator works with the commands there. They stand apart, so that the histories of the other casts keep their seeds. */
export const STEERED: readonly Cast[] = [
  {
    name: 'purged',
    natives: 2,
    operators: { s1: ['a/1'] },
    durables: 1,
    topics: ['a/1', 'a/2'],
    bursts: [1, 4, 12, 24],
    settle: 1,
    commands: ['purge'],
  },
  {
    name: 'subscribed and purged',
    natives: 2,
    operators: { s1: ['a/1', 'a/+'], s2: ['a/1', '$share/g/a/1'], s3: ['a/+', 'a/#'] },
    topics: ['a/1', 'a/2'],
    bursts: [1, 2, 8, 20],
    commands: ['subscriptions', 'subscriptions', 'purge'],
  },
  {
    name: 'all commands',
    natives: 2,
    operators: { s1: ['a/1'], s2: ['a/+'] },
    durables: 1,
    topics: ['a/1', 'a/2'],
    bursts: [1, 1, 3, 12],
    retained: 0.3,
    commands: ['retained', 'retained', 'subscriptions', 'purge'],
  },
  {
    name: 'kept for many and purged',
    natives: 1,
    operators: { s1: ['a/1'] },
    durables: 3,
    topics: ['a/1', 'a/2'],
    bursts: [1, 2, 8, 24],
    many: true,
    commands: ['purge'],
  },
]

/** Seeds below stand in tests and mutants. */
const FIRST_STEERED = 1_000

/** Of later seeds every seventh has an operator with the commands. */
export const castOfSeed = (seed: number): Cast =>
  seed >= FIRST_STEERED && seed % 7 === 0 ? STEERED[(seed / 7) % STEERED.length]! : CASTS[seed % CASTS.length]!
