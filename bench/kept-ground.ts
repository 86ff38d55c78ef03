/** Topics kept for many, for the bench: rooms whose subscribers are away, backlogs, and live copies. */
import { PAGE_ROWS, type Row, type WorldOptions } from '../test/support/world.ts'
import type { CapacityGround, Room, Spent } from './capacity.ts'
import { putAll } from './queued.ts'

export const TOPIC = 'bench/kept'
export const PAYLOAD = 'x'.repeat(94)

const KEPT_ROWS: readonly Row[] = [
  ...PAGE_ROWS.filter(({ action }) => !/for_queue/.test(action)),
  { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: '#', action: 'on_message_acked_for_pubsub' },
]
export const KEPT: WorldOptions = { rows: KEPT_ROWS, expiredAfter: 30 * 86_400 }

/** Connects and subscribes, and gets what came since the last time. */
export async function come({ world }: Room, client: string, connection: number): Promise<void> {
  await world.connect(client, `${client}-${connection}`, connection)
  await world.subscribe(client, `${client}-${connection}`, `durable/${TOPIC}`)
  world.wait(60_000)
}

export async function leave({ world }: Room, client: string, connection: number): Promise<void> {
  await world.disconnect(client, `${client}-${connection}`, connection)
  world.wait(60_000)
}

/** So many subscribe for the first time and leave; the others are the rows that these have left. */
const REAL = 20

/** A topic with so many subscribers, all of them away. */
export async function roomWith(ground: CapacityGround, subscribers: number): Promise<Room> {
  const room = await ground.room(KEPT)
  for (let i = 0; i < Math.min(REAL, subscribers); i++) {
    await come(room, `away-${i}`, 1)
    await leave(room, `away-${i}`, 1)
  }
  for (const table of ['mqtt_client', 'mqtt_acked'] as const) {
    const [first] = subscribers > REAL ? await room.world.scan(table) : []
    const copies = Array.from({ length: first ? subscribers - REAL : 0 }, (_, i) => ({ ...first, clientid: { S: `away-${REAL + i}` } }))
    await putAll(room, table, copies as Parameters<typeof putAll>[2])
  }
  const positions = (await room.world.scan('mqtt_acked')).length
  const live = (await room.world.live()).length
  if (positions !== subscribers || live > 0)
    throw new Error(`${positions} read positions and ${live} seats, wanted ${subscribers} and none`)
  return room
}

/** What a function spends on each of the copies that it delivers, live: `together` publishes in a batch. Publishes are not counted. */
export async function liveCopies(
  { world, spent }: Room,
  client: string,
  { count, together }: { count: number; together: number },
): Promise<Spent> {
  world.holdsDeliveries = true
  const before = world.device(client).got.length
  const sum = { writes: 0, reads: 0, requests: 0 }
  for (let sent = 0; sent < count; sent += together) {
    await world.handle('message.publish', ...Array.from({ length: together }, () => world.publishEvent(TOPIC, PAYLOAD)))
    const each = await spent(() => world.redeliver(), count)
    for (const kind of ['writes', 'reads', 'requests'] as const) sum[kind] += each[kind]
    world.wait(1_000)
  }
  world.holdsDeliveries = false
  const got = world.device(client).got.length - before
  if (got !== count) throw new Error(`${got} of ${count} copies delivered live`)
  return sum
}
