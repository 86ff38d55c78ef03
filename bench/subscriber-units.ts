import { PRICES } from '../cli/costs/prices.ts'
import { type CapacityGround, onDynamoDbLocal, type Room, type Spent } from './capacity.ts'
import { interleaved } from './interleaved.ts'
import { beside, countText, type Figure, timesAtMost } from './report.ts'

const TOPIC = 'bench/fan'
const ROUND = 64
const ROUNDS = 3
/** Subscribed events that one invocation handles; they share the topic's row. */
const TOGETHER = 8

/** What a publish costs on a topic with ten thousand native subscribers, beside one. */
export const subscriberUnits = onDynamoDbLocal(async (ground) => {
  const crowd = ground.quick ? 40 : 10_000
  const one = await subscribed(ground, 1)
  const many = await subscribed(ground, crowd)
  const spent: Record<'one' | 'many', Spent[]> = { one: [], many: [] }
  const publishing = (room: Room, who: 'one' | 'many') => async () => {
    spent[who].push(await publish(room))
    return dollars(spent[who].at(-1)!)
  }
  const { of, ratio } = await interleaved({ one: publishing(one, 'one'), many: publishing(many, 'many') }, ROUNDS)
  const figures = (['writes', 'reads', 'requests'] as const).map((kind): Figure => {
    const sum = (who: 'one' | 'many') => spent[who].reduce((all, each) => all + each[kind], 0) / ROUNDS
    const what = { writes: 'write units', reads: 'read units', requests: 'requests' }[kind]
    return { name: `${what} of a publish to ${countText(crowd)} subscribers`, ...beside('to one', sum('one'), sum('many')) }
  })
  const price = { value: of.many * 1e6, unit: '$', floor: of.one * 1e6 }
  const name = `DynamoDB of a million publishes to a topic with ${countText(crowd)} subscribers, beside one`
  return [...figures, { name, ...price, ...timesAtMost(1.3, ratio('many', 'one')), headline: true }]
})

const dollars = ({ writes, reads }: Spent): number => writes * PRICES.writeUnit + reads * PRICES.readUnit

async function subscribed(ground: CapacityGround, count: number): Promise<Room> {
  const room = await ground.room()
  const { world } = room
  for (let from = 0; from < count; from += TOGETHER) {
    const clients = Array.from({ length: Math.min(TOGETHER, count - from) }, (_, i) => `subscriber-${from + i}`)
    for (const client of clients) world.connectedEvent(client, 's1')
    await world.handle('session.subscribed', ...clients.map((client) => world.subscribedEvent(client, 's1', TOPIC)))
    world.calls.length = 0
    if (from > 0 && from % 1_000 === 0) ground.progress(`${from} of ${count} subscribed`)
  }
  const live = await world.live()
  if (live.length !== count) throw new Error(`${live.length} live, wanted ${count}`)
  world.wait(60_000)
  return room
}

function publish({ world, spent }: Room): Promise<Spent> {
  return spent(async () => {
    for (let i = 0; i < ROUND; i++) {
      await world.publish(TOPIC, 'x'.repeat(100))
      world.wait(20)
    }
  }, ROUND)
}
