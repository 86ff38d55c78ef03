/** Server-side subscriptions: an operator's row of mqtt_sub subscribes its client, as soon as it connects. */
import { endClients, eventually, pause } from '../support/mqtt-client.ts'
import { type Backend, startBackend, texts, VERSIONS } from './backend.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(async () => {
  await endClients()
  await backend.idle()
  expect(await backend.deadLetters()).toEqual({})
})
afterAll(() => backend.close())

const subscribe = (clientid: string, topic: string, qos = 1) =>
  backend.put('mqtt_sub', { clientid: { S: clientid }, topic: { S: topic }, qos: { N: `${qos}` } })

async function publish(topic: string, ...payloads: string[]): Promise<void> {
  const { client } = await backend.connect(`sender of ${topic}`)
  for (const payload of payloads) await client.publishAsync(topic, payload, { qos: 1 })
  await client.endAsync()
}

async function pending(topic: string): Promise<number> {
  await backend.idle()
  return (await backend.rows('mqtt_msg', topic)).length
}

describe.each(VERSIONS)('MQTT protocol level %i', (protocolVersion) => {
  const name = (text: string) => `s${protocolVersion}/${text}`
  const connect = (text: string) => backend.connect(name(text), { protocolVersion })

  test('the queue first, then what is published: in order, once, acknowledged and gone', async () => {
    await subscribe(name('client'), name('topic'))
    await publish(name('topic'), '1', '2', '3')
    expect(await pending(name('topic'))).toBe(3)
    const reader = await connect('client')
    await eventually('the queue', () => reader.received.length === 3)
    await publish(name('topic'), '4', '5')
    await eventually('what came live', () => reader.received.length >= 5)
    expect(await pending(name('topic'))).toBe(0)
    expect(texts(reader)).toEqual(['1', '2', '3', '4', '5'])
    expect(reader.received.every(({ packet }) => packet.qos === 1)).toBe(true)
    await reader.client.endAsync()
    await backend.idle()
    await publish(name('topic'), 'offline again')
    expect(await pending(name('topic'))).toBe(1)
  })

  test('a wildcard row: what is published on what it covers, and retained messages', async () => {
    await subscribe(name('wild'), name('cmd/+/x'))
    const { client: sender } = await connect('sender')
    await sender.publishAsync(name('cmd/0/x'), 'retained', { qos: 1, retain: true })
    await backend.idle()
    const reader = await connect('wild')
    await eventually('the retained message', () => reader.received.length === 1)
    await backend.idle()
    for (const topic of ['cmd/1/x', 'cmd/2/x', 'cmd/2/y', 'cmd/x']) await sender.publishAsync(name(topic), topic, { qos: 1 })
    await eventually('two more', () => reader.received.length >= 3)
    await backend.idle()
    expect(texts(reader).sort()).toEqual(['cmd/1/x', 'cmd/2/x', 'retained'])
  })

  test.each(['own/topic', 'own/+'])('a client that subscribes to its row %s itself gets nothing twice', async (filter) => {
    // No + in the client id: IoT Core would send no events of it.
    const topic = filter.replace('+', 'any')
    const clientid = `self ${topic}`
    await subscribe(name(clientid), name(filter))
    const reader = await connect(clientid)
    await backend.idle()
    await reader.client.subscribeAsync(name(filter), { qos: 1 })
    await pause(1150)
    await publish(name(topic), '1', '2', '3')
    await eventually('three', () => reader.received.length >= 3)
    await pause(200)
    await backend.idle()
    expect(texts(reader)).toEqual(['1', '2', '3'])
    // The row outlives the subscription: the next connect is subscribed by it again.
    await reader.client.endAsync()
    await backend.idle()
    const again = await connect(clientid)
    await backend.idle()
    const before = again.received.length
    await publish(name(topic), '4')
    await eventually('by the row', () => again.received.length > before)
    expect(texts(again).at(-1)).toBe('4')
  })
})

test('many rows of one client, and many clients of one topic', async () => {
  const topics = Array.from({ length: 30 }, (_, i) => `many/${i}`)
  await Promise.all(topics.map((topic) => subscribe('many-rows', topic)))
  const one = await backend.connect('many-rows')
  await backend.idle()
  const { client } = await backend.connect('many-sender')
  await Promise.all(topics.map((topic) => client.publishAsync(topic, topic, { qos: 1 })))
  await eventually('one of each', () => one.received.length >= 30, 10_000)
  await backend.idle()
  expect(texts(one).sort()).toEqual([...topics].sort())
  expect(await pending('many/')).toBe(0)

  const ids = Array.from({ length: 12 }, (_, i) => `crowd-${i}`)
  await Promise.all(ids.map((id) => subscribe(id, 'crowd/topic')))
  const crowd = await Promise.all(ids.map((id) => backend.connect(id)))
  await backend.idle()
  await client.publishAsync('crowd/topic', 'to all', { qos: 1 })
  await eventually('each has it', () => crowd.every(({ received }) => received.length >= 1))
  await backend.idle()
  expect(crowd.map((reader) => texts(reader))).toEqual(ids.map(() => ['to all']))
  expect(await pending('crowd/')).toBe(0)
})

test('overlapping rows of one client bring a message once', async () => {
  for (const filter of ['over/a', 'over/+', 'over/#', '#']) await subscribe('overlap', filter)
  const reader = await backend.connect('overlap')
  await backend.idle()
  await publish('over/a', 'x')
  await eventually('it', () => texts(reader, 'over/a').length >= 1)
  await pause(100)
  await backend.idle()
  expect(texts(reader, 'over/a')).toEqual(['x'])
})

test('a row with qos 0 brings what is published, and nothing that was queued', async () => {
  await subscribe('zero', 'zero/topic', 0)
  await publish('zero/topic', 'queued')
  expect(await pending('zero/topic')).toBe(1)
  const reader = await backend.connect('zero')
  await backend.idle()
  await publish('zero/topic', 'live')
  await eventually('it', () => reader.received.length >= 1)
  await backend.idle()
  expect(texts(reader)).toEqual(['live'])
})

test('a row that is taken away ends the subscription at the next connect', async () => {
  await subscribe('fired', 'fired/topic')
  const first = await backend.connect('fired')
  await backend.idle()
  await first.client.endAsync()
  await backend.idle()
  await backend.remove('mqtt_sub', { clientid: { S: 'fired' }, topic: { S: 'fired/topic' } })
  const second = await backend.connect('fired')
  await backend.idle()
  await publish('fired/topic', 'x')
  expect(await pending('fired/topic')).toBe(1)
  expect(second.received).toEqual([])
})
