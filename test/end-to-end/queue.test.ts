/**
 * Offline messages: kept, delivered in order, acknowledged, gone; and what is delivered natively meanwhile.
 *
 * @seconds 50
 */
import { readFileSync } from 'node:fs'
import { endClients, eventually, pause, type TestClient } from '../support/mqtt-client.ts'
import { type Backend, startBackend, texts, VERSIONS } from './backend.ts'

/** The default conf, with less patience: clients of this test acknowledge at once. */
const conf = readFileSync('etc/emqx_backend_dynamo.conf', 'utf8')
const confText = conf.replace(/("function": "on_message_fetch_for_queue"}),/, '$1, "settle": "1s",')

let backend: Backend
beforeAll(async () => {
  expect(confText).not.toBe(conf)
  backend = await startBackend({ confText })
})
afterEach(async () => {
  await endClients()
  await backend.idle()
  expect(await backend.deadLetters()).toEqual({})
})
afterAll(() => backend.close())

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)
/** Longer than a client may take to acknowledge (`settle`), and than clocks may disagree (1 s). */
const SURELY_MS = 2_500
jest.setTimeout(120_000)

async function publish({ client }: TestClient, topic: string, payloads: readonly string[]): Promise<void> {
  for (const payload of payloads) await client.publishAsync(topic, payload, { qos: 1 })
}

/** No row, no name: neither in the head, nor moved aside, nor in a segment. */
async function expectNothingLeft(topic: string): Promise<void> {
  const left = async () => [
    ...(await backend.rows('mqtt_msg', topic)),
    ...(await backend.rows('mqtt_topic_msg_map', topic)).filter((row) => row.MsgId || row.sealing),
  ]
  // The broker may not have read the client's last packet yet: until then everything is idle.
  await eventually('no row is left', async () => (await left()).length === 0).catch(() => undefined)
  await backend.idle()
  expect(await left()).toEqual([])
}

describe.each(VERSIONS)('MQTT protocol level %i', (protocolVersion) => {
  const name = (text: string) => `q${protocolVersion}/${text}`
  const connect = (text: string) => backend.connect(name(text), { protocolVersion })

  test('I2: 200 messages wait for their subscriber, come in order, once, and are gone', async () => {
    const topic = name('many')
    await publish(await connect('sender'), topic, numbers(200))
    await backend.idle()
    expect(await backend.rows('mqtt_msg', topic)).toHaveLength(200)
    const reader = await connect('reader')
    await reader.client.subscribeAsync(topic, { qos: 1 })
    await eventually('200 messages', () => reader.received.length >= 200, 20_000)
    await expectNothingLeft(topic)
    expect(texts(reader)).toEqual(numbers(200))
    expect(reader.received.every(({ packet }) => packet.qos === 1 && !packet.retain)).toBe(true)
  })

  test('a subscriber that is there gets each message once, natively; after it has left nothing comes again', async () => {
    const topic = name('live')
    const sender = await connect('sender')
    const reader = await connect('reader')
    await reader.client.subscribeAsync(topic, { qos: 1 })
    await pause(SURELY_MS)
    await publish(sender, topic, numbers(20))
    await eventually('20 messages', () => reader.received.length >= 20)
    await pause(SURELY_MS)
    await reader.client.endAsync()
    await expectNothingLeft(topic)
    expect(texts(reader)).toEqual(numbers(20))
    const next = await connect('next')
    await next.client.subscribeAsync(topic, { qos: 1 })
    await pause(300)
    await backend.idle()
    expect(texts(next)).toEqual([])
  })

  test('a message that is published while nobody is there survives those that were delivered', async () => {
    const topic = name('survives')
    const sender = await connect('sender')
    const reader = await connect('reader')
    await reader.client.subscribeAsync(topic, { qos: 1 })
    await pause(SURELY_MS)
    await publish(sender, topic, ['live'])
    await eventually('it is there', () => reader.received.length === 1)
    await pause(SURELY_MS)
    await reader.client.endAsync()
    await backend.idle()
    await publish(sender, topic, ['kept 1', 'kept 2'])
    await backend.idle()
    const again = await connect('reader')
    await again.client.subscribeAsync(topic, { qos: 1 })
    await eventually('both', () => again.received.length >= 2)
    await expectNothingLeft(topic)
    expect(texts(again)).toEqual(['kept 1', 'kept 2'])
  })

  test('a client that comes and goes gets each of three rounds once', async () => {
    const topic = name('rounds')
    const sender = await connect('sender')
    for (const round of ['a', 'b', 'c']) {
      await publish(sender, topic, [`${round}1`, `${round}2`])
      await backend.idle()
      const reader = await connect('reader')
      await reader.client.subscribeAsync(topic, { qos: 1 })
      await eventually('both', () => reader.received.length >= 2)
      await backend.idle()
      await reader.client.endAsync()
      await expectNothingLeft(topic)
      expect(texts(reader)).toEqual([`${round}1`, `${round}2`])
    }
  })
})

