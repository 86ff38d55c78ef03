/**
 * A topic's messages by time. Segments are numbered as they were sealed, so the place of a time is found by bisection: about as many
 * requests as the number of segments has binary digits. A message that was stored late stands where it was stored.
 */
import type { Message } from '../../lambda/core/model/message.ts'
import { addHomes, finalSegments, type Homes, headHomes, type TopicRow } from '../../lambda/core/model/topic-row.ts'
import { millisOfMsgid } from '../../lambda/core/msgid.ts'
import { oldestFirst } from '../../lambda/core/queue/pending.ts'
import type { Tables } from '../operate/operator-tables.ts'

/** Milliseconds; both ends belong to it. */
export interface Span {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export interface History {
  readonly messages: readonly Message[]
  /** How many of the ids have no message any more. */
  readonly gone: number
  /** So many segments in a row had nothing of the time that nobody looked further. */
  readonly stoppedAfter?: number
}

/** Segments read at once: one BatchGetItem of at most 100 keys. While looking for a place fewer tell as much. */
const READ = 100
const LOOK = 25
/** After so many reads in a row that find nothing it ends: a queue may have a hole of any size. */
const EMPTY_READS = 8

/**
 * With `from` the oldest of that time first, else the newest first.
 * @param most messages
 * @returns undefined: no row has the topic
 */
export async function historyOf(place: Pick<Tables, 'ports'>, topic: string, span: Span, most: number): Promise<History | undefined> {
  const row = await place.ports.topics.head(topic)
  if (row === undefined) return undefined
  const ids: string[] = []
  let empty = 0
  for await (const { part, isPast } of span.from === undefined ? backwards(place, row, span.to) : forwards(place, row, span)) {
    ids.push(...part)
    empty = part.length === 0 ? empty + 1 : 0
    if (isPast || ids.length >= most || empty >= EMPTY_READS) break
  }
  const wanted = ids.slice(0, most)
  const found = await place.ports.messages.get(wanted)
  const messages = wanted.flatMap((id) => found.get(id) ?? [])
  return { messages, gone: wanted.length - messages.length, ...(empty >= EMPTY_READS ? { stoppedAfter: empty * READ } : {}) }
}

interface Part {
  /** Ids of the time. */
  readonly part: readonly string[]
  /** All ids of it are beyond the time: so are those that follow. */
  readonly isPast: boolean
}

async function* forwards(
  place: Pick<Tables, 'ports'>,
  row: TopicRow,
  { from = 0, to = Number.POSITIVE_INFINITY }: Span,
): AsyncGenerator<Part> {
  const end = finalSegments(row)
  const start = await bisect(place, row, (times) => times.length > 0 && Math.max(...times) < from)
  for (let seq = start; seq < end; seq += READ) yield partOf(await idsIn(place, row, seq, seq + READ), from, to)
  yield partOf(headHomes(row), from, to)
}

async function* backwards(place: Pick<Tables, 'ports'>, row: TopicRow, to = Number.POSITIVE_INFINITY): AsyncGenerator<Part> {
  const reversed = ({ part }: Part): Part => ({ part: part.toReversed(), isPast: false })
  yield reversed(partOf(headHomes(row), 0, to))
  const start =
    to === Number.POSITIVE_INFINITY
      ? finalSegments(row)
      : await bisect(place, row, (times) => times.length === 0 || Math.min(...times) <= to)
  // The place is that of its first segment, which may hold some.
  for (let seq = Math.min(start + LOOK, finalSegments(row)); seq > row.first; seq -= READ)
    yield reversed(partOf(await idsIn(place, row, Math.max(row.first, seq - READ), seq), 0, to))
}

function partOf(homes: Homes, from: number, to: number): Part {
  const all = oldestFirst(homes.keys())
  return {
    part: all.filter((id) => isWithin(millisOfMsgid(id), from, to)),
    isPast: all.length > 0 && millisOfMsgid(all[0]!) > to,
  }
}

const isWithin = (at: number, from: number, to: number): boolean => at >= from && at <= to

/**
 * Near the last segment of which it is still true: it is true of all before it, and of none {@link LOOK} segments later.
 * @param isBefore told the times (ms) of some neighbouring segments; of none where nothing is left: then the reader goes over that hole
 */
async function bisect(place: Pick<Tables, 'ports'>, row: TopicRow, isBefore: (times: readonly number[]) => boolean): Promise<number> {
  let [low, high] = [row.first, finalSegments(row)]
  while (high - low > LOOK) {
    const middle = low + Math.floor((high - low) / 2)
    const times = await timesFrom(place, row, middle, high)
    if (isBefore(times)) low = middle
    else high = middle
  }
  return low
}

/** Where a few segments are empty more are read. */
async function timesFrom(place: Pick<Tables, 'ports'>, row: TopicRow, from: number, end: number): Promise<number[]> {
  const few = [...(await idsIn(place, row, from, Math.min(from + LOOK, end))).keys()]
  const ids = few.length > 0 || from + LOOK >= end ? few : [...(await idsIn(place, row, from + LOOK, Math.min(from + READ, end))).keys()]
  return ids.map(millisOfMsgid)
}

async function idsIn({ ports }: Pick<Tables, 'ports'>, { topic, ...row }: TopicRow, from: number, to: number): Promise<Homes> {
  const homes: Homes = new Map()
  for (const [seq, ids] of await ports.topics.segments(topic, from, Math.min(to, finalSegments({ topic, ...row }))))
    addHomes(homes, ids, seq)
  return homes
}
