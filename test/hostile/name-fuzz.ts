/**
 * A client and a topic of any name that IoT Core takes live through what a plain client on a plain topic does: the client gets the same
 * messages and the tables hold the same rows, name for name. So no name means anything to an expression, an object or a key of ours.
 */
import fc from 'fast-check'
import { entryOfKey, keyOfEntry } from '../../lambda/adapters/tables/topic-rows.ts'
import { HEAD_LIVE } from '../../lambda/core/model/topic-row.ts'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import { firstLevel } from '../../lambda/core/topic.ts'
import { type Item, rowsWith, type World } from '../support/world.ts'
import { clientIds, topics } from './arbitraries.ts'
import { assertSilent, CANARY } from './canary.ts'
import { assertThat, type FuzzTarget } from './fuzz-target.ts'
import { dump, empty, mostlyMaps, ownWorlds, written } from './tables.ts'

export interface Names {
  readonly clientid: string
  readonly topic: string
}

export interface Story extends Names {
  /** Who subscribes: the client itself, natively or durably, or an operator's row for it, of its topic or of everything. */
  readonly subscriber: 'client' | 'durable client' | 'operator' | 'operator of all'
  /** The topic's head has no room for it. */
  readonly crowded: boolean
}

/** Of nobody else, and in no other word. */
const PLAIN: Names = { clientid: 'plain-client-5e1f', topic: 'plain-topic-5e1f' }
const ROWS = rowsWith({ hook: 'message.publish', topic: '#', action: 'on_message_retain', retain: 'property' })

const stories: fc.Arbitrary<Story> = fc.record({
  clientid: clientIds,
  topic: topics,
  subscriber: fc.constantFrom('client', 'durable client', 'operator', 'operator of all'),
  crowded: fc.boolean(),
})

export const nameTarget: FuzzTarget = {
  name: 'names',
  runs: 4,
  async open() {
    const { worldOn, close } = await ownWorlds(ROWS)
    const property = fc.asyncProperty(stories, mostlyMaps, (story, engine) => assertSameAsPlain(() => worldOn(engine), story))
    return { property, close }
  },
}

/** @throws where the story ends otherwise than that of the plain names */
export async function assertSameAsPlain(worldOf: () => World, story: Story): Promise<void> {
  const got = await ending(worldOf(), story, acksOf(story))
  const want = await plainEnding(worldOf(), story)
  assertThat(got.delivered === want.delivered, `delivered ${got.delivered}, to a plain client ${want.delivered}`)
  for (const [moment, tables] of got.tables.entries()) {
    for (const table of TABLE_NAMES) {
      const expected = want.tables[moment]![table].map((row) => written(renamed(row, table, story))).sort()
      const found = tables[table].map(written).sort()
      assertThat(
        JSON.stringify(found) === JSON.stringify(expected),
        `${table} at moment ${moment}:\n${found.join('\n')}\nwith plain names:\n${expected.join('\n')}`,
      )
    }
  }
}

/** A client whose id holds a wildcard has no ack topic. */
const acksOf = ({ clientid }: Names): boolean => !/[#+]/.test(clientid)

const plainEndings = new Map<string, Ending>()

/** Each told once. */
async function plainEnding(world: World, story: Story): Promise<Ending> {
  const key = JSON.stringify([world.engine.name, story.subscriber, story.crowded, acksOf(story)])
  const told = plainEndings.get(key) ?? (await ending(world, { ...story, ...PLAIN }, acksOf(story)))
  plainEndings.set(key, told)
  return told
}

interface Ending {
  readonly delivered: string
  readonly tables: readonly Record<TableName, Item[]>[]
}

async function ending(world: World, story: Story, acks: boolean): Promise<Ending> {
  try {
    return await told(world, story, acks)
  } finally {
    await empty(world, await dump(world))
  }
}

async function told(world: World, { clientid, topic, subscriber, crowded }: Story, acks: boolean): Promise<Ending> {
  const tables: Record<TableName, Item[]>[] = []
  const look = async () =>
    void tables.push(Object.fromEntries(await Promise.all(TABLE_NAMES.map(async (name) => [name, await world.scan(name)]))))
  let count = 0
  const publish = (payload: string, more: object = {}) => {
    const uuid = `0000000${++count}-0000-4000-8000-000000000000`
    return world.publish(topic, payload, { clientid, traceid: uuid, uuid, user_properties: [{ k: CANARY }], ...more })
  }
  const retained = { user_properties: [{ retain: '1' }] }
  for (let i = 0; crowded && i <= HEAD_LIVE; i++) {
    await world.connect(`crowd ${i}`, 's')
    await world.subscribe(`crowd ${i}`, 's', topic)
  }
  world.wait(60_000)
  await publish(`1 ${CANARY}`, retained)
  await publish('2')
  const filter = subscriber === 'operator of all' ? '#' : subscriber === 'durable client' ? `durable/${topic}` : topic
  const itself = subscriber === 'client' || subscriber === 'durable client'
  if (!itself) await world.operatorSubscribes(clientid, filter)
  await world.connect(clientid, 's1')
  if (itself) await world.subscribe(clientid, 's1', filter)
  await look()
  await publish('3')
  await publish('', retained)
  if (acks) await world.invoke('message.acked', world.ackEvent(clientid, { msgid: (await world.queue()).named[0] ?? 'none', topic }))
  if (itself) await world.unsubscribe(clientid, 's1', filter)
  await look()
  await world.disconnect(clientid, 's1')
  await look()
  const { messages } = world.device(clientid)
  // Queued and retained ones come side by side: only among themselves they have an order.
  const some = (kind: boolean) => messages.filter(({ retain }) => retain === kind).map(({ message }) => message.payload.toString())
  const delivered = { queued: some(false), retained: some(true) }
  assertSilent('a log line', world.logs.join('\n'))
  return { delivered: JSON.stringify(delivered), tables }
}

/** The row as it would be with the story's names. */
function renamed(row: Item, table: TableName, { clientid, topic }: Names): unknown {
  const inText = (text: string) => text.replaceAll(PLAIN.clientid, () => clientid).replaceAll(PLAIN.topic, () => topic)
  const inValue = (value: unknown): unknown => {
    if (typeof value === 'string') return inText(value)
    if (Array.isArray(value)) return value.map(inValue)
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [keyOfEntry(inText(entryOfKey(key))), inValue(one)]))
  }
  const root = table === 'mqtt_retain' ? { root: { S: firstLevel(topic) || '/' } } : {}
  return { ...(inValue(row) as Item), ...root }
}
