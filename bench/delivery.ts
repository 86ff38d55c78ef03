/** Queues on their way to a device that takes 25 ms to acknowledge: how fast, in which order, and what a killed function loses. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { SqsRecord } from '../lambda/adapters/function/handler.ts'
import { type Cloud, startCloud } from './cloud.ts'
import { type Judged, judge, mostInASecond, payloadOf, rateOf } from './delivered.ts'
import { noting, rawRoundTrips } from './direct-sends.ts'
import { publishEvent, subscribedEvent } from './events.ts'
import type { ProcessCall, ProcessInput } from './handler-process.ts'
import { type Clients, clientsOf, handlersOn } from './handlers.ts'
import { median } from './line-fit.ts'
import type { Delivered } from './puback-server.ts'
import { atMost, type Block, type Figure } from './report.ts'
import { createTables, rowsIn, type Tables } from './six-tables.ts'

/** Milliseconds. */
const PUBACK = 25
/** Messages a second: what IoT Core's own persistent sessions replay to a client (AWS IoT Core quotas), and its quota of a connection. */
const NATIVE_REPLAY = 10
const QUOTA = 100
/** Time limit of a function, and one that is over soon: the last 8 s of it nothing new is sent. Milliseconds. */
const WHOLE = 120_000
const SHORT = 9_000
const TRIES = 20
const MOST_SENT = 'most direct messages sent to a client in any second, ten topics'

interface Ground {
  readonly cloud: Cloud
  /** When handlers of this process sent direct messages, in ms. */
  readonly sent: number[]
  readonly clients: Clients
  readonly urls: ProcessInput['urls']
}

export const delivery: Block = ({ quick, progress }) =>
  onDelivery(async (ground) => {
    const { cloud, clients, sent } = ground
    const count = quick ? 50 : 1_000
    const before = await rawRoundTrips(clients.iot)
    await cloud.delivered()
    const one = await fetched(ground, 'one_', 1, count)
    const roundTrip = median([...before, ...(await rawRoundTrips(clients.iot))])
    await cloud.delivered()
    sent.length = 0
    progress(`${count} messages of one topic delivered; a raw SendDirectMessage takes ${roundTrip.toFixed(1)} ms`)
    const ten = await fetched(ground, 'ten_', 10, count / 10)
    progress(`${count} messages of ten topics delivered`)
    const killed = await killedAndCutShort(ground, quick ? 50 : 200)
    const most = mostInASecond(sent)
    return [
      ...ratesOf(count, one, ten, 1000 / roundTrip),
      { name: MOST_SENT, value: most, unit: '', ...atMost(QUOTA, most) },
      ...lossesOf(killed, quick ? 50 : 200),
    ]
  })

/** A device that takes {@link PUBACK} ms, and what is sent to it. */
export async function onDelivery<T>(measure: (ground: Ground) => Promise<T>): Promise<T> {
  const cloud = await startCloud()
  const urls = { dynamodb: cloud.urls.engine, iot: cloud.urls.devices }
  const clients = clientsOf(urls)
  const sent: number[] = []
  try {
    await cloud.set({ puback: PUBACK })
    return await measure({ cloud, urls, sent, clients: { ...clients, iot: noting(clients.iot, sent) } })
  } finally {
    clients.dynamodb.destroy()
    clients.iot.destroy()
    await cloud.stop()
  }
}

const topicsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `delivery/${i}`)
const recordOf = (topics: readonly string[], receives = 1): SqsRecord => ({
  messageId: 'subscribed',
  body: JSON.stringify(subscribedEvent('device', 's', topics, Date.now())),
  attributes: { ApproximateReceiveCount: `${receives}` },
})

/** Queues that are there before the device subscribes. */
async function queued({ clients }: Ground, prefix: string, topics: readonly string[], each: number): Promise<Tables> {
  const tables = await createTables(clients.dynamodb, prefix)
  const { handle } = handlersOn({ clients, tables })
  const at = Date.now() - 600_000
  for (let n = 0; n < each; n += 5) {
    const numbers = Array.from({ length: Math.min(5, each - n) }, (_, i) => n + i)
    // A UUID is of one message of one topic.
    const events = topics.flatMap((topic, t) =>
      numbers.map((i) => publishEvent(topic, t * each + i, { at: at + i, payload: payloadOf(i) })),
    )
    await handle('message.publish', ...events)
  }
  return tables
}

