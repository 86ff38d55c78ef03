import { onDynamoDbLocal, type Room, type Spent } from './capacity.ts'
import { readAndDelete } from './floor.ts'
import { originalMsgid } from './original.ts'
import { checkQueued, nameAll, queueUp, storeAll } from './queued.ts'
import { beside, bytesText, countText, type Figure } from './report.ts'

const CLIENT = 'subscriber'
/** As many as one BatchWriteItem deletes. */
const FLOOR_BATCH = 25
/** Depth of the queue and bytes of a payload. */
const CELLS = [
  { depth: 10, bytes: 100 },
  { depth: 100, bytes: 100 },
  { depth: 1_000, bytes: 100 },
  { depth: 20_000, bytes: 100 },
  { depth: 100, bytes: 1024 },
  { depth: 100, bytes: 8 * 1024 },
  { depth: 100, bytes: 128 * 1024 },
]
type Cell = (typeof CELLS)[number]

/** Units and requests of a message that is fetched, sent and acknowledged: all that one SUBSCRIBE causes, divided by its messages. */
export const deliveryUnits = onDynamoDbLocal(async (ground) => {
  const figures: Figure[] = []
  for (const { depth, bytes } of ground.quick ? CELLS.slice(0, 2) : CELLS) {
    const payload = 'x'.repeat(bytes - 6)
    const floor = await atLeast(await ground.room(), payload)
    const ours = await delivered(await ground.room(), depth, payload, ground.progress)
    // EMQX's set is full at 8,714 ids.
    const theirs = depth > 8_000 ? undefined : await deliveredByOriginal(await ground.room(), depth, payload)
    ground.progress(`${depth} of ${bytesText(bytes)} delivered: ${ours.writes} write units, EMQX's pattern ${theirs?.writes}`)
    figures.push(...figuresOf({ depth, bytes }, { ours, theirs, floor }))
  }
  return figures
})

async function delivered({ world, spent }: Room, depth: number, payload: string, progress: (line: string) => void): Promise<Spent> {
  await queueUp(world, 't', depth, { payload, progress })
  await world.connect(CLIENT, 's1')
  world.wait(5_000)
  const each = await spent(() => world.subscribe(CLIENT, 's1', 't'), depth)
  const { got } = world.device(CLIENT)
  const wrong = got.findIndex((text, i) => text !== `${i} ${payload}`)
  if (got.length !== depth || wrong >= 0) throw new Error(`${got.length} of ${depth} delivered, message ${wrong} is not in order`)
  await checkQueued(world, 0)
  return each
}

/** The map, its messages, then three calls for each PUBACK. */
async function deliveredByOriginal(room: Room, depth: number, payload: string): Promise<Spent> {
  await storeAll(room, messagesOf(depth, payload))
  await nameAll(room, 't', depth)
  return room.spent(async () => {
    const messages = await room.original.fetch('t')
    if (messages.length !== depth) throw new Error(`EMQX's pattern fetched ${messages.length} of ${depth}`)
    for (const { msgid } of messages) await room.original.ack('t', CLIENT, msgid)
  }, depth)
}

const messagesOf = (depth: number, payload: string) =>
  Array.from({ length: depth }, (_, i) => ({ msgid: originalMsgid(i), topic: 't', sender: 'publisher', payload: `${i} ${payload}` }))

async function atLeast(room: Room, payload: string): Promise<Spent> {
  const messages = messagesOf(FLOOR_BATCH, payload)
  await storeAll(room, messages)
  const ids = messages.map(({ msgid }) => msgid)
  return room.spent(() => readAndDelete(room, ids), FLOOR_BATCH)
}

function figuresOf({ depth, bytes }: Cell, { ours, theirs, floor }: { ours: Spent; theirs: Spent | undefined; floor: Spent }): Figure[] {
  const where = `per delivered message, ${bytesText(bytes)}, ${countText(depth)} queued`
  const point = (series: string) => (bytes === 100 ? { point: { chart: 'delivery-cost', series, x: depth } } : {})
  const units = (['writes', 'reads', 'requests'] as const).map((kind): Figure => {
    const what = { writes: 'write units', reads: 'read units', requests: 'requests' }[kind]
    const drawn = kind === 'writes' ? point('this backend') : {}
    return { name: `${what} ${where}`, ...beside('raw batches of 25, read and deleted', floor[kind], ours[kind]), ...drawn }
  })
  if (theirs === undefined) return units
  return [
    ...units,
    {
      name: `EMQX's pattern, write units ${where}`,
      ...beside('ours', ours.writes, theirs.writes),
      ...point("EMQX's pattern"),
      ...(depth === 1_000 ? { headline: true as const } : {}),
    },
    { name: `EMQX's pattern, requests ${where}`, ...beside('ours', ours.requests, theirs.requests) },
  ]
}