test('I2, I3: two subscribers that come to a queue together get it at least once between them, and it is gone', async () => {
  const topic = 'q/two'
  await publish(await backend.connect('q/sender'), topic, numbers(40))
  await backend.idle()
  const [one, two] = await Promise.all([backend.connect('q/one'), backend.connect('q/two')])
  await Promise.all([one.client.subscribeAsync(topic, { qos: 1 }), two.client.subscribeAsync(topic, { qos: 1 })])
  await eventually('all', () => new Set([...texts(one), ...texts(two)]).size === 40, 15_000)
  await expectNothingLeft(topic)
  for (const reader of [one, two]) expect(texts(reader)).toEqual(texts(reader).sort((a, b) => Number(a) - Number(b)))
})

test('two live subscribers both get what is published, natively; when both have left nothing is left', async () => {
  const topic = 'q/both'
  const sender = await backend.connect('q/sender', { protocolVersion: 5 })
  // Others than above: IoT Core tells a client's subscriptions once a second.
  const [one, two] = [await backend.connect('q/both/one'), await backend.connect('q/both/two', { protocolVersion: 5 })]
  for (const { client } of [one, two]) await client.subscribeAsync(topic, { qos: 1 })
  await pause(SURELY_MS)
  await publish(sender, topic, numbers(30))
  await pause(SURELY_MS)
  for (const { client } of [one, two]) await client.endAsync()
  await expectNothingLeft(topic)
  expect([texts(one), texts(two)]).toEqual([numbers(30), numbers(30)])
})

test('a wildcard subscriber consumes no queue: it gets what is live, and the messages wait for who subscribes the topic', async () => {
  const sender = await backend.connect('q/sender')
  const wildcard = await backend.connect('q/wildcard')
  await wildcard.client.subscribeAsync('q/wild/#', { qos: 1 })
  await pause(SURELY_MS)
  await publish(sender, 'q/wild/1', ['x'])
  await eventually('native delivery', () => wildcard.received.length === 1)
  await wildcard.client.endAsync()
  await backend.idle()
  expect(await backend.rows('mqtt_msg', 'q/wild/1')).toHaveLength(1)
  const exact = await backend.connect('q/exact')
  await exact.client.subscribeAsync('q/wild/1', { qos: 1 })
  await eventually('the queue', () => texts(exact).length === 1)
  await expectNothingLeft('q/wild/1')
})

test('a shared subscription gets the queue of the topic behind its prefix', async () => {
  await publish(await backend.connect('q/sender'), 'q/shared', ['1', '2'])
  await backend.idle()
  const member = await backend.connect('q/member', { protocolVersion: 5 })
  await member.client.subscribeAsync('$share/group/q/shared', { qos: 1 })
  await eventually('the queue', () => member.received.length === 2)
  await expectNothingLeft('q/shared')
  expect(texts(member)).toEqual(['1', '2'])
})

test('UNSUBSCRIBE ends it as a disconnect does: what came before is settled, what comes after waits', async () => {
  const topic = 'q/unsubscribed'
  const sender = await backend.connect('q/sender')
  const reader = await backend.connect('q/reader')
  await reader.client.subscribeAsync(topic, { qos: 1 })
  await pause(SURELY_MS)
  await publish(sender, topic, ['before'])
  await pause(SURELY_MS)
  await reader.client.unsubscribeAsync(topic)
  await expectNothingLeft(topic)
  await publish(sender, topic, ['after'])
  await backend.idle()
  expect((await backend.rows('mqtt_msg', topic)).map(({ payload }) => payload)).toEqual([{ S: 'after' }])
  await reader.client.subscribeAsync(topic, { qos: 1 })
  await eventually('the one that waited', () => reader.received.length === 2)
  await expectNothingLeft(topic)
  expect(texts(reader)).toEqual(['before', 'after'])
})

test('I1: a publish right around a SUBSCRIBE comes at least once, whichever way', async () => {
  const sender = await backend.connect('q/sender', { protocolVersion: 5 })
  const reader = await backend.connect('q/reader', { protocolVersion: 5 })
  const topics = Array.from({ length: 20 }, (_, i) => `q/around/${i}`)
  await Promise.all(
    topics.map(async (topic, i) => {
      const sent = publish(sender, topic, ['1', '2', '3'])
      if (i % 2 === 0) await pause(i)
      await reader.client.subscribeAsync(topic, { qos: 1 })
      await sent
    }),
  )
  const missing = () => topics.filter((topic) => new Set(texts(reader, topic)).size < 3)
  await eventually('all three of each', () => missing().length === 0)
  await pause(SURELY_MS)
  await reader.client.endAsync()
  await expectNothingLeft('q/around/')
})
