import { onDynamoDbLocal, type Room, type Spent } from './capacity.ts'
import { readAndDelete } from './floor.ts'
import { originalMsgid } from './original.ts'
import { checkQueued, nameAll, queueUp, storeAll } from './queued.ts'
import type { Figure } from './report.ts'

const CLIENT = 'subscriber'
const count = (value: number): string => value.toLocaleString('en-US')

/** Units and requests of a message that is fetched, sent and acknowledged: everything that one SUBSCRIBE sets off, divided by its messages. */
export const deliveryUnits = onDynamoDbLocal(async (ground) => {
  const payload = 'x'.repeat(90)
  const floor = await atLeast25(await ground.room(), payload)
  const figures: Figure[] = []
  for (const depth of ground.quick ? [10, 100] : [10, 100, 1_000, 20_000]) {
    const ours = await delivered(await ground.room(), depth, payload, ground.progress)
    // EMQX's set is full at 8,714 ids.
    const theirs = depth > 8_000 ? undefined : await deliveredByOriginal(await ground.room(), depth, payload)
    ground.progress(`${depth} delivered: ${ours.writes} write units, EMQX's pattern ${theirs?.writes}`)
    figures.push(...figuresOf(depth, { ours, theirs, floor }))
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

async function atLeast25(room: Room, payload: string): Promise<Spent> {
  const messages = messagesOf(25, payload)
  await storeAll(room, messages)
  return room.spent(
    () =>
      readAndDelete(
        room,
        messages.map(({ msgid }) => msgid),
      ),
    25,
  )
}

function figuresOf(depth: number, { ours, theirs, floor }: { ours: Spent; theirs: Spent | undefined; floor: Spent }): Figure[] {
  const where = `per delivered message, ${count(depth)} queued`
  const units = (['writes', 'reads', 'requests'] as const).map((kind): Figure => {
    const what = { writes: 'write units', reads: 'read units', requests: 'requests' }[kind]
    return {
      name: `${what} ${where}`,
      value: ours[kind],
      unit: '',
      ratio: ours[kind] / floor[kind],
      against: 'raw batches of 25, read and deleted',
      floor: floor[kind],
      ...(kind === 'writes' ? { point: { chart: 'delivery-cost', series: 'this backend', x: depth } } : {}),
    }
  })
  if (theirs === undefined) return units
  return [
    ...units,
    {
      name: `EMQX's pattern, write units ${where}`,
      value: theirs.writes,
      unit: '',
      ratio: theirs.writes / ours.writes,
      against: 'ours',
      floor: ours.writes,
      point: { chart: 'delivery-cost', series: "EMQX's pattern", x: depth },
      ...(depth === 1_000 ? { headline: true as const } : {}),
    },
    {
      name: `EMQX's pattern, requests ${where}`,
      value: theirs.requests,
      unit: '',
      ratio: theirs.requests / ours.requests,
      against: 'ours',
      floor: ours.requests,
    },
  ]
}
