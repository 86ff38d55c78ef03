/** A read position moves on, on a topic that is kept for many, as its client acknowledges messages live or on the ack topic. */
import type { Context } from '../model/ports.ts'
import { firstUnread, leftBehind, type Position } from '../model/position.ts'
import { finalSegments, headHomes, type TopicRow } from '../model/topic-row.ts'

/** Segments that are left behind in one go; further ones with the next acknowledgements. */
const FOLDED_LIVE = 8
/** With so many ids that wait for an older one to be acknowledged, a drain looks for that one. */
const WAITING = 64

export interface Acknowledgements {
  readonly row: TopicRow
  readonly clientid: string
  /** Oldest first. */
  readonly ids: readonly string[]
  /** Id -> the segment that has it or will have it. */
  readonly homes: ReadonlyMap<string, number>
}

/** Returns `waits` where an older message keeps the position from moving for long. */
export async function moveOn(context: Context, { row, clientid, ids, homes }: Acknowledgements): Promise<'waits' | undefined> {
  const position = await addSeen(context, row.topic, clientid, ids, homes)
  const end = position === undefined ? 0 : Math.min(finalSegments(row), position.seq + FOLDED_LIVE)
  if (position === undefined || position.seq >= end) return undefined
  const segments = await context.ports.topics.segments(row.topic, position.seq, end)
  const to = firstUnread(position, end, segments)
  if (to === position.seq) return position.seen.size >= WAITING ? 'waits' : undefined
  const gone = leftBehind(position, to, segments, headHomes(row).keys())
  await context.ports.acked.fold(row.topic, clientid, position, { to, gone, newest: undefined })
  return undefined
}

/** `undefined`: nothing was added, because there is no position or it is past all of the ids. */
async function addSeen(
  { ports }: Context,
  topic: string,
  clientid: string,
  ids: readonly string[],
  homes: ReadonlyMap<string, number>,
): Promise<Position | undefined> {
  for (let rest = ids; rest.length > 0; ) {
    const added = await ports.acked.addSeen(topic, clientid, rest, Math.min(...rest.map((id) => homes.get(id)!)))
    if (added !== undefined) return added
    const position = (await ports.acked.lastAcked(topic, clientid))?.position
    if (position === undefined) return undefined
    rest = rest.filter((id) => homes.get(id)! >= position.seq)
  }
  return undefined
}
