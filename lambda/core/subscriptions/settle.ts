/** Settling: what IoT Core has surely delivered natively goes off the queue, though nobody tells that its receiver acknowledged it. */

import { countsWildcards, settleTime } from '../hooks.ts'
import { LATEST_EVENT } from '../model/delivery-window.ts'
import type { Context } from '../model/ports.ts'
import type { Seated } from '../model/seat.ts'
import { addHomes, finalSegments, type Homes, headHomes, type TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import { acknowledge, dropIds, hasAckRow } from '../queue/acknowledge.ts'
import { pendingBackwards } from '../queue/pending.ts'
import { provenIn } from '../queue/proven.ts'
import { type Ended, type Proof, proofOfEnd, proofsInMidWindow, rowsWithNatives } from './proof.ts'

/** Segments settled in one go in mid-window, and how often that is tried for a topic. Milliseconds. */
const SEGMENTS_PER_TRY = 100
const INTERVAL = 10_000
/** A publish settles so many messages of the head at once, or fewer after so long: together they cost less. Milliseconds. */
const TOGETHER = 8
const LONG_AGO = 3_600_000
/** An id may be stored this much after younger ones. Milliseconds. */
const STRAGGLERS = 3_600_000
const SECOND = 1_000

/** How long a subscriber of the topic may take to acknowledge, in ms; `undefined`: nothing is ever settled there. */
const settleTimeOf = ({ config }: Context, topic: string): number | undefined =>
  config.settles && hasAckRow(config, topic) ? settleTime(config, topic) : undefined

/** A subscription has ended, as its event reports: what was surely delivered in its window counts as acknowledged (I3). */
export async function settleEnd(context: Context, row: TopicRow, ended: Ended): Promise<void> {
  const settle = settleTimeOf(context, row.topic)
  const proof = settle === undefined ? undefined : await proofOfEnd(context, row, ended, settle)
  if (proof === undefined || proof.window.to < proof.window.from) return
  const pages: Homes[] = []
  for await (const homes of pendingBackwards(context.ports.topics, row)) {
    pages.push(homes)
    if (homes.size > 0 && youngestOf(homes) < proof.window.from - STRAGGLERS) break
  }
  await takeProven(context, row.topic, pages, [proof])
}

/**
 * Settles what subscribers who are still there have surely got, if a head was sealed, or if some of its messages have been there for long
 * enough. A publish, and another subscription that begins or ends, do it: so topics of a few messages a day settle too.
 */
export async function settleInPassing(context: Context, row: TopicRow, at: number, { sealed } = { sealed: false }): Promise<void> {
  const fresh = sealed ? 0 : countOfFresh(context, row, at)
  if (sealed || fresh >= TOGETHER || (fresh > 0 && at - row.settledAt >= LONG_AGO)) await settleMidWindow(context, row, at)
}

/** The same where a subscription begins or ends: its own seat proves nothing here. */
export async function settleOthers(context: Context, { row, seat }: Seated, at: number): Promise<void> {
  const live = new Map([...row.live].filter(([entry]) => entry !== seat.entry))
  await settleInPassing(context, { ...row, live }, at)
}

/** Messages of the head that may be settled now, and could not be at the last try. */
function countOfFresh(context: Context, row: TopicRow, at: number): number {
  const settle = settleTimeOf(context, row.topic)
  if (settle === undefined || !(countsWildcards(context.config, row.topic) || hasSeats(row))) return 0
  const soonest = LATEST_EVENT + settle
  const times = [...headHomes(row).keys()].map(millisOfMsgid)
  return times.filter((time) => time <= at - soonest && time > row.settledAt - soonest).length
}

const hasSeats = ({ live }: TopicRow): boolean => live.size > 0

/**
 * If GetConnection shows that native subscribers' connections still stand, what is older than a dead peer's notice was delivered.
 * Unsure or throttled: nothing is settled. `at`: time of the event, in ms.
 */
async function settleMidWindow(context: Context, row: TopicRow, at: number): Promise<void> {
  const { topics } = context.ports
  const settle = settleTimeOf(context, row.topic)
  const rows = settle === undefined ? [] : await rowsWithNatives(context, row, at)
  if (settle === undefined || rows.length === 0 || !(await topics.claimSettling(row, at, INTERVAL))) return
  const proofs = await proofsInMidWindow(context, row.topic, rows, { at, settle })
  if (proofs.length === 0) return
  const end = finalSegments(row)
  const to = Math.min(end, row.first + SEGMENTS_PER_TRY)
  const homes: Homes = new Map()
  for (const [seq, ids] of await topics.segments(row.topic, row.first, to)) addHomes(homes, ids, seq)
  // The last second of a part may go on in the next.
  const until = to < end ? youngestOf(homes) - SECOND : Number.POSITIVE_INFINITY
  const within = proofs.map((proof) => ({ ...proof, window: { ...proof.window, to: Math.min(proof.window.to, until) } }))
  const settled = await takeProven(context, row.topic, to < end ? [homes] : [homes, headHomes(row)], within)
  const left = [...homes].filter(([id]) => !settled.has(id)).flatMap(([, seqs]) => [...seqs])
  const first = Math.min(to, ...left)
  if (first > row.first) await topics.advanceFirst(row, first)
}

const youngestOf = (homes: Homes): number => Math.max(0, ...[...homes.keys()].map(millisOfMsgid))

/** Takes off what is proven. All pages are read before any id is judged: a second with more than IoT Core delivers may lie across them. */
async function takeProven(context: Context, topic: string, pages: readonly Homes[], proofs: readonly Proof[]): Promise<Set<string>> {
  const pending = pages.flatMap((homes) => [...homes.keys()])
  const { ids, gone } = await provenIn(context.ports, pending, proofs)
  for (const [i, { clientid }] of proofs.entries()) {
    for (const homes of pages) await acknowledge(context, { topic, clientid, homes: only(homes, ids[i]!) })
  }
  for (const homes of pages) await dropIds(context.ports, topic, only(homes, gone))
  return new Set([...ids.flatMap((some) => [...some]), ...gone])
}

const only = (homes: Homes, ids: ReadonlySet<string>): Homes => new Map([...homes].filter(([id]) => ids.has(id)))
