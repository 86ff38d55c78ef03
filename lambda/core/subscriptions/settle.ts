/** Settling what IoT Core has delivered natively: at the end of a subscription, and in mid-window on proof that the connection stands. */

import { LATEST_UNSUBSCRIBE, lostDoubt, MARGIN, settledBy, type Window, windowOf } from '../model/delivery-window.ts'
import type { Context, Ports } from '../model/ports.ts'
import { addHomes, finalSegments, type Homes, headHomes, type Live, type TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import { acknowledge, takesAcks } from '../queue/acknowledge.ts'
import { pendingBackwards } from '../queue/pending.ts'

/** Segments settled in one go in mid-window, and how often it is tried for a topic (GetConnection: 1/s a client). Milliseconds. */
const SEGMENTS_PER_TRY = 100
const INTERVAL = 10_000
/** An id may be stored this much after younger ones. Milliseconds. */
const STRAGGLERS = 3_600_000

/** The window that ended is real: its end was reported. Messages surely delivered in it count as acknowledged (I3). `proven`: the window. */
export async function settleWindow(context: Context, row: TopicRow, clientid: string, proven: () => Promise<Window>): Promise<void> {
  if (!canSettle(context, row.topic)) return
  const window = await proven()
  if (window.to < window.from) return
  // All are read before any is judged: a second with more than IoT Core delivers may lie across the head and segments.
  const pages: Homes[] = []
  for await (const homes of pendingBackwards(context.ports.topics, row)) {
    pages.push(homes)
    if (homes.size > 0 && youngestOf(homes) < window.from - STRAGGLERS) break
  }
  const settled = new Set(
    settledBy(
      pages.flatMap((homes) => [...homes.keys()]),
      window,
    ),
  )
  for (const homes of pages) await take(context, row.topic, clientid, homes, settled)
}

/**
 * After a head was sealed: if GetConnection shows that a native subscriber's connection still stands, what is older than a dead
 * peer's notice was delivered. Unsure or throttled: nothing is settled. `at`: time of the publish, in ms.
 */
export async function settleMidWindow(context: Context, row: TopicRow, at: number): Promise<void> {
  const natives = [...row.live].filter(([, live]) => live.kind === 'client' && live.since + MARGIN < at)
  if (!canSettle(context, row.topic) || natives.length === 0) return
  if (!(await context.ports.topics.claimSettling(row, at, INTERVAL))) return
  const to = Math.min(finalSegments(row), row.first + SEGMENTS_PER_TRY)
  for (const [clientid, live] of natives) {
    const connection = await context.ports.device.connection(clientid)
    if (connection?.connected !== true || connection.connectedSince === undefined || connection.connectedSince > live.since) continue
    const homes: Homes = new Map()
    for (const [seq, ids] of await context.ports.topics.segments(row.topic, row.first, to)) addHomes(homes, ids, seq)
    const doubt = Math.max(lostDoubt(connection.keepAlive), LATEST_UNSUBSCRIBE)
    const { from, to: proven } = await provenWindow(
      context.ports,
      { clientid, filter: row.topic, live },
      { until: at, doubt: async () => doubt },
    )
    // The last second of a part may go on in the next; that of the whole goes on in the head.
    const until = to < finalSegments(row) ? Math.min(proven, youngestOf(homes) - 1000) : proven
    const settled = new Set(settledBy([...homes.keys(), ...headHomes(row).keys()], { from, to: until }))
    await take(context, row.topic, clientid, homes, settled)
    const left = [...homes].filter(([id]) => !settled.has(id)).flatMap(([, seqs]) => [...seqs])
    const first = Math.min(to, ...left)
    if (first > row.first) await context.ports.topics.advanceFirst(row, first)
    return
  }
}

/**
 * The window in which a client surely was subscribed natively. A persistent session that goes on may keep its identifier: what was published between its connections IoT Core may still hold, so
 * the window begins with the connection. A subscribed event that is tried again after its unsubscribe makes the client live for a moment, or for as long as that try stays
 * dead: the ends that are remembered know better than the live entry.
 */
export async function provenWindow(
  ports: Ports,
  { clientid, filter, live }: { clientid: string; filter: string; live: Live },
  { until, doubt }: { until: number; doubt: () => Promise<number> },
): Promise<Window> {
  const [uncertain, presence, gone] = await Promise.all([
    doubt(),
    ports.clients.presence(clientid),
    ports.topics.goneSince(filter, clientid),
  ])
  // Not known where a disconnect overtook its connect: then nothing is proven.
  const connectedAt = presence?.session === live.session ? (presence.connectedAt ?? Number.POSITIVE_INFINITY) : 0
  const same = gone?.session === live.session
  const ends = same ? [gone.until, gone.earlier].filter((end) => end >= live.since && end < until) : []
  const since = Math.max(connectedAt, ends.some((end) => end < live.at) ? live.at : live.since)
  // Two ends are remembered, whoever's: before the older one, or before another session's, there may have been more.
  const forgotten = gone !== undefined && (same ? gone.earlier : gone.until) >= since
  return windowOf({ since }, forgotten ? since : Math.min(until, ...ends.filter((end) => end >= live.at)), uncertain)
}

const canSettle = ({ config }: Context, topic: string): boolean => config.settles && takesAcks(config, topic)

const youngestOf = (homes: Homes): number => Math.max(0, ...[...homes.keys()].map(millisOfMsgid))

async function take(context: Context, topic: string, clientid: string, homes: Homes, settled: ReadonlySet<string>): Promise<void> {
  await acknowledge(context, { topic, clientid, homes: new Map([...homes].filter(([id]) => settled.has(id))) })
}
