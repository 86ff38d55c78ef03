/** `acked/<clientid>`: how a client acknowledges what IoT Core delivered natively. */
import { PublishCommand } from '@aws-sdk/client-iot-data-plane'
import { endClients, eventually, pause } from '../support/mqtt-client.ts'
import { type Backend, startBackend, VERSIONS } from './backend.ts'

interface Metrics {
  readonly hooks: Readonly<Record<string, { readonly counts: Readonly<Record<string, number>> }>>
}

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(endClients)
afterAll(() => backend.close())

/** A native subscriber with one message pending that it got live, and the message's id. */
async function delivered(clientid: string, topic: string, protocolVersion: 4 | 5 = 5) {
  const reader = await backend.connect(clientid, { protocolVersion })
  await reader.client.subscribeAsync(topic, { qos: 1 })
  await backend.idle()
  await pause(1050)
  const { client } = await backend.connect(`${clientid}-sender`)
  await client.publishAsync(topic, 'x', { qos: 1 })
  await eventually('native delivery', () => reader.received.length === 1)
  await backend.idle()
  const [message] = await backend.rows('mqtt_msg', topic)
  return { reader, msgid: message!.msgid!.S! }
}

const isPending = async (topic: string) => (await backend.rows('mqtt_msg', topic)).length === 1

describe.each(VERSIONS)('MQTT protocol level %i', (version) => {
  test.each([
    ['JSON', (msgid: string, topic: string) => JSON.stringify({ msgid, topic })],
    ['JSON without the topic', (msgid: string) => JSON.stringify({ msgid })],
    ['the bare msgid', (msgid: string) => msgid],
    ['a JSON string', (msgid: string) => JSON.stringify(msgid)],
    ['a JSON array', (msgid: string) => JSON.stringify([{ msgid }])],
  ])('%s takes the message off its queue', async (form, payloadOf) => {
    const [clientid, topic] = [`a${version}-${form}`, `a${version}/${form}`]
    const { reader, msgid } = await delivered(clientid, topic, version)
    await reader.client.publishAsync(`acked/${clientid}`, payloadOf(msgid, topic), { qos: 1 })
    await backend.idle()
    expect(await isPending(topic)).toBe(false)
    expect((await backend.rows('mqtt_topic_msg_map', topic))[0]).not.toHaveProperty('MsgId')
    expect(await backend.rows('mqtt_acked', topic)).toEqual([
      { topic: { S: topic }, clientid: { S: clientid }, msgid: { S: msgid }, acked_at: { N: expect.any(String) } },
    ])
    expect(await backend.deadLetters()).toEqual({})
  })
})

test('an acknowledgement over HTTP is taken for the client of its topic', async () => {
  const { msgid } = await delivered('http/client', 'http/topic')
  await backend.data.send(new PublishCommand({ topic: 'acked/http/client', qos: 1, payload: Buffer.from(msgid) }))
  await backend.idle()
  expect(await isPending('http/topic')).toBe(false)
})

test('an acknowledgement twice, or of what is gone, is no error', async () => {
  const { reader, msgid } = await delivered('twice', 'twice/topic')
  for (let i = 0; i < 2; i++) await reader.client.publishAsync('acked/twice', msgid, { qos: 1 })
  await backend.idle()
  expect(await backend.deadLetters()).toEqual({})
})

describe('refuses, and the message stays pending: the ack is dropped and counted, and is no dead letter', () => {
  /** How many acks more were refused. */
  async function refusedAfter(act: () => Promise<unknown>): Promise<number> {
    const before = await refused()
    await act()
    await backend.idle()
    await eventually('the refusals are counted', async () => (await refused()) > before)
    expect(await backend.deadLetters()).toEqual({})
    return (await refused()) - before
  }

  async function refused(): Promise<number> {
    const { hooks } = (await (await fetch(`${backend.dataUrl}/local/metrics`)).json()) as Metrics
    return hooks['message.acked']?.counts.ack_refused ?? 0
  }

  const malformed = ['', 'no msgid', '{}', '{"msgid": 1}', '{"msgid": "x"}', '[]', 'null', '{"msgid": ', '{"msgid":"Mjg"}', '\u0000']

  test('what is no acknowledgement', async () => {
    const { reader } = await delivered('malformed', 'malformed/topic')
    const acks = () => Promise.all(malformed.map((payload) => reader.client.publishAsync('acked/malformed', payload, { qos: 1 })))
    expect(await refusedAfter(acks)).toBe(malformed.length)
    expect(await isPending('malformed/topic')).toBe(true)
  })

  test("another client's ack topic", async () => {
    const { msgid } = await delivered('victim', 'victim/topic')
    const { client: thief } = await backend.connect('thief')
    expect(await refusedAfter(() => thief.publishAsync('acked/victim', msgid, { qos: 1 }))).toBe(1)
    expect(await isPending('victim/topic')).toBe(true)
  })

  test('a message of a topic that the client is not subscribed to', async () => {
    const { msgid } = await delivered('owner', 'owner/topic')
    const { client: stranger } = await backend.connect('stranger')
    expect(await refusedAfter(() => stranger.publishAsync('acked/stranger', msgid, { qos: 1 }))).toBe(1)
    expect(await isPending('owner/topic')).toBe(true)
  })

  test('a message that is on another topic than it says', async () => {
    const { reader, msgid } = await delivered('liar', 'liar/topic')
    const ack = JSON.stringify({ msgid, topic: 'liar/other' })
    expect(await refusedAfter(() => reader.client.publishAsync('acked/liar', ack, { qos: 1 }))).toBe(1)
    expect(await isPending('liar/topic')).toBe(true)
  })
})

test('topics below acked/ are never stored; acked itself is a topic like others', async () => {
  const { client } = await backend.connect('plain')
  const stored = async (topic: string) => (await backend.rows('mqtt_msg')).some((row) => row.topic!.S === topic)
  await client.publishAsync('acked', 'x', { qos: 1 })
  await client.publishAsync('acked/plain', 'x', { qos: 1, retain: true })
  await client.publishAsync('acked/', 'x', { qos: 1 })
  await backend.idle()
  expect(await stored('acked')).toBe(true)
  for (const table of ['mqtt_msg', 'mqtt_topic_msg_map', 'mqtt_retain', 'mqtt_acked'])
    expect(await backend.rows(table, 'acked/')).toEqual([])
})
