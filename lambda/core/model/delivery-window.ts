/**
 * Settling: IoT Core tells nobody that a native subscriber acknowledged a message. So a message counts as delivered if it was surely
 * published while the client was subscribed. This is an inference: docs/guarantees.md says where it may be wrong.
 */
import { isTimeInDoubt, millisOfMsgid } from '../msgid.ts'
import type { Live } from './topic-row.ts'

/**
 * How far the times of a publish and of a SUBSCRIBE may disagree: a rule stamps a publish a little after IoT Core delivered it.
 * Within the margin after a SUBSCRIBE a message may come twice, rather than never. Milliseconds.
 */
export const MARGIN = 1000
/** How long before a clean end a message may have been under way still, or how far the clocks disagree. Milliseconds. */
export const CLEAN_DOUBT = 1000
/** IoT Core's longest keep-alive in seconds: assumed where GetConnection does not tell. */
export const LONGEST_KEEP_ALIVE = 1200
/**
 * A dead peer is noticed after one and a half keep-alive periods [MQTT-3.1.2-24], and what was under way when it died is in doubt too.
 * Milliseconds; `keepAlive` in seconds.
 */
export const lostDoubt = (keepAlive: number | undefined): number => 1500 * (keepAlive || LONGEST_KEEP_ALIVE) + CLEAN_DOUBT
/**
 * Settling trusts that events are handled within this time (the alarm Old events tells if not). What is younger may belong to a
 * subscription that has ended already, or to a member of a group of whom nobody knows yet. Milliseconds.
 */
export const LATEST_EVENT = 300_000
/** IoT Core discards what exceeds this many publishes to a connection in a second, or this many bytes. */
export const PUBLISHES_PER_SECOND = 100
export const BYTES_PER_SECOND = 512_000

/** Milliseconds: a message from `from` to `to` was surely delivered. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** The time in which messages surely reached the subscriber. It ends `doubt` ms before `until`: later ones may not be acknowledged yet. */
export const windowOf = (live: Pick<Live, 'since'>, until: number, doubt: number): Window => ({
  from: live.since + MARGIN,
  to: until - doubt,
})

/** The ids whose time lies in the window. A doubtful time is left out: the message may be older than the subscription. */
export const idsIn = (ids: Iterable<string>, { from, to }: Window): string[] =>
  from > to ? [] : [...ids].filter((id) => millisOfMsgid(id) >= from && millisOfMsgid(id) <= to && !isTimeInDoubt(id))

/**
 * The ids that lie in some second of the topic in which more arrived than IoT Core delivers to a connection.
 * `bytesOf`: 0 where it is not known.
 */
export function crowded(ids: Iterable<string>, bytesOf: (id: string) => number): Set<string> {
  const timed = [...ids].map((id) => ({ id, at: millisOfMsgid(id), bytes: bytesOf(id) })).sort((a, b) => a.at - b.at)
  const found = new Set<string>()
  let bytes = 0
  for (let i = 0, j = 0; j < timed.length; j++) {
    bytes += timed[j]!.bytes
    for (; timed[j]!.at - timed[i]!.at >= 1000; i++) bytes -= timed[i]!.bytes
    if (j - i + 1 > PUBLISHES_PER_SECOND || bytes > BYTES_PER_SECOND) for (const { id } of timed.slice(i, j + 1)) found.add(id)
  }
  return found
}
