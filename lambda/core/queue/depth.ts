/** What the head of a topic's row tells of its queue, without a further read. */
import { LEAST_BACKLOG } from '../metrics.ts'
import { finalSegments, HEAD_IDS, type TopicRow } from '../model/topic-row.ts'
import { isMsgid, millisOfMsgid } from '../msgid.ts'

export interface Depth {
  readonly about: number
  /** Whether the number is exact: no segments. */
  readonly exact: boolean
}

const namedBy = ({ ids, sealing }: TopicRow): string[] => [...ids, ...(sealing?.ids ?? [])]

/** Of a segment nobody knows how many of its ids are acknowledged: each counts in full. */
export function depthOf(row: TopicRow): Depth {
  const segments = Math.max(0, finalSegments(row) - row.first)
  return { about: namedBy(row).length + segments * HEAD_IDS, exact: segments === 0 }
}

/**
 * Milliseconds: when the oldest message that the head names was published; undefined: it names none. The segments of a deeper queue hold
 * older ones.
 */
function oldestInHead(row: TopicRow): number | undefined {
  const times = namedBy(row).filter(isMsgid).map(millisOfMsgid)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** @param now milliseconds @returns undefined: what waits is no backlog */
export function backlogOf(row: TopicRow, now: number): { readonly depth: number; readonly ageMs: number } | undefined {
  const depth = depthOf(row).about
  const ageMs = Math.max(0, now - (oldestInHead(row) ?? now))
  return depth >= LEAST_BACKLOG.messages || ageMs >= LEAST_BACKLOG.ms ? { depth, ageMs } : undefined
}
