/** Durable subscriptions with real clients: mqtt.js 3.1.1 and 5, and mosquitto_sub where it is installed (I2, I12). */
import { spawn, spawnSync } from 'node:child_process'
import { endClients, eventually, type TestClient } from '../support/mqtt-client.ts'
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
jest.setTimeout(120_000)

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `${from + i}`)
async function publish({ client }: TestClient, topic: string, payloads: readonly string[]): Promise<void> {
  for (const payload of payloads) await client.publishAsync(topic, payload, { qos: 1 })
}
async function expectNothingLeft(topic: string): Promise<void> {
  await eventually('no message is left', async () => (await backend.rows('mqtt_msg', topic)).length === 0)
  await backend.idle()
  const rows = await backend.rows('mqtt_topic_msg_map', topic)
  expect(rows.filter(({ MsgId, sealing, dispatch }) => MsgId ?? sealing ?? dispatch)).toEqual([])
}

describe.each(VERSIONS)('MQTT protocol level %i', (protocolVersion) => {
  const name = (text: string) => `d${protocolVersion}/${text}`
  const connect = (text: string) => backend.connect(name(text), { protocolVersion })

  test('100 messages wait, come in order on the topic that was subscribed to, and so do those that are published then', async () => {
    const topic = name('many')
    const sender = await connect('sender')
    await publish(sender, topic, numbers(100))
    await backend.idle()
    const reader = await connect('reader')
    await reader.client.subscribeAsync(`durable/${topic}`, { qos: 1 })
    await eventually('100 messages', () => reader.received.length >= 100, 20_000)
    await publish(sender, topic, numbers(5, 100))
    await eventually('105 messages', () => reader.received.length >= 105, 20_000)
    await expectNothingLeft(topic)
    expect(texts(reader).slice(0, 100)).toEqual(numbers(100))
    expect([...texts(reader)].sort()).toEqual(numbers(105).sort())
    expect(new Set(reader.received.map((one) => one.topic))).toEqual(new Set([`durable/${topic}`]))
    const user = reader.received[0]!.packet.properties?.userProperties
    if (protocolVersion === 5) expect(user).toMatchObject({ topic })
  })

  test('a connection that is cut takes nothing along that it did not acknowledge: the next one goes on', async () => {
    const topic = name('cut')
    const sender = await connect('sender')
    const first = await connect('cutter')
    // It never acknowledges the third message.
    let handled = 0
    first.client.handleMessage = (_packet, done) => void (handled++ < 2 && done())
    await first.client.subscribeAsync(`durable/${topic}`, { qos: 1 })
    await publish(sender, topic, numbers(6))
    await eventually('three messages', () => first.received.length >= 3, 20_000)
    first.client.stream.destroy()
    const second = await connect('cutter')
    await second.client.subscribeAsync(`durable/${topic}`, { qos: 1 })
    await eventually('the rest', () => new Set([...texts(first).slice(0, 2), ...texts(second)]).size >= 6, 60_000)
    await expectNothingLeft(topic)
    expect([...new Set([...texts(first).slice(0, 2), ...texts(second)])].sort()).toEqual(numbers(6))
  })

  test('three subscribers share the messages, and one that leaves leaves nothing behind', async () => {
    const topic = name('shared')
    const sender = await connect('sender')
    const readers = await Promise.all(['r1', 'r2', 'r3'].map(connect))
    for (const reader of readers) await reader.client.subscribeAsync(`durable/${topic}`, { qos: 1 })
    await backend.idle()
    await publish(sender, topic, numbers(30))
    const all = () => readers.flatMap((reader) => texts(reader))
    await eventually('30 messages', () => all().length >= 30, 20_000)
    expect(all().sort()).toEqual(numbers(30).sort())
    expect(readers.filter(({ received }) => received.length === 0)).toEqual([])
    await readers[0]!.client.endAsync()
    await publish(sender, topic, numbers(10, 30))
    await eventually('40 messages', () => all().length >= 40, 20_000)
    await expectNothingLeft(topic)
  })
})

const MOSQUITTO_SUB = 'mosquitto_sub'
const hasMosquitto = spawnSync(MOSQUITTO_SUB, ['--help']).error === undefined
const withMosquitto = hasMosquitto ? test : test.skip
describe.each(['mqttv311', 'mqttv5'])('mosquitto_sub -V %s', (version) => {
  withMosquitto('gets what waits, as docs/durable.md says', async () => {
    const topic = `m/${version}`
    await publish(await backend.connect('sender'), topic, numbers(3))
    await backend.idle()
    const { hostname, port } = new URL(backend.mqttUrl)
    const args = ['-h', hostname, '-p', port, '-V', version, '-i', `door-${version}`, '-q', '1', '-C', '3', '-v', '-t', `durable/${topic}`]
    const printed = await new Promise<string>((resolve) => {
      const program = spawn(MOSQUITTO_SUB, args)
      let text = ''
      program.stdout.on('data', (some) => {
        text += some
      })
      program.once('close', () => resolve(text))
    })
    expect(printed).toBe(
      numbers(3)
        .map((text) => `durable/${topic} ${text}\n`)
        .join(''),
    )
  })
})
