/** Connections of one client as they were, and the true state at the end: whatever order and number of their events must show it (I6). */
import type { Connected, Disconnected } from '../../lambda/core/events/lifecycle-events.ts'

export type PresenceEvent =
  | { readonly kind: 'connected'; readonly event: Connected }
  | { readonly kind: 'disconnected'; readonly event: Disconnected }

/** Milliseconds, from the beginning of the timeline. */
interface Stay {
  readonly version: number
  readonly from: number
  /** Absent: still connected. */
  readonly to?: number
}

const START = 1_800_000_000_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE

export const TIMELINES: readonly (readonly [name: string, stays: readonly Stay[]])[] = [
  ['a connection', [{ version: 0, from: 0 }]],
  ['a connection that ended', [{ version: 0, from: 0, to: 9 * HOUR }]],
  [
    'one after the other',
    [
      { version: 4, from: 0, to: 10_000 },
      { version: 5, from: 20_000 },
    ],
  ],
  [
    'one after the other, both over',
    [
      { version: 4, from: 0, to: 10_000 },
      { version: 7, from: 20_000, to: 30_000 },
    ],
  ],
  [
    'a version reset after an hour',
    [
      { version: 7, from: 0, to: MINUTE },
      { version: 0, from: MINUTE + 61 * MINUTE },
    ],
  ],
  [
    'a version reset, over',
    [
      { version: 7, from: 0, to: MINUTE },
      { version: 0, from: 62 * MINUTE, to: 63 * MINUTE },
    ],
  ],
  [
    'the same version after a reset',
    [
      { version: 0, from: 0, to: MINUTE },
      { version: 0, from: 62 * MINUTE },
    ],
  ],
  [
    'a duplicate client id: the old one ends after the new one began',
    [
      { version: 3, from: 0, to: 20_001 },
      { version: 4, from: 20_000 },
    ],
  ],
  [
    'timestamps off by two minutes',
    [
      { version: 3, from: 0, to: 22 * MINUTE },
      { version: 4, from: 20 * MINUTE, to: 21 * MINUTE },
    ],
  ],
  [
    'everything in one millisecond',
    [
      { version: 3, from: 0, to: 0 },
      { version: 4, from: 0 },
    ],
  ],
  [
    'everything in one millisecond, over',
    [
      { version: 3, from: 0, to: 0 },
      { version: 4, from: 0, to: 0 },
    ],
  ],
  [
    'a long connection, then another',
    [
      { version: 3, from: 0, to: 200 * HOUR },
      { version: 4, from: 200 * HOUR + 1 },
    ],
  ],
  [
    'three connections',
    [
      { version: 1, from: 0, to: 5_000 },
      { version: 2, from: 6_000, to: 7_000 },
      { version: 5, from: 8_000 },
    ],
  ],
  [
    'three connections around a reset',
    [
      { version: 6, from: 0, to: 5_000 },
      { version: 7, from: 6_000, to: MINUTE },
      { version: 0, from: 70 * MINUTE, to: 71 * MINUTE },
    ],
  ],
  [
    'three connections after a reset',
    [
      { version: 6, from: 0, to: MINUTE },
      { version: 0, from: 70 * MINUTE, to: 71 * MINUTE },
      { version: 1, from: 72 * MINUTE },
    ],
  ],
]

export function eventsOf(clientid: string, stays: readonly Stay[]): PresenceEvent[] {
  return stays.flatMap(({ version, from, to }, i) => {
    const connection = { clientid, session: `session-${i}`, version }
    const connected = { kind: 'connected', event: { ...connection, at: START + from, ip: `10.0.0.${i}` } } as const
    if (to === undefined) return [connected]
    return [connected, { kind: 'disconnected', event: { ...connection, at: START + to, reason: `REASON_${i}`, clean: false } } as const]
  })
}

/** What the row says in the end: seconds, as on the page. */
export function truthOf(stays: readonly Stay[]) {
  const { version, from, to } = stays.at(-1)!
  return {
    session: `session-${stays.length - 1}`,
    version,
    connected: to === undefined,
    onlineAt: Math.floor((START + from) / 1000),
    offlineAt: to === undefined ? 0 : Math.floor((START + to) / 1000),
    eventAt: START + (to ?? from),
    connectedAt: START + from,
  }
}
