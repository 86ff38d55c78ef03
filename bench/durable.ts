/** Durable subscriptions beside none: what a publish costs, what a live message costs beside its publish, and how fast a backlog comes. */
import { type CapacityGround, onDynamoDbLocal, type Room, type Spent } from './capacity.ts'
import { rateOf } from './delivered.ts'
import { fetched, onDelivery } from './delivery.ts'
import { atLeast, atMost, type Block, beside, countText, type Figure } from './report.ts'

const TOPIC = 'bench/durable'
const PAYLOAD = 'x'.repeat(100)
/** Whole rounds of sealing. */
const ROUND = 64
const CLIENT = 'subscriber'
const BATCH = 10

export const durable: Block = async (options) => [...(await units(options)), ...(await rates(options))]

const units = onDynamoDbLocal(async (ground) => {
  const none = await published(await ground.room())
  const one = await published(await subscribed(ground))
  ground.progress(`a publish costs ${one.writes} write units with a durable subscriber, ${none.writes} without`)
  const alone = await delivered(await subscribed(ground), 1)
  const together = await delivered(await subscribed(ground), BATCH)
  ground.progress(`a live message costs ${alone.writes} write units beside its publish, ${together.writes} in batches of ${BATCH}`)
  return [
    { name: 'write units of a publish of 100 B without a subscriber', value: none.writes, unit: '', ...atMost(2.3, none.writes) },
    {
      name: 'write units of a publish of 100 B with a durable subscriber',
      ...beside('without', none.writes, one.writes),
      against: 'at most 2.3; without a subscriber',
      reached: one.writes <= 2.3,
    },
    ...figuresOf('live message to a durable subscriber, beside its publish', alone, together),
  ]
})

async function subscribed(ground: CapacityGround): Promise<Room> {
  const room = await ground.room()
  await room.world.connect(CLIENT, 's1')
  await room.world.subscribe(CLIENT, 's1', `durable/${TOPIC}`)
  room.world.wait(60_000)
  return room
}

/** A publish alone. What it requests for its subscriber is not delivered here. */
async function published({ world, spent }: Room): Promise<Spent> {
  world.holdsDeliveries = true
  return spent(async () => {
    for (let i = 0; i < ROUND; i++) {
      await world.publish(TOPIC, PAYLOAD)
      world.wait(20)
    }
  }, ROUND)
}

/** What the function that delivers spends on a message, where `together` are published in one batch. */
async function delivered({ world, spent }: Room, together: number): Promise<Spent> {
  world.holdsDeliveries = true
  const sum = { writes: 0, reads: 0, requests: 0 }
  const batches = Math.ceil(ROUND / together)
  for (let batch = 0; batch < batches; batch++) {
    await world.handle('message.publish', ...Array.from({ length: together }, () => world.publishEvent(TOPIC, PAYLOAD)))
    const each = await spent(() => world.redeliver(), batches * together)
    for (const kind of ['writes', 'reads', 'requests'] as const) sum[kind] += each[kind]
    world.wait(1_000)
  }
  const got = world.device(CLIENT).got.length
  const left = (await world.queue()).stored.length
  if (got !== batches * together || left > 0) throw new Error(`${got} of ${batches * together} delivered, ${left} left`)
  return sum
}

const figuresOf = (what: string, alone: Spent, together: Spent): Figure[] =>
  (['writes', 'reads', 'requests'] as const).flatMap((kind): Figure[] => {
    const unit = { writes: 'write units', reads: 'read units', requests: 'DynamoDB requests' }[kind]
    return [
      { name: `${unit} per ${what}, alone`, value: alone[kind], unit: '' },
      { name: `${unit} per ${what}, batch of ${BATCH}`, ...beside('alone', alone[kind], together[kind]) },
    ]
  })

/** A backlog on ten topics, which one client fetches in one SUBSCRIBE: by durable subscriptions, and by native ones beside it. */
const rates: Block = ({ quick, progress }) =>
  onDelivery(async (ground) => {
    const count = quick ? 50 : 1_000
    const fetch = async (below: string) => rateOf(await fetched(ground, `${below.slice(0, -1) || 'native'}_`, 10, count / 10, below))
    const native = await fetch('')
    const rate = await fetch('durable/')
    progress(`${count} messages of ten topics: ${rate.toFixed(0)}/s to a durable subscriber, ${native.toFixed(0)}/s to a native one`)
    const name = `fetch of ${countText(count)} messages over ten topics by durable subscriptions`
    const beside = { ratio: rate / native, floor: native, against: 'at least 90/s; by native subscriptions' }
    return [{ name, value: rate, unit: '/s', ...atLeast(90, rate), ...beside }]
  })
