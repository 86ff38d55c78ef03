/**
 * Settling: IoT Core tells nobody that a native subscriber acknowledged a message, so one whose time lies surely inside
 * the client's live window counts as delivered. Ids carry their time; the row alone decides.
 */
import { isTimeInDoubt, millisOfMsgid } from '../msgid.ts'
import type { Live } from './topic-row.ts'

/**
 * How far a message's time and a subscription's may disagree. Rules stamp a publish when they evaluate it, a little after
 * IoT Core delivered it: within the margin after a SUBSCRIBE a message may be delivered twice rather than not at all. Milliseconds.
 */
export const MARGIN = 1000
/** Before a clean end of a subscription: messages that may have been under way. Milliseconds. */
export const CLEAN_DOUBT = 1000
/** IoT Core's longest keep-alive in seconds: assumed where GetConnection does not tell. */
export const LONGEST_KEEP_ALIVE = 1200
/**
 * A dead peer is noticed after one and a half keep-alive periods [MQTT-3.1.2-24], and what was under way when it died is in doubt too.
 * Milliseconds; `keepAlive` in seconds.
 */
export const lostDoubt = (keepAlive: number | undefined): number => 1500 * (keepAlive || LONGEST_KEEP_ALIVE) + CLEAN_DOUBT
/**
 * An unsubscribed event may be handled this much later than it happened: a backlog, or four more tries of its function. Until then a
 * window that is still open may have ended. Milliseconds.
 */
export const LATEST_UNSUBSCRIBE = 300_000
/** IoT Core discards what exceeds this many publishes to a connection in a second. */
export const PUBLISHES_PER_SECOND = 100

/** Milliseconds: a message from `from` to `to` was surely delivered. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** What surely reached a subscriber that was live until `until`; `doubt` before that it may have been under way. Milliseconds. */
export const windowOf = (live: Pick<Live, 'since'>, until: number, doubt: number): Window => ({
  from: live.since + MARGIN,
  to: until - doubt,
})

/**
 * The ids that the window settles: those in it, save where more arrived in a second than IoT Core delivers, and those whose time is in
 * doubt: their subscriber may have come after them.
 */
export function settledBy(ids: Iterable<string>, window: Window): string[] {
  const timed = [...ids].map((id) => ({ id, at: millisOfMsgid(id) })).sort((a, b) => a.at - b.at)
  const crowded = crowdedIn(timed.map(({ at }) => at))
  return timed.filter(({ id, at }, i) => at >= window.from && at <= window.to && !crowded[i] && !isTimeInDoubt(id)).map(({ id }) => id)
}

/** Which of the sorted times lie in some second that holds more than {@link PUBLISHES_PER_SECOND} of them. */
function crowdedIn(times: readonly number[]): boolean[] {
  const crowded = times.map(() => false)
  for (let i = 0, j = 0; j < times.length; j++) {
    while (times[j]! - times[i]! >= 1000) i++
    if (j - i + 1 > PUBLISHES_PER_SECOND) crowded.fill(true, i, j + 1)
  }
  return crowded
}
