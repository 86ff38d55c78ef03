import { type CapacityGround, onDynamoDbLocal, type Room } from './capacity.ts'
import { plainRule, storeAndName } from './floor.ts'
import { interleaved } from './interleaved.ts'
import { type OriginalMessage, originalMsgid } from './original.ts'
import { checkQueued, nameAll, queueUp } from './queued.ts'
import { atMost, beside, bytesText, countText, type Figure, timesAtLeast, timesAtMost } from './report.ts'

/** Publishes of a round: whole rounds of sealing. */
const ROUND = 16
const ROUNDS = 2
const BASELINE_ROUND = 4
/** EMQX's set has no room for an id more: an item has 400 KB. */
const FULL = 8_700
const SENDER = 'publisher'

/** Units and requests of a publish, one event an invocation, one topic nobody consumes: by depth of its queue and payload. */
export const publishUnits = onDynamoDbLocal(async (ground) => {
  const depths = ground.quick ? [10, 1_000] : [10, 100, 1_000, 20_000]
  const payloads = ground.quick ? [100, 1024] : [100, 1024, 8 * 1024, 128 * 1024]
  const ours = await ground.room()
  const theirs = await ground.room()
  const cells: Cell[] = []
  let published = 0
  for (const depth of depths) {
    for (const payload of payloads) {
      // The deepest queue is filled once: what is added to it while it is measured is little.
      const shared = depth > 1_000 && payload !== payloads[0]
      const topic = `bench/${depth}/${shared ? payloads[0] : payload}`
      if (!shared) await queueUp(ours.world, topic, depth, ground)
      cells.push(await measured(ours, theirs, { depth, payload, topic }))
      published += (shared ? 0 : depth) + ROUND * ROUNDS
      ground.progress(`${bytesText(payload)}, ${countText(depth)} queued: ${cells.at(-1)!.writes.ours} write units`)
    }
  }
  await checkQueued(ours.world, published)
  return [...cells.flatMap(figuresOf), ...targets(cells, depths.at(-1)!), ...(await lastOfOriginal(ground))]
})

interface Cell {
  readonly depth: number
  readonly payload: number
  readonly writes: { readonly ours: number; readonly floor: number; readonly rule: number; readonly original?: number }
  readonly requests: { readonly ours: number; readonly floor: number }
  /** Read units of ours: the rows that may hold server-side subscribers of the topic by a wildcard. */
  readonly reads: number
}

async function measured(ours: Room, theirs: Room, cell: { depth: number; payload: number; topic: string }): Promise<Cell> {
  const { depth, payload, topic } = cell
  const text = 'x'.repeat(payload)
  const requests = { ours: 0, floor: 0 }
  let reads = 0
  const original = `original/${topic}`
  const dead = depth + ROUNDS * BASELINE_ROUND > FULL
  if (!dead) await nameAll(theirs, original, depth)
  const baseline = (work: (message: OriginalMessage) => Promise<void>, onTopic: string) => async (round: number) => {
    const ids = Array.from({ length: BASELINE_ROUND }, (_, i) => originalMsgid(depth + round * BASELINE_ROUND + i))
    const spent = await theirs.spent(async () => {
      for (const msgid of ids) await work({ msgid, topic: onTopic, sender: SENDER, payload: text })
    }, BASELINE_ROUND)
    if (onTopic === topic) requests.floor = spent.requests
    return spent.writes
  }
  const { of } = await interleaved(
    {
      ours: async () => {
        const spent = await ours.spent(async () => {
          for (let i = 0; i < ROUND; i++) await ours.world.publish(topic, text)
        }, ROUND)
        requests.ours = spent.requests
        reads = spent.reads
        return spent.writes
      },
      rule: baseline((message) => plainRule(theirs, message), `rule/${topic}`),
      floor: baseline((message) => storeAndName(theirs, message), topic),
      original: dead ? async () => Number.NaN : baseline((message) => theirs.original.publish(message), original),
    },
    ROUNDS,
  )
  return { depth, payload, writes: dead ? { ours: of.ours, floor: of.floor, rule: of.rule } : of, requests, reads }
}

function figuresOf({ depth, payload, writes, requests, reads }: Cell): Figure[] {
  const where = `${bytesText(payload)}, ${countText(depth)} queued`
  const drawn = (series: string) => ({
    ...(depth === 1_000 && payload !== 100 ? { point: { chart: 'publish-payload', series, x: payload } } : {}),
    ...(payload === 100 ? { point: { chart: 'publish-cost', series, x: depth } } : {}),
  })
  const floor = (mine: number, least: number) => beside('one Put, one Update', least, mine)
  const units = { name: `write units per publish, ${where}`, ...floor(writes.ours, writes.floor), ...drawn('this backend') }
  const other = (name: string, value: number): Figure => ({
    name: `${name}, write units, ${where}`,
    ...beside('ours', writes.ours, value),
    ...drawn(name),
  })
  const others = writes.original === undefined ? [] : [other("EMQX's pattern", writes.original)]
  if (payload !== 100) return [units, ...others]
  return [
    units,
    { name: `requests per publish, ${where}`, ...floor(requests.ours, requests.floor) },
    { name: `read units per publish, ${where}`, value: reads, unit: '' },
    ...others,
    other('a plain rule', writes.rule),
  ]
}

function targets(cells: readonly Cell[], deepest: number): Figure[] {
  const at = (depth: number) => cells.find((cell) => cell.depth === depth && cell.payload === 100)!.writes
  const flat = at(deepest).ours / at(10).ours
  const times = at(1_000).original! / at(1_000).ours
  // 100 B at 1,000 queued lie on two charts.
  const small = (series: string) => ({ point: { chart: 'publish-payload', series, x: 100 } })
  return [
    {
      name: 'write units per publish of 100 B, 1,000 queued',
      value: at(1_000).ours,
      unit: '',
      ...atMost(2.3, at(1_000).ours),
      headline: true,
      ...small('this backend'),
    },
    {
      name: `the same, ${countText(deepest)} queued beside 10`,
      value: at(deepest).ours,
      unit: '',
      ...timesAtMost(1.05, flat),
      headline: true,
    },
    {
      name: "EMQX's pattern beside it, 1,000 queued",
      value: at(1_000).original!,
      unit: '',
      ...timesAtLeast(20, times),
      headline: true,
      ...small("EMQX's pattern"),
    },
  ]
}

/** How many ids EMQX's set takes until every ADD fails, and what the last one costs. */
async function lastOfOriginal(ground: CapacityGround): Promise<Figure[]> {
  const room = await ground.room()
  await nameAll(room, 'full', FULL)
  let writes = 0
  for (let named = FULL; ; named++) {
    const message = { msgid: originalMsgid(named), topic: 'full', sender: SENDER, payload: 'x'.repeat(100) }
    try {
      writes = (await room.spent(() => room.original.publish(message))).writes
    } catch (error) {
      if (!/size/i.test((error as Error).message) || writes === 0) throw error
      const point = { chart: 'publish-cost', series: "EMQX's pattern", x: named }
      return [
        { name: "EMQX's pattern, the last publish that its set takes", value: writes, unit: 'write units', point },
        { name: "EMQX's pattern: ids on a topic when every ADD begins to fail", value: named, unit: '', headline: true },
      ]
    }
  }
}