/** What the device got after one subscribed event. `below`: the prefix of a durable subscription. */
export async function fetched(ground: Ground, prefix: string, topicCount: number, each: number, below = ''): Promise<Delivered[]> {
  const topics = topicsOf(topicCount)
  const filters = topics.map((topic) => `${below}${topic}`)
  const tables = await queued(ground, prefix, topics, each)
  const { deliver } = handlersOn({ clients: ground.clients, tables })
  const record = recordOf(filters)
  for (let tries = 1; (await deliver('session.subscribed', [record], WHOLE)).length > 0; tries++)
    if (tries === TRIES) throw new Error(`not delivered after ${TRIES} tries`)
  const all = await ground.cloud.delivered()
  for (const topic of filters) {
    const { lost, again } = judge(topic, all, each)
    if (lost > 0 || again > 0) throw new Error(`topic ${topic}: ${lost} of ${each} messages lost, ${again} sent again`)
  }
  await checkEmpty(ground, tables)
  return all
}

/** The function is killed half way; its next try is cut short by its time limit; then it is left alone. */
async function killedAndCutShort(ground: Ground, count: number): Promise<Judged> {
  const topics = topicsOf(1)
  const tables = await queued(ground, 'killed_', topics, count)
  const record = recordOf(topics)
  const all: Delivered[] = []
  const more = async () => all.push(...(await ground.cloud.delivered()))
  const first = functionProcess({ urls: ground.urls, tables })
  void invoke(first, record, WHOLE)
  while ((await more()) < count / 2) await new Promise((resolve) => setTimeout(resolve, 5))
  first.kill('SIGKILL')
  await once(first, 'exit')
  const second = functionProcess({ urls: ground.urls, tables })
  try {
    let handled = false
    for (let receives = 2; !handled; receives++) {
      if (receives > TRIES) throw new Error(`not delivered after ${TRIES} tries`)
      handled = await invoke(second, { ...record, attributes: { ApproximateReceiveCount: `${receives}` } }, receives === 2 ? SHORT : WHOLE)
    }
  } finally {
    second.disconnect()
    await once(second, 'exit')
  }
  await more()
  await checkEmpty(ground, tables)
  return judge(topics[0]!, all, count)
}

const functionProcess = (input: ProcessInput): ChildProcess =>
  fork(join(import.meta.dirname, 'handler-process.ts'), [JSON.stringify(input)], { execArgv: ['--import', 'tsx'] })

async function invoke(child: ChildProcess, record: SqsRecord, remaining: number): Promise<boolean> {
  child.send({ hook: 'session.subscribed', record, remaining } satisfies ProcessCall)
  const [{ handled }] = (await once(child, 'message')) as [{ handled: boolean }]
  return handled
}

async function checkEmpty({ clients }: Ground, tables: Tables): Promise<void> {
  const { mqtt_msg } = await rowsIn(clients.dynamodb, tables)
  if (mqtt_msg > 0) throw new Error(`${mqtt_msg} delivered messages are still stored`)
}

function ratesOf(count: number, one: readonly Delivered[], ten: readonly Delivered[], possible: number): Figure[] {
  const alone = rateOf(one)
  const together = rateOf(ten)
  return [
    {
      name: `delivery of ${count} on one topic, in order, PUBACK after ${PUBACK} ms`,
      value: alone,
      unit: '/s',
      ratio: alone / possible,
      floor: possible,
      reached: alone / possible >= 0.9,
      against: 'at least 0.9 x raw SendDirectMessage, one after the other',
    },
    {
      name: `delivery of ${count} on ten topics, each in order`,
      value: together,
      unit: '/s',
      ratio: together / NATIVE_REPLAY,
      floor: NATIVE_REPLAY,
      reached: together >= 5 * NATIVE_REPLAY,
      against: 'at least 5 x a native persistent session',
    },
  ]
}

const lossesOf = ({ lost, again }: Judged, count: number): Figure[] => [
  {
    name: `messages lost of ${count}, function killed half way, then cut short by its time limit`,
    value: lost,
    unit: '',
    ...atMost(0, lost),
  },
  { name: 'messages sent again after that', value: again, unit: '' },
]
