/** Retained messages: kept beside IoT Core's own, delivered also to wildcard subscribers, deleted by an empty payload. */
import { endClients, eventually, pause } from '../support/mqtt-client.ts'
import { type Backend, confOf, startBackend, texts, VERSIONS } from './backend.ts'

let backend: Backend
afterEach(async () => {
  await endClients()
  await backend.idle()
  expect(await backend.deadLetters()).toEqual({})
})
const start = (options?: Parameters<typeof startBackend>[0]) => {
  beforeAll(async () => {
    backend = await startBackend(options)
  })
  afterAll(() => backend.close())
}

describe('with the default conf', () => {
  start()

  describe.each(VERSIONS)('MQTT protocol level %i', (protocolVersion) => {
    const name = (text: string) => `r${protocolVersion}/${text}`
    const connect = (text: string) => backend.connect(name(text), { protocolVersion })

    test('an exact subscriber gets it once, from IoT Core, with the RETAIN flag', async () => {
      const sender = await connect('sender')
      await sender.client.publishAsync(name('exact'), 'state', { qos: 1, retain: true })
      // Also stored as a message, as in EMQX: its queue is not what this is about.
      await backend.idle()
      const first = await connect('first')
      await first.client.subscribeAsync(name('exact'), { qos: 1 })
      await eventually('the queue is gone', async () => (await backend.rows('mqtt_msg', name('exact'))).length === 0)
      await backend.idle()
      const reader = await connect('reader')
      await reader.client.subscribeAsync(name('exact'), { qos: 1 })
      await pause(300)
      await backend.idle()
      expect(reader.received.map(({ text, packet }) => [text, packet.retain, packet.qos])).toEqual([['state', true, 1]])
    })

    test.each(['a/+', 'a/#', '+/x', '#', '+/+', 'a/x/#'])(
      'a wildcard subscriber to %s gets what matches, with the user property retain',
      async (filter) => {
        const root = name(`w${filter.replaceAll('/', '-').replaceAll('#', 'h').replaceAll('+', 'p')}`)
        // The first levels are r4 or r5 and root; '#' and '+/+' would see other tests' topics: below an own root they are what they are.
        const sender = await connect('sender')
        const topics = ['a/x', 'a/y', 'b/x', 'a/x/z', 'a']
        for (const topic of topics) await sender.client.publishAsync(`${root}/${topic}`, topic, { qos: 1, retain: true })
        await sender.client.publishAsync(`${root}/a/w`, 'not retained', { qos: 1 })
        await backend.idle()
        const reader = await connect('reader')
        await reader.client.subscribeAsync(`${root}/${filter}`, { qos: 1 })
        const wanted = {
          'a/+': ['a/x', 'a/y'],
          'a/#': ['a', 'a/x', 'a/x/z', 'a/y'],
          '+/x': ['a/x', 'b/x'],
          '#': ['a', 'a/x', 'a/x/z', 'a/y', 'b/x'],
        }[filter]
        const expected = wanted ?? { '+/+': ['a/x', 'a/y', 'b/x'], 'a/x/#': ['a/x', 'a/x/z'] }[filter]!
        await eventually('all', () => reader.received.length >= expected.length)
        await pause(100)
        await backend.idle()
        expect(texts(reader).sort()).toEqual(expected)
        for (const { packet } of reader.received) {
          expect(packet.retain).toBe(false)
          expect(packet.properties?.userProperties?.retain).toBe(protocolVersion === 5 ? '1' : undefined)
        }
      },
    )

    test('an empty payload deletes it: no row, not even a hidden one in mqtt_retain, and nothing for the next subscriber', async () => {
      const sender = await connect('sender')
      const live = await connect('live')
      await live.client.subscribeAsync(name('deleted/#'), { qos: 1 })
      await sender.client.publishAsync(name('deleted/1'), 'x', { qos: 1, retain: true })
      await backend.idle()
      await sender.client.publishAsync(name('deleted/1'), '', { qos: 1, retain: true })
      await eventually('the empty message, live', () => texts(live).at(-1) === '')
      await backend.idle()
      expect((await backend.rows('mqtt_retain')).filter(({ topic }) => topic!.S!.includes('deleted'))).toEqual([])
      const reader = await connect('reader')
      await reader.client.subscribeAsync(name('deleted/+'), { qos: 1 })
      await pause(200)
      await backend.idle()
      expect(texts(reader)).toEqual([])
    })

    test('one at QoS 0 is retained, with its QoS; a newer one replaces it', async () => {
      const sender = await connect('sender')
      await sender.client.publishAsync(name('zero'), 'old', { qos: 1, retain: true })
      await backend.idle()
      await sender.client.publishAsync(name('zero'), 'new', { qos: 0, retain: true })
      await eventually('stored', async () => (await backend.rows('mqtt_retain', name('zero')))[0]?.payload?.S === 'new')
      expect(await backend.rows('mqtt_retain', name('zero'))).toMatchObject([{ qos: { N: '0' }, retain: { N: '1' } }])
      await backend.idle()
      expect(await backend.rows('mqtt_msg', name('zero'))).toMatchObject([{ payload: { S: 'old' } }])
    })
  })

  test('every retained topic comes to a subscriber of #, and none that begins with $', async () => {
    const sender = await backend.connect('hash/sender')
    await sender.client.publishAsync('/leading', 'slash', { qos: 1, retain: true })
    await backend.idle()
    const all = (await backend.rows('mqtt_retain')).map(({ topic }) => topic!.S!).sort()
    expect(all).toContain('/leading')
    const reader = await backend.connect('hash/reader')
    await reader.client.subscribeAsync('#', { qos: 1 })
    const retained = () => new Set(reader.received.map(({ topic }) => topic))
    await eventually('all', () => retained().size >= all.length)
    await backend.idle()
    expect([...retained()].sort()).toEqual(all)
  })
})

