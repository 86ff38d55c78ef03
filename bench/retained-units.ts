import { ScanCommand } from '@aws-sdk/client-dynamodb'
import type { World } from '../test/support/world.ts'
import { type CapacityGround, onDynamoDbLocal, type Room, type Spent } from './capacity.ts'
import { putAll } from './queued.ts'
import { atMost, beside, countText, type Figure, timesAtMost } from './report.ts'

/** Topics of a line of machines: what a wildcard on it finds. */
const IN_LINE = 10

/** Read units and requests on mqtt_retain that a SUBSCRIBE takes, in a small table and in a big one. */
export const retainedUnits = onDynamoDbLocal(async (ground) => {
  const [few, many] = ground.quick ? [200, 1_000] : [1_000, 100_000]
  const small = await lookups(ground, few!)
  const big = await lookups(ground, many!)
  return [...figuresOf(few!, small), ...figuresOf(many!, big), ...targets(countText(few!), small, countText(many!), big)]
})

interface Lookups {
  readonly exact: Spent
  readonly original: Spent
  readonly wildcard: Spent
  readonly scanned: Spent
}

/** All topics have one first level: the index's one partition. Numbers without leading zeros: `plant/1` begins others, too. */
const topicOf = (i: number): string => `plant/${Math.floor(i / IN_LINE)}/${i % IN_LINE}`

async function lookups(ground: CapacityGround, topics: number): Promise<Lookups> {
  const room = await ground.room()
  await retain(room, topics, ground.progress)
  const lookup = lookupsOf(room)
  const scanning = await ground.room({ retainIndex: false })
  await retain(scanning, topics, ground.progress)
  const line = `plant/1/#`
  const found = Array.from({ length: IN_LINE }, (_, i) => topicOf(IN_LINE + i))
  return {
    exact: await lookup(topicOf(15), [topicOf(15)]),
    original: await room.spent(async () => {
      if ((await room.original.retained(topicOf(15)))?.topic !== topicOf(15)) throw new Error("EMQX's pattern found another message")
    }),
    wildcard: await lookup(line, found),
    scanned: await lookupsOf(scanning)(line, found),
  }
}

/** One message by the handler; then rows like its, in batches. */
async function retain(room: Room, topics: number, progress: (line: string) => void): Promise<void> {
  const { world, client, tables } = room
  world.native.set(topicOf(0), { payload: Buffer.from('on'), qos: 1, lastModified: world.now })
  await world.publish(topicOf(0), 'on')
  world.native.clear()
  const row = await world.row('mqtt_retain', topicOf(0))
  if (row?.payload?.S !== 'on') throw new Error('the handler retained nothing')
  const rows = Array.from({ length: topics - 1 }, (_, i) => ({ ...row, topic: { S: topicOf(i + 1) } }))
  await putAll(room, 'mqtt_retain', rows)
  let there = 0
  for (let from: Record<string, never> | undefined, first = true; first || from; first = false) {
    const page = await client.send(new ScanCommand({ TableName: tables.mqtt_retain, Select: 'COUNT', ExclusiveStartKey: from }))
    there += page.Count ?? 0
    from = page.LastEvaluatedKey as typeof from
  }
  if (there !== topics) throw new Error(`${there} retained topics, wanted ${topics}`)
  progress(`${countText(topics)} topics retained`)
}

/** A new client each time; IoT Core itself has nothing retained for it, so that it gets what was looked up. */
function lookupsOf({ world, spent }: Room): (filter: string, wanted: string[]) => Promise<Spent> {
  let clients = 0
  return async (filter, wanted) => {
    const client = `c${clients++}`
    await world.connect(client, 's1')
    const each = await spent(() => world.subscribe(client, 's1', filter), 1, 'mqtt_retain')
    const got = gotBy(world, client)
    if (got.join() !== wanted.join()) throw new Error(`'${filter}' brought ${got.join(' ')}, wanted ${wanted.join(' ')}`)
    return each
  }
}

const gotBy = (world: World, client: string): string[] =>
  world
    .device(client)
    .messages.map(({ message }) => message.topic)
    .sort()

function figuresOf(topics: number, { exact, original, wildcard, scanned }: Lookups): Figure[] {
  const where = `${countText(topics)} retained topics`
  const point = (series: string) => ({ point: { chart: 'retained-cost', series, x: topics } })
  return [
    {
      name: `read units of an exact lookup, ${where}`,
      ...beside("EMQX's pattern, one GetItem", original.reads, exact.reads),
      ...point('exact'),
    },
    { name: `requests of an exact lookup, ${where}`, value: exact.requests, unit: '', ...atMost(1, exact.requests) },
    {
      name: `read units of a prefix wildcard that finds ${IN_LINE}, ${where}`,
      value: wildcard.reads,
      unit: '',
      ...point('prefix wildcard, index'),
    },
    { name: `requests of a prefix wildcard that finds ${IN_LINE}, ${where}`, value: wildcard.requests, unit: '' },
    {
      name: `read units of the same without the index, a scan, ${where}`,
      ...beside('with it', wildcard.reads, scanned.reads),
      ...point('wildcard, no index'),
    },
  ]
}

function targets(few: string, small: Lookups, many: string, big: Lookups): Figure[] {
  const growth = big.wildcard.reads / small.wildcard.reads
  return [
    {
      name: `read units of an exact lookup among ${many}`,
      value: big.exact.reads,
      unit: '',
      ...atMost(0.5, big.exact.reads),
      headline: true,
    },
    {
      name: `a prefix wildcard's read units, ${many} topics beside ${few}`,
      value: big.wildcard.reads,
      unit: '',
      ...timesAtMost(1.1, growth),
      headline: true,
    },
  ]
}
