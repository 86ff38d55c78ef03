/** Topics kept for many: what a publish costs whoever is away, and what a copy costs later and live, beside queues and native sessions. */
import { PRICES } from '../cli/costs/prices.ts'
import { type CapacityGround, onDynamoDbLocal, type Room, type Spent } from './capacity.ts'
import { interleaved, median } from './interleaved.ts'
import { come, KEPT, leave, liveCopies, PAYLOAD, roomWith, TOPIC } from './kept-ground.ts'
import { queueUp } from './queued.ts'
import { atMost, type Block, beside, countText, type Figure } from './report.ts'

const ROUND = 64
const ROUNDS = 3
/** Live copies of a batch. */
const BATCH = 10
/** Subscribers among whom a message is shared in the prices. */
const MANY = 100

export const kept: Block = onDynamoDbLocal(async (ground) => {
  const away = ground.quick ? 40 : 10_000
  const publishes = await publishing(ground, away)
  ground.progress(`publishes measured with none, one and ${countText(away)} subscribers away`)
  const depths = ground.quick ? [100] : [100, 1_000]
  const later: Later[] = []
  for (const depth of depths) later.push(await backlog(ground, depth))
  ground.progress(`backlogs of ${depths.join(' and ')} delivered`)
  const live = await liveFigures(ground)
  const far = await farBack(ground, ground.quick ? 1_000 : 20_000)
  return [...publishes.figures, ...later.flatMap(laterFigures), ...live, ...far, ...prices(publishes.each, later.at(-1)!)]
})

const WHO = ['none', 'one', 'many'] as const

/** Units and duration of a publish, in turns on three topics. */
async function publishing(ground: CapacityGround, away: number): Promise<{ each: Spent; figures: Figure[] }> {
  const rooms = { none: await roomWith(ground, 0), one: await roomWith(ground, 1), many: await roomWith(ground, away) }
  const spent: Record<(typeof WHO)[number], Spent[]> = { none: [], one: [], many: [] }
  const round = (who: (typeof WHO)[number]) => async () => {
    const began = performance.now()
    spent[who].push(await published(rooms[who]))
    return (performance.now() - began) / ROUND
  }
  // The first round warms up.
  for (const who of WHO) await published(rooms[who])
  const latency = await interleaved({ none: round('none'), one: round('one'), many: round('many') }, ROUNDS)
  const writes = (who: (typeof WHO)[number]) => median(spent[who].map((each) => each.writes))
  const names = { none: 'no subscriber', one: 'one subscriber away', many: `${countText(away)} subscribers away` }
  const figures = WHO.flatMap((who): Figure[] => [
    {
      name: `write units of a publish of 100 B, ${names[who]}`,
      ...(who === 'none' ? { value: writes(who), unit: '' } : beside('at most 2.3; without', writes('none'), writes(who))),
      ...(who === 'none' ? { against: 'at most 2.3' } : {}),
      reached: writes(who) <= 2.3,
    },
    ...(who === 'none'
      ? []
      : [{ name: `latency of a publish, ${names[who]}`, ...beside('without', latency.of.none, latency.of[who]), unit: 'ms' }]),
  ])
  return { each: spent.many[0]!, figures }
}

const published = ({ world, spent }: Room): Promise<Spent> =>
  spent(async () => {
    for (let i = 0; i < ROUND; i++) {
      await world.publish(TOPIC, PAYLOAD)
      world.wait(20)
    }
  }, ROUND)

interface Later {
  readonly depth: number
  /** Of a copy: kept for many, and from a queue. */
  readonly kept: Spent
  readonly queued: Spent
}

/** A backlog that one subscriber gets when it comes back, from a topic kept for many and from a queue. */
async function backlog(ground: CapacityGround, depth: number): Promise<Later> {
  const fetched = async (room: Room): Promise<Spent> => {
    await come(room, 'c', 1)
    await leave(room, 'c', 1)
    await queueUp(room.world, TOPIC, depth, { payload: PAYLOAD })
    await room.world.connect('c', 'c-2', 2)
    const each = await room.spent(() => room.world.subscribe('c', 'c-2', `durable/${TOPIC}`), depth)
    const { got } = room.world.device('c')
    const wrong = got.findIndex((text, i) => text !== `${i} ${PAYLOAD}`)
    if (got.length !== depth || wrong >= 0) throw new Error(`${got.length} of ${depth} delivered, message ${wrong} is not in order`)
    return each
  }
  return { depth, kept: await fetched(await ground.room(KEPT)), queued: await fetched(await ground.room()) }
}

