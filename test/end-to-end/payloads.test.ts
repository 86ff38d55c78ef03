/** Payloads, MQTT 5 properties, topics and client ids as people have them, through the queue and back. */
import { PublishCommand } from '@aws-sdk/client-iot-data-plane'
import { closed, endClients, eventually, type TestClient } from '../support/mqtt-client.ts'
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

const MOST = 128 * 1024

/** Publishes while nobody is there, subscribes, and gives back what came. */
async function throughTheQueue(sender: TestClient, reader: TestClient, topic: string, payload: string | Buffer, properties = {}) {
  await sender.client.publishAsync(topic, payload, { qos: 1, properties })
  await backend.idle()
  expect((await backend.rows('mqtt_msg')).filter((row) => row.topic!.S === topic)).toHaveLength(1)
  await reader.client.subscribeAsync(topic, { qos: 1 })
  await eventually(`the message on ${topic}`, () => reader.received.length > 0)
  await backend.idle()
  expect((await backend.rows('mqtt_msg')).filter((row) => row.topic!.S === topic)).toEqual([])
  expect(reader.received).toHaveLength(1)
  return reader.received[0]!.packet
}

describe.each(VERSIONS)('MQTT protocol level %i', (protocolVersion) => {
  const connect = (clientid: string) => backend.connect(clientid, { protocolVersion })

  test.each([
    ['empty', Buffer.alloc(0)],
    ['one zero byte', Buffer.alloc(1)],
    ['every byte', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    ['a torn surrogate', Buffer.from([0xed, 0xa0, 0x80])],
    ['a byte order mark', Buffer.from([0xef, 0xbb, 0xbf, 0x61])],
    ['text beyond ASCII', Buffer.from('Grüße, 世界 🌍')],
    ['128 KB of text', Buffer.alloc(MOST, 'x')],
    ['128 KB of bytes', Buffer.alloc(MOST, 0xff)],
  ])('the payload comes back byte for byte: %s', async (what, payload) => {
    const topic = `p${protocolVersion}/${what}`
    const packet = await throughTheQueue(await connect('sender'), await connect(`reader of ${topic}`), topic, payload)
    expect(Buffer.from(packet.payload).equals(payload)).toBe(true)
  })

  test('refuses more than 128 KB: the connection is closed, and nothing stored', async () => {
    const topic = `p${protocolVersion}/too much`
    const { client } = await connect('too much')
    const gone = closed(client)
    client.publish(topic, Buffer.alloc(MOST + 1), { qos: 1 }, () => undefined)
    await gone
    await backend.idle()
    for (const table of ['mqtt_msg', 'mqtt_topic_msg_map']) expect(await backend.rows(table, topic)).toEqual([])
  })

  test.each([
    ['/', '/'],
    ['leading', '/a'],
    ['trailing', 'a/'],
    ['empty levels', 'a//b'],
    ['spaces', ' a b / c '],
    ['not ASCII', 'Straße/世界/🌍'],
    ['8 levels', '1/2/3/4/5/6/7/8'],
    ['256 bytes', `256/${'é'.repeat(126)}`],
    ['quotes and a backslash', `it's "x"\\y`],
    ['percent', '100%/%2F/%'],
    ['a line break', 'a\nb\tc'],
    ['ends like a live row', 'x live0'],
    ['__proto__', '__proto__'],
    ['$ within', 'a/$b'],
  ])('a topic and a client id of every kind: %s', async (_, topic) => {
    const [sender, reader] = [
      await connect(`s${protocolVersion}${topic}`.slice(0, 60)),
      await connect(`r${protocolVersion}${topic}`.slice(0, 60)),
    ]
    const packet = await throughTheQueue(sender, reader, topic, topic)
    expect(packet.topic).toBe(topic)
    const { clientId } = reader.client.options
    const [row] = (await backend.rows('mqtt_client')).filter(({ clientid }) => clientid!.S === clientId)
    expect(row).toMatchObject({ connect_state: { N: '1' } })
    await reader.client.endAsync()
    await backend.idle()
    expect((await backend.rows('mqtt_client')).find(({ clientid }) => clientid!.S === clientId)).toMatchObject({
      connect_state: { N: '0' },
    })
    expect((await backend.rows('mqtt_sub')).filter(({ clientid }) => clientid!.S === clientId)).toEqual([])
  })

  test.each([
    ['9 levels', '1/2/3/4/5/6/7/8/9'],
    ['257 bytes', 'x'.repeat(257)],
    ['$SYS', '$SYS/x'],
    ['$aws', '$aws/events/presence/connected/x'],
  ])('refuses the topic: %s; nothing stored', async (_, topic) => {
    const { client } = await connect('refused')
    const gone = closed(client)
    client.publish(topic, 'x', { qos: 1 }, () => undefined)
    await gone
    await backend.idle()
    expect(await backend.rows('mqtt_msg', topic.slice(0, 40))).toEqual([])
  })

  test.each(['with+plus', 'with#hash', '#', '+/+'])('client id %s: no lifecycle events, and its publishes are kept', async (text) => {
    const clientid = `${text}${protocolVersion}`
    const { client } = await connect(clientid)
    await client.publishAsync(`by/${protocolVersion}/${Buffer.from(text).toString('hex')}`, 'x', { qos: 1 })
    await client.subscribeAsync('any', { qos: 1 })
    await backend.idle()
    expect((await backend.rows('mqtt_msg')).filter(({ sender }) => sender!.S === clientid)).toHaveLength(1)
    expect((await backend.rows('mqtt_client')).filter((row) => row.clientid!.S === clientid)).toEqual([])
  })

  test('a will is a publish like others', async () => {
    const topic = `will/${protocolVersion}`
    const { client } = await backend.connect(`dying${protocolVersion}`, {
      protocolVersion,
      will: { topic, payload: Buffer.from('dead'), qos: 1, retain: true },
    })
    client.stream.destroy()
    await eventually('stored', async () => (await backend.rows('mqtt_msg', topic)).length === 1)
    await backend.idle()
    expect(await backend.rows('mqtt_retain', topic)).toMatchObject([{ payload: { S: 'dead' } }])
  })
})

test('refuses more than 128 KB over HTTP with 413, takes 128 KB, and stores it with sender n/a', async () => {
  const publish = (topic: string, bytes: number) =>
    backend.data.send(new PublishCommand({ topic, qos: 1, payload: Buffer.alloc(bytes, 'x') }))
  await expect(publish('http/too much', MOST + 1)).rejects.toMatchObject({ $metadata: { httpStatusCode: 413 } })
  await publish('http/128 KB', MOST)
  await backend.idle()
  expect(await backend.rows('mqtt_msg', 'http/')).toMatchObject([{ topic: { S: 'http/128 KB' }, sender: { S: 'n/a' } }])
})

test('MQTT 5 properties come back through the queue', async () => {
  const properties = {
    contentType: 'application/json',
    responseTopic: 'answers/1',
    correlationData: Buffer.from([0, 255, 7]),
    payloadFormatIndicator: true,
    userProperties: { a: ['1', '2'], ключ: 'значение', qos: '1' },
  }
  const five = { protocolVersion: 5 } as const
  const [sender, reader] = [await backend.connect('five', five), await backend.connect('fifth', five)]
  const packet = await throughTheQueue(sender, reader, 'properties', '{}', properties)
  const { userProperties, ...others } = packet.properties!
  expect({ ...others, userProperties: properties.userProperties }).toEqual(properties)
  expect(userProperties).toMatchObject({ a: ['1', '2'], ключ: 'значение' })
  expect(userProperties).toHaveProperty('msgid', expect.stringMatching(/^[A-Za-z0-9]{47}$/))
})

test('a message of MQTT 5 comes to a subscriber of 3.1.1, without its properties', async () => {
  const [sender, reader] = [await backend.connect('five', { protocolVersion: 5 }), await backend.connect('four', { protocolVersion: 4 })]
  const packet = await throughTheQueue(sender, reader, 'five to four', 'x', { contentType: 'a', userProperties: { b: 'c' } })
  expect(packet.properties).toBeUndefined()
})

test('the user property qos says what the message is: 0 is not queued, 2 is stored as 2', async () => {
  const { client } = await backend.connect('said', { protocolVersion: 5 })
  for (const qos of ['0', '1', '2']) await client.publishAsync(`said/${qos}`, 'x', { qos: 1, properties: { userProperties: { qos } } })
  await backend.idle()
  const stored = (await backend.rows('mqtt_msg', 'said/')).map(({ topic, qos }) => [topic!.S, qos!.N])
  expect(stored.sort()).toEqual([
    ['said/1', '1'],
    ['said/2', '2'],
  ])
})

test('a topic alias is a short name for the topic that is stored', async () => {
  const { client } = await backend.connect('alias', { protocolVersion: 5 })
  await client.publishAsync('alias/long', '1', { qos: 1, properties: { topicAlias: 1 } })
  await client.publishAsync('', '2', { qos: 1, properties: { topicAlias: 1 } })
  await backend.idle()
  expect((await backend.rows('mqtt_msg', 'alias/long')).map(({ payload }) => payload!.S).sort()).toEqual(['1', '2'])
  const reader = await backend.connect('alias reader')
  await reader.client.subscribeAsync('alias/long', { qos: 1 })
  await eventually('both', () => reader.received.length === 2)
  expect(texts(reader)).toEqual(['1', '2'])
})
