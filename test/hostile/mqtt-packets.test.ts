/** The broker on bytes that are no MQTT, or MQTT that IoT Core refuses: that connection ends, all others never notice. */
import { connect as connectTo, type Socket } from 'node:net'
import mqtt, { type Packet } from 'mqtt-packet'
import { Backlog } from '../../local/mqtt/backlog.ts'
import { Broker } from '../../local/mqtt/broker.ts'
import { connect, endClients, eventually, type TestClient } from '../support/mqtt-client.ts'
import { assertSilent, CANARY } from './canary.ts'
import { IMPOSSIBLE, NASTY_CLIENT_IDS, NASTY_TOPICS, NASTY_WORDS } from './nasty-names.ts'

let broker: Broker
let warnings: string[]
let neighbour: TestClient

beforeAll(async () => {
  warnings = []
  broker = await Broker.start({
    host: '127.0.0.1',
    port: 0,
    backlog: new Backlog(1000),
    onMessage: () => 1,
    warn: (text) => void warnings.push(text),
  })
  neighbour = await connect(broker.url, 'neighbour', { protocolVersion: 5 })
  await neighbour.client.subscribeAsync('n', { qos: 1 })
})
beforeEach(() => {
  neighbour.received.length = 0
})
afterAll(async () => {
  await endClients()
  await broker.close()
})
afterEach(() => assertSilent('a warning', warnings.join('\n')))

/** The neighbour still gets what it is sent. */
async function neighbourIsWell(): Promise<void> {
  const { length } = neighbour.received
  await neighbour.client.publishAsync('n', 'x', { qos: 1 })
  await eventually('the neighbour', () => neighbour.received.length > length)
}

interface Raw {
  readonly socket: Socket
  readonly got: Packet[]
  readonly closed: Promise<void>
}

function raw(protocolVersion: 4 | 5 = 4): Raw {
  const socket = connectTo(Number(new URL(broker.url).port), '127.0.0.1')
  const got: Packet[] = []
  const parser = mqtt.parser({ protocolVersion }).on('packet', (packet) => got.push(packet))
  socket.on('error', () => undefined).on('data', (chunk) => parser.parse(chunk))
  return { socket, got, closed: new Promise((resolve) => socket.on('close', () => resolve())) }
}

const bytesOf = (packet: Packet, protocolVersion: 4 | 5) => mqtt.generate(packet, { protocolVersion })
const helloOf = (clientId: string, protocolVersion: 4 | 5, more: object = {}) =>
  bytesOf({ cmd: 'connect', protocolId: 'MQTT', protocolVersion, clientId, clean: true, keepalive: 60, ...more } as Packet, protocolVersion)
/** A CONNECT whose text may be anything. */
function helloWith(clientid: Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from('\0\x04MQTT\x04\x02\0\x3c', 'latin1'),
    Buffer.from([clientid.length >> 8, clientid.length & 255]),
    clientid,
  ])
  return Buffer.concat([Buffer.from([0x10, 128 | (body.length & 127), body.length >> 7]), body])
}

describe('before CONNECT', () => {
  test.each<[string, Buffer]>([
    ['zeros', Buffer.alloc(1000)],
    ['HTTP', Buffer.from(`GET /${CANARY} HTTP/1.1\r\n\r\n`)],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['a length of five bytes', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['a length of 256 MB', Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(1000)])],
    ['another protocol name', Buffer.from('100c00044d5154580402003c0000', 'hex')],
    ['protocol level 6', Buffer.from('100c00044d5154540602003c0000', 'hex')],
    ['a PUBLISH', bytesOf({ cmd: 'publish', topic: 'n', payload: CANARY, qos: 0, dup: false, retain: false }, 4)],
    ['an AUTH', Buffer.from([0xf0, 0x02, 0x18, 0x00])],
    ['reserved flags', Buffer.from([0x1f, 0x00])],
    ['a client id of 129 bytes', helloWith(Buffer.alloc(129, 'x'))],
    ['a client id with U+0000', helloWith(Buffer.from('a\0b'))],
    ['a client id that begins with $', helloWith(Buffer.from('$a'))],
  ])('%s: the connection is closed', async (_, bytes) => {
    const { socket, closed } = raw()
    socket.write(bytes)
    await closed
    await neighbourIsWell()
  })

  test.each([
    ['half a CONNECT', helloOf('half', 4).subarray(0, 7)],
    ['nothing', Buffer.alloc(0)],
  ])('%s, and away: it is forgotten', async (_, bytes) => {
    const { socket, closed } = raw()
    socket.end(bytes)
    await closed
    await neighbourIsWell()
  })

  test('300 sockets at once that send CONNECT and go, with one client id: the last one counts', async () => {
    const all = Array.from({ length: 300 }, () => raw())
    for (const { socket } of all) socket.write(helloOf('flood', 4))
    await Promise.all(all.slice(1).map(({ socket }) => socket.end()))
    await eventually('one is left at most', () => all.filter(({ socket }) => !socket.closed).length <= 1)
    await neighbourIsWell()
    all[0]!.socket.destroy()
  })
})