const laterFigures = ({ depth, kept, queued }: Later): Figure[] => {
  const where = `a copy that is delivered later, 100 B, backlog of ${countText(depth)}`
  return [
    { name: `write units of ${where}`, ...beside('at most 0.2; from a queue', queued.writes, kept.writes), reached: kept.writes <= 0.2 },
    { name: `read units of ${where}`, ...beside('at most 1.1; from a queue', queued.reads, kept.reads), reached: kept.reads <= 1.1 },
    { name: `requests of ${where}`, ...beside('from a queue', queued.requests, kept.requests) },
  ]
}

/** A live copy to a durable subscriber, beside its publish: kept for many, and of a queue, where it is deleted. */
async function liveFigures(ground: CapacityGround): Promise<Figure[]> {
  const of = async (options: typeof KEPT | undefined, together: number) => {
    const room = await ground.room(options)
    await come(room, 'c', 1)
    return liveCopies(room, 'c', { count: together === 1 ? ROUND : ROUND * 5, together })
  }
  const alone = await of(KEPT, 1)
  const batch = await of(KEPT, BATCH)
  const queued = await of(undefined, 1)
  const queuedBatch = await of(undefined, BATCH)
  ground.progress(`a live copy costs ${alone.writes} write units alone, ${batch.writes} in batches of ${BATCH}`)
  const figures = (what: string, most: number, kept: Spent, queue: Spent): Figure[] => [
    {
      name: `write units of a live copy beside its publish, ${what}`,
      ...beside(`at most ${most}; a queue's, with its acknowledgement`, queue.writes, kept.writes),
      reached: kept.writes <= most,
    },
    { name: `read units of a live copy beside its publish, ${what}`, ...beside("a queue's", queue.reads, kept.reads) },
  ]
  return [...figures('alone', 1.05, alone, queued), ...figures(`batches of ${BATCH}`, 0.2, batch, queuedBatch)]
}

/** A subscriber who comes back after so many messages: how many requests are answered before the first of them is sent. */
async function farBack(ground: CapacityGround, count: number): Promise<Figure[]> {
  const room = await ground.room(KEPT)
  const { world } = room
  await come(room, 'c', 1)
  await leave(room, 'c', 1)
  await queueUp(world, TOPIC, count, { payload: PAYLOAD, progress: ground.progress })
  await world.connect('c', 'c-2', 2)
  world.calls.length = 0
  const { got, script } = world.device('c')
  // It takes the first message and is gone: what comes after is not asked here.
  script.push('acked', 'forbidden')
  await world.invoke('session.subscribed', world.subscribedEvent('c', 'c-2', `durable/${TOPIC}`))
  if (got[0] !== `0 ${PAYLOAD}`) throw new Error(`the first message of ${count} is '${got[0]}'`)
  const first = world.calls.findIndex(({ call }) => call === 'SendDirectMessage')
  const before = world.calls.slice(0, first).filter(({ call }) => call.includes(':')).length
  const name = `requests before the first message is sent to a subscriber ${countText(count)} messages back`
  return [{ name, value: before, unit: '', ...atMost(12, before) }]
}

const MILLION = 1e6
/** Of IoT Core: a message that is stored for an offline session, or requested of the data plane; its PUBLISH; its PUBACK. */
const MESSAGES_OF_COPY = 3
const dynamodb = ({ writes, reads }: Spent): number => writes * PRICES.writeUnit + reads * PRICES.readUnit
/** A publish of 5 KB or less on its way into the tables, without what its function takes: message, rule, action, SQS, invocation. */
const INTO_TABLES = PRICES.iotMessage + PRICES.ruleTriggered + PRICES.ruleAction + 3 * PRICES.sqsRequest + PRICES.lambdaRequest

/** A million copies to subscribers who were away, a hundred to a message. */
function prices(publish: Spent, { kept, queued }: Later): Figure[] {
  const copy = MESSAGES_OF_COPY * PRICES.iotMessage
  const stored = INTO_TABLES + dynamodb(publish)
  const ours = MILLION * (stored / MANY + copy + dynamodb(kept))
  const queues = MILLION * (stored + copy + dynamodb(queued))
  const native = MILLION * (PRICES.iotMessage / MANY + copy)
  const name = `a million copies to ${MANY} subscribers each that were away, list prices`
  return [
    {
      name: `${name}, kept for many`,
      value: ours,
      unit: '$',
      ratio: ours / queues,
      floor: queues,
      against: `${MANY} queues fed by ${MANY} publishes`,
    },
    {
      name: `${name}, native persistent sessions (at most 7 days, 10 a second)`,
      value: native,
      unit: '$',
      ratio: native / ours,
      floor: ours,
      against: 'kept for many',
    },
  ]
}
