/** Where a subscriber of a topic that is kept for many begins to read. */
import { BackendError } from '../errors.ts'
import { fetchRow } from '../hooks.ts'
import { MARGIN } from '../model/delivery-window.ts'
import type { Context, Ports } from '../model/ports.ts'
import type { LastAcked } from '../model/position.ts'
import { finalSegments } from '../model/topic-row.ts'
import { isMsgid, millisOfMsgid } from '../msgid.ts'

/** Segments that are looked back over in one request. Ids come late by some segments at most, so one such part without any ends it. */
const LOOK_BACK = 8
const ROUNDS = 12

export interface Reader {
  readonly topic: string
  readonly clientid: string
  /** Milliseconds: its SUBSCRIBE, or the connect that subscribes it by an operator's row. */
  readonly at: number
  /** As they were sent. The client listens to the topic by any of them. */
  readonly filters: readonly string[]
}

/**
 * Writes the position of a client that subscribes for the first time: it has nothing of what came before, save what the row's `time_range`
 * gives it. A later SUBSCRIBE leaves the position where it is. An earlier one, whose event comes late, moves it back.
 * Where the client has unsubscribed since, no position is left.
 */
export async function beginPosition(context: Context, reader: Reader): Promise<void> {
  const { topic, clientid, at, filters } = reader
  const isOver = () => hasForgotten(context.ports, reader)
  const { acked, topics } = context.ports
  if (await isOver()) return
  for (let round = 0; round < ROUNDS; round++) {
    const last = await acked.lastAcked(topic, clientid)
    const before = last?.position
    const since = beginOf(context, reader, last)
    if (before !== undefined && before.since <= since) {
      const isNoted = before.subscribedAt >= at && filters.every((filter) => before.filters.has(filter))
      if (isNoted || (await acked.subscribedAgain(topic, clientid, at, filters))) return
      continue
    }
    const seq = Math.min(await lookBack(topics, topic, since), before?.seq ?? Number.POSITIVE_INFINITY)
    const subscribedAt = Math.max(at, before?.subscribedAt ?? 0)
    if (!(await acked.begin(topic, clientid, { seq, since, subscribedAt, filters: new Set(filters) }, before))) continue
    // An UNSUBSCRIBE that was handled meanwhile has found no position to forget.
    if (await isOver()) await acked.remove(topic, clientid, at)
    return
  }
  throw new BackendError(
    'contended',
    `read position of client '${clientid}' on topic '${topic}': changed during each of ${ROUNDS} attempts`,
  )
}

/** Whether the client has unsubscribed from all of the filters since, in whatever session: a position belongs to the client. */
async function hasForgotten({ topics }: Ports, { clientid, at, filters }: Reader): Promise<boolean> {
  const ends = await Promise.all(filters.map((filter) => topics.goneSince(filter, clientid)))
  return ends.every((end) => end !== undefined && end.until >= at)
}

/** Milliseconds. The clocks of publishes and SUBSCRIBEs may disagree, so what was published just before comes too. */
function beginOf({ config }: Context, { topic, at }: Reader, last: LastAcked | undefined): number {
  const range = fetchRow(config, topic)?.offlineOpts?.timeRange ?? 0
  const since = at - MARGIN - range * 1000
  // EMQX, or the queue that the topic was, remembers what the client acknowledged last: it goes on after that.
  const msgid = last?.position === undefined ? last?.msgid : undefined
  return msgid !== undefined && isMsgid(msgid) ? Math.min(since, millisOfMsgid(msgid) + 1) : since
}

/**
 * The number of the first segment with something for the client. The event of its SUBSCRIBE may be late: what was published meanwhile may
 * stand in full segments already.
 */
async function lookBack(topics: Ports['topics'], topic: string, since: number): Promise<number> {
  const row = await topics.head(topic)
  if (row === undefined) return 0
  let first = finalSegments(row)
  for (let to = first; to > 0; to -= LOOK_BACK) {
    const segments = await topics.segments(topic, Math.max(0, to - LOOK_BACK), to)
    const later = [...segments].filter(([, ids]) => ids.some((id) => millisOfMsgid(id) >= since)).map(([seq]) => seq)
    if (later.length === 0) break
    first = Math.min(first, ...later)
  }
  return first
}