describe.each([4, 5] as const)('after CONNECT, protocol level %d', (version) => {
  const joined = async (): Promise<Raw> => {
    const one = raw(version)
    one.socket.write(helloOf('hostile', version))
    await eventually('CONNACK', () => one.got.length === 1)
    return one
  }
  const subscribe = (topics: readonly string[]) =>
    bytesOf({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map((topic) => ({ topic, qos: 1 })) } as Packet, version)
  const publish = (topic: string, more: object = {}) =>
    bytesOf({ cmd: 'publish', topic, payload: CANARY, qos: 0, dup: false, retain: false, ...more } as Packet, version)

  test.each<[string, () => Buffer]>([
    ['CONNECT again', () => helloOf('hostile', version)],
    ['CONNECT a thousand times', () => Buffer.concat(Array.from({ length: 1000 }, () => helloOf('hostile', version)))],
    ['SUBSCRIBE to 9 filters', () => subscribe(Array.from({ length: 9 }, (_, i) => `t/${i}`))],
    ['SUBSCRIBE to U+0000', () => subscribe(['a\0b', 'good'])],
    ['SUBSCRIBE to nothing', () => Buffer.from(version === 5 ? [0x82, 3, 0, 1, 0] : [0x82, 2, 0, 1])],
    ['PUBLISH of 8 slashes', () => publish('1/2/3/4/5/6/7/8/9')],
    ['PUBLISH on 257 bytes', () => publish('x'.repeat(257))],
    ['PUBLISH on a wildcard', () => publish('a/#')],
    ['PUBLISH on U+0000', () => publish('a\0b')],
    ['PUBLISH on nothing', () => Buffer.from(version === 5 ? [0x30, 3, 0, 0, 0] : [0x30, 2, 0, 0])],
    ['PUBLISH at QoS 3', () => Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1])],
    ['PUBLISH of 129 KB', () => publish('t', { payload: Buffer.alloc(129 * 1024) })],
    ['a topic longer than its packet', () => Buffer.from([0x30, 4, 0xff, 0xff, 0x61, 0x62])],
    ['a server packet', () => Buffer.from([0xd0, 0])],
  ])('%s: the connection is closed', async (_, bytes) => {
    const { socket, closed } = await joined()
    socket.write(bytes())
    await closed
    await neighbourIsWell()
  })

  test.each([
    ['8 slashes', '1/2/3/4/5/6/7/8/9'],
    ['257 bytes', 'x'.repeat(257)],
    ['$share//x', '$share//x'],
    ['$share/g/', '$share/g/'],
    ['$queue/x', '$queue/x'],
    ['a reserved topic', '$SYS/#'],
    ['a wildcard inside a level', 'a+/b'],
    ['# in the middle', '#/b'],
  ])('SUBSCRIBE to %s is refused, the filter beside it is taken', async (_, filter) => {
    const one = await joined()
    one.socket.write(subscribe([filter, 'good']))
    await eventually('SUBACK', () => one.got.length === 2)
    const granted = (one.got[1] as unknown as { granted: number[] }).granted
    expect(granted[0]).toBeGreaterThanOrEqual(0x80)
    expect(granted[1]).toBe(1)
    one.socket.destroy()
  })
})

test.each(NASTY_CLIENT_IDS.map((id) => [id]))('a client called %j comes, is sent to, and goes', async (id) => {
  const { client, received } = await connect(broker.url, id, { protocolVersion: 5 })
  await client.subscribeAsync('t', { qos: 1 })
  await neighbour.client.publishAsync('t', 'x', { qos: 1 })
  await eventually('delivery', () => received.length === 1)
  await client.endAsync()
})

test.each(NASTY_TOPICS.map((topic) => [topic]))('a message on %j arrives', async (topic) => {
  await neighbour.client.subscribeAsync(topic, { qos: 1 })
  await neighbour.client.publishAsync(topic, 'x', { qos: 1 })
  await eventually('delivery', () => neighbour.received.some((message) => message.topic === topic))
  await neighbour.client.unsubscribeAsync(topic)
})

test.each(NASTY_WORDS.map((word) => [word]))('a user property called %j arrives', async (word) => {
  // mqtt.js itself drops a property called __proto__: the packet is written by hand
  const userProperties = Object.assign(Object.create(null), { [word]: ['1', '2'] })
  const one = raw(5)
  one.socket.write(helloOf('hostile', 5))
  await eventually('CONNACK', () => one.got.length === 1)
  one.socket.write(
    bytesOf({ cmd: 'publish', topic: 'n', payload: 'x', qos: 0, dup: false, retain: false, properties: { userProperties } }, 5),
  )
  await eventually('delivery', () => neighbour.received.length === 1)
  const said = neighbour.received[0]!.packet.properties?.userProperties ?? {}
  expect(Object.getOwnPropertyDescriptor(said, word)?.value).toEqual(['1', '2'])
  one.socket.destroy()
})

test.each(IMPOSSIBLE.filter(([, text]) => text.includes('\0')))('a client id with %s is refused', async (_, id) => {
  await expect(connect(broker.url, id)).rejects.toThrow()
  await neighbourIsWell()
})

test.each([
  ['a user property', [0x26, 0, 1, 0x61, 0, 9]],
  ['a content type', [0x03, 0, 9]],
  ['correlation data', [0x09, 0, 9]],
])('%s that reaches beyond its packet ends that connection, and is passed on to nobody', async (_what, properties) => {
  const { socket, closed } = raw(5)
  socket.write(helloOf('beyond', 5))
  const body = Buffer.from([0, 1, 0x6e, properties.length, ...properties])
  socket.write(Buffer.from([0x30, body.length, ...body]))
  await closed
  await neighbourIsWell()
})