describe('with other ways to know RETAIN', () => {
  start({
    confText: confOf(
      ['session.subscribed', '{"topic": "#", "action": {"function": "on_retain_lookup"}, "pool": "pool1"}'],
      ['message.publish', '{"topic": "prop/#", "retain": "property", "action": {"function": "on_message_retain"}, "pool": "pool1"}'],
      ['message.publish', '{"topic": "prop/#", "retain": "property", "action": {"function": "on_retain_delete"}, "pool": "pool1"}'],
      ['message.publish', '{"topic": "state/#", "retain": "topic", "action": {"function": "on_message_retain"}, "pool": "pool1"}'],
      ['message.publish', '{"topic": "state/#", "retain": "topic", "action": {"function": "on_retain_delete"}, "pool": "pool1"}'],
    ),
  })

  test('property: the MQTT 5 user property retain = 1 makes it retained, and its absence does not', async () => {
    const { client } = await backend.connect('sender', { protocolVersion: 5 })
    const properties = { userProperties: { retain: '1' } }
    await client.publishAsync('prop/1', 'kept', { qos: 1, properties })
    await client.publishAsync('prop/2', 'not kept', { qos: 1 })
    await backend.idle()
    expect(await backend.rows('mqtt_retain', 'prop/')).toMatchObject([{ topic: { S: 'prop/1' }, payload: { S: 'kept' } }])
    const reader = await backend.connect('reader', { protocolVersion: 5 })
    await reader.client.subscribeAsync('prop/1', { qos: 1 })
    await eventually('from mqtt_retain: IoT Core holds none', () => reader.received.length === 1)
    expect(reader.received[0]!.packet.properties?.userProperties?.retain).toBe('1')
    await client.publishAsync('prop/1', '', { qos: 1 })
    await backend.idle()
    expect(await backend.rows('mqtt_retain', 'prop/')).toHaveLength(1)
    await client.publishAsync('prop/1', '', { qos: 1, properties })
    await backend.idle()
    expect(await backend.rows('mqtt_retain', 'prop/')).toEqual([])
  })

  test('topic: whatever is published on the filter is retained, by any client', async () => {
    const { client } = await backend.connect('sender', { protocolVersion: 4 })
    await client.publishAsync('state/1', 'a', { qos: 1 })
    await backend.idle()
    await client.publishAsync('state/1', 'b', { qos: 0 })
    await client.publishAsync('elsewhere', 'x', { qos: 1, retain: true })
    await backend.idle()
    await eventually('b', async () => (await backend.rows('mqtt_retain'))[0]?.payload?.S === 'b')
    expect(await backend.rows('mqtt_retain')).toHaveLength(1)
    const reader = await backend.connect('reader')
    await reader.client.subscribeAsync('state/#', { qos: 1 })
    await eventually('it', () => texts(reader).includes('b'))
    await client.publishAsync('state/1', '', { qos: 1 })
    await backend.idle()
    expect(await backend.rows('mqtt_retain')).toEqual([])
    // Nothing but mqtt_retain: no row of the conf stores messages.
    expect(await backend.rows('mqtt_msg')).toEqual([])
  })
})
