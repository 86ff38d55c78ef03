/**
 * What AWS IoT Core refuses, and how: its MQTT page ("MQTT reason codes", "AWS IoT differences from MQTT specifications"), its
 * quota page ("message broker and protocol limits"), and the MQTT clauses that they leave standing. One line each.
 */
import type { Packet } from 'mqtt-packet'
import { Backlog } from '../../../local/mqtt/backlog.ts'
import { Broker } from '../../../local/mqtt/broker.ts'
import { eventually } from '../../support/mqtt-client.ts'
import { type RawConnection, rawConnect, rawOpen } from '../../support/raw-mqtt.ts'

let broker: Broker
let seen: string[]
let warnings: string[]
let open: RawConnection[]

beforeEach(async () => {
  seen = []
  warnings = []
  open = []
  const onMessage = ({ topic }: { topic: string }) => seen.push(topic)
  broker = await Broker.start({
    host: '127.0.0.1',
    port: 0,
    backlog: new Backlog(1000),
    onMessage,
    warn: (text) => void warnings.push(text),
  })
})
afterEach(async () => {
  for (const { socket } of open) socket.destroy()
  await broker.close()
})

async function joined(version: 4 | 5, more: object = {}, clientid = 'c'): Promise<RawConnection> {
  const one = await rawConnect(broker.url, clientid, version, more)
  open.push(one)
  return one
}

const publish = (more: object = {}) => ({
  cmd: 'publish',
  topic: 't',
  payload: 'x',
  qos: 1,
  messageId: 7,
  dup: false,
  retain: false,
  ...more,
})
const subscribe = (subscriptions: object[], more: object = {}) => ({ cmd: 'subscribe', messageId: 7, subscriptions, ...more })
const to = (topic: string, more: object = {}) => ({ topic, qos: 1, ...more })
/** A PUBLISH at QoS 0, or a SUBSCRIBE, whose topic is of these bytes. */
const publishOn = (topic: number[], version: 4 | 5) => {
  const properties = version === 5 ? [0] : []
  return Buffer.from([0x30, 2 + topic.length + properties.length + 1, 0, topic.length, ...topic, ...properties, 0x78])
}
/** A PUBLISH of MQTT 5 at QoS 1 with these properties. */
const publishWith = (properties: number[]) =>
  Buffer.from([0x32, 7 + properties.length, 0, 1, 0x74, 0, 7, properties.length, ...properties, 0x78])
/** A PUBLISH with this first byte and packet id 0. */
const publishAt = (first: number, version: 4 | 5) => {
  const properties = version === 5 ? [0] : []
  return Buffer.from([first, 6 + properties.length, 0, 1, 0x74, 0, 0, ...properties, 0x78])
}
const subscribeTo = (topic: number[], version: 4 | 5) => {
  const properties = version === 5 ? [0] : []
  return Buffer.from([0x82, 2 + properties.length + 2 + topic.length + 1, 0, 7, ...properties, 0, topic.length, ...topic, 1])
}
const SURROGATE = [0x61, 0xed, 0xa0, 0x80]
const CUT_OFF = [0x61, 0xc3]
const OVERLONG = [0xc0, 0xaf]

describe('closes the connection, tells an MQTT 5 client why, acknowledges nothing, shows no rule anything', () => {
  type Case = [what: string, reasonCode: number, send: (one: RawConnection, version: 4 | 5) => void, versions?: (4 | 5)[]]
  const cases: Case[] = [
    ['PUBLISH at QoS 2', 0x9b, (one) => one.send(publish({ qos: 2 }))],
    ['SUBSCRIBE at QoS 2', 0x9b, (one) => one.send(subscribe([to('t', { qos: 2 })]))],
    ['SUBSCRIBE with one filter of two at QoS 2', 0x9b, (one) => one.send(subscribe([to('t'), to('u', { qos: 2 })]))],
    ['PUBREC', 0x82, (one) => one.send({ cmd: 'pubrec', messageId: 1 })],
    ['PUBREL', 0x82, (one) => one.send({ cmd: 'pubrel', messageId: 1 })],
    ['PUBCOMP', 0x82, (one) => one.send({ cmd: 'pubcomp', messageId: 1 })],
    ['AUTH', 0x82, (one) => one.send({ cmd: 'auth', reasonCode: 0 }), [5]],
    [
      'a second CONNECT',
      0x82,
      (one, protocolVersion) => one.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion, clientId: 'c', clean: true }),
    ],
    [
      'a Subscription Identifier in SUBSCRIBE',
      0xa1,
      (one) => one.send(subscribe([to('t')], { properties: { subscriptionIdentifier: 1 } })),
      [5],
    ],
    ['a Subscription Identifier in PUBLISH', 0x82, (one) => one.send(publish({ properties: { subscriptionIdentifier: 1 } })), [5]],
    ['a response topic with a wildcard', 0x82, (one) => one.send(publish({ properties: { responseTopic: 'a/#' } })), [5]],
    ['an empty response topic', 0x82, (one) => one.send(publish({ properties: { responseTopic: '' } })), [5]],
    ['two response topics', 0x81, (one) => one.socket.write(publishWith([8, 0, 1, 0x61, 8, 0, 1, 0x62])), [5]],
    ['two content types', 0x81, (one) => one.socket.write(publishWith([3, 0, 1, 0x61, 3, 0, 1, 0x62])), [5]],
    ['packet id 0', 0x82, (one, version) => one.socket.write(publishAt(0x32, version))],
    ['DUP at QoS 0', 0x81, (one) => one.send(publish({ qos: 0, dup: true }))],
    ['No Local on a shared filter', 0x82, (one) => one.send(subscribe([to('$share/g/t', { nl: true })])), [5]],
    ['9 filters in SUBSCRIBE', 0x97, (one) => one.send(subscribe(Array.from({ length: 9 }, (_, i) => to(`t/${i}`))))],
    ['a topic of 257 bytes', 0x90, (one) => one.send(publish({ topic: 'x'.repeat(257) }))],
    ['a topic of 8 slashes', 0x90, (one) => one.send(publish({ topic: '1/2/3/4/5/6/7/8/9' }))],
    ['a wildcard in a topic', 0x90, (one) => one.send(publish({ topic: 't/+' }))],
    ['a reserved topic', 0x90, (one) => one.send(publish({ topic: '$aws/events/presence/connected/c' }))],
    ['129 KB of payload', 0x95, (one) => one.send(publish({ payload: Buffer.alloc(129 * 1024) }))],
    ['topic alias 9', 0x94, (one) => one.send(publish({ properties: { topicAlias: 9 } })), [5]],
    ['a topic alias that was not set', 0x94, (one) => one.send(publish({ topic: '', properties: { topicAlias: 1 } })), [5]],
    [
      'a session that shall outlive a clean connection',
      0x82,
      (one) => one.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 60 } }),
      [5],
    ],
    ['an encoded surrogate in a topic', 0x81, (one, version) => one.socket.write(publishOn(SURROGATE, version))],
    ['half a character in a topic', 0x81, (one, version) => one.socket.write(publishOn(CUT_OFF, version))],
    ['an overlong character in a topic', 0x81, (one, version) => one.socket.write(publishOn(OVERLONG, version))],
    ['U+0000 in a topic', 0x81, (one, version) => one.socket.write(publishOn([0x61, 0], version))],
    ['half a character in a filter', 0x81, (one, version) => one.socket.write(subscribeTo(CUT_OFF, version))],
  ]
  const table = cases.flatMap(([what, code, send, versions = [4, 5]]) => versions.map((version) => [what, version, code, send] as const))

  test.each(table)('%s (MQTT level %i)', async (_, version, reasonCode, send) => {
    const one = await joined(version)
    send(one, version)
    await one.closed
    const answers: Packet[] = one.got.slice(1)
    expect(answers).toMatchObject(version === 5 ? [{ cmd: 'disconnect', reasonCode }] : [])
    expect(seen.filter((topic) => !topic.startsWith('$aws/events/presence/'))).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/^client "c" .*: connection closed$/)])
  })
})

describe('refuses the CONNECT', () => {
  const will = (more: object) => ({ will: { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false, ...more } })
  test.each<[string, 4 | 5, object, string, object]>([
    ['a client id of 129 bytes', 4, {}, 'x'.repeat(129), { returnCode: 2 }],
    ['a client id of 129 bytes', 5, {}, 'x'.repeat(129), { reasonCode: 0x85 }],
    ['a client id that begins with $', 5, {}, '$c', { reasonCode: 0x85 }],
    ['a will at QoS 2', 5, will({ qos: 2 }), 'c', { reasonCode: 0x9b }],
    ['a will on a reserved topic', 5, will({ topic: '$aws/x' }), 'c', { reasonCode: 0x90 }],
    ['a will whose response topic has a wildcard', 5, will({ properties: { responseTopic: '+' } }), 'c', { reasonCode: 0x82 }],
    ['Receive Maximum 0', 5, { properties: { receiveMaximum: 0 } }, 'c', { reasonCode: 0x82 }],
    ['enhanced authentication', 5, { properties: { authenticationMethod: 'x' } }, 'c', { reasonCode: 0x8c }],
  ])('%s (MQTT level %i)', async (_, version, more, clientid, answer) => {
    const one = await joined(version, more, clientid)
    await one.closed
    expect(one.got).toMatchObject([{ cmd: 'connack', sessionPresent: false, ...answer }])
    expect(seen).toEqual([])
  })

  test.each([
    ['a client id that is not well-formed UTF-8', 0x02, [0, 2, 0x61, 0xff], []],
    ['a persistent session without a client id [MQTT-3.1.3-8]', 0x00, [0, 0], [{ cmd: 'connack', returnCode: 2 }]],
  ])('%s (MQTT level 4)', async (_, flags, clientid, answers) => {
    const hello = [...Buffer.from('\0\x04MQTT\x04'), flags, 0, 60, ...clientid]
    const one = rawOpen(broker.url, 4)
    open.push(one)
    one.socket.write(Buffer.from([0x10, hello.length, ...hello]))
    await one.closed
    expect(one.got).toMatchObject(answers)
    expect(seen).toEqual([])
  })
})

describe('grants the others beside it', () => {
  test.each([
    ['8 slashes', '1/2/3/4/5/6/7/8/9'],
    ['257 bytes', 'x'.repeat(257)],
    ['a reserved filter', '$SYS/#'],
    ['# that is not last', '#/b'],
    ['a share group of 129 characters', `$share/${'g'.repeat(129)}/t`],
    ['a share group with a wildcard', '$share/+/t'],
  ])('SUBACK 0x8f for %s', async (_, filter) => {
    const one = await joined(5)
    one.send(subscribe([to(filter), to('good')]))
    await eventually('SUBACK', () => one.got.length === 2)
    expect(one.got[1]).toMatchObject({ cmd: 'suback', granted: [0x8f, 1] })
    expect(broker.clients.of('c')!.session!.subscriptions.has(filter)).toBe(false)
  })

  test('SUBACK 0x97 for the 51st subscription, "and the connection is closed"', async () => {
    const one = await joined(5)
    for (let i = 0; i < 48; i += 8) one.send(subscribe(Array.from({ length: 8 }, (_, j) => to(`t/${i + j}`))))
    one.send(subscribe([to('t/48'), to('t/49'), to('t/50')]))
    await one.closed
    const [last, end] = one.got.slice(-2)
    expect(last).toMatchObject({ cmd: 'suback', granted: [1, 1, 0x97] })
    expect(end).toMatchObject({ cmd: 'disconnect', reasonCode: 0x97 })
  })
})

describe('takes it as IoT Core does, which is not as the client said', () => {
  const connack = (one: RawConnection) => one.got[0] as { sessionPresent: boolean; properties?: Record<string, unknown> }

  test('CONNACK says what is not there', async () => {
    expect(connack(await joined(5)).properties).toMatchObject({
      maximumQoS: 1,
      retainAvailable: true,
      subscriptionIdentifiersAvailable: false,
      wildcardSubscriptionAvailable: true,
      sharedSubscriptionAvailable: true,
      receiveMaximum: 100,
      topicAliasMaximum: 8,
    })
  })

  test.each([
    [
      'Session Expiry Interval of a day: an hour, the quota of an account',
      { properties: { sessionExpiryInterval: 86_400 } },
      { sessionExpiryInterval: 3600 },
    ],
    ['no keep-alive: 1,200 s', { keepalive: 0 }, { serverKeepAlive: 1200 }],
    ['a keep-alive of an hour: 1,200 s', { keepalive: 3600 }, { serverKeepAlive: 1200 }],
  ])('%s', async (_, more, properties) => {
    expect(connack(await joined(5, more)).properties).toMatchObject(properties)
  })

  test('a session is not resumed by the other version of MQTT', async () => {
    const first = await joined(4, { clean: false })
    first.send(subscribe([to('t')]))
    await eventually('SUBACK', () => first.got.length === 2)
    first.socket.destroy()
    await first.closed
    expect(connack(await joined(5, { clean: false, properties: { sessionExpiryInterval: 60 } })).sessionPresent).toBe(false)
    expect(broker.subscriptions.receivers('t').size).toBe(0)
  })

  test('DISCONNECT may lengthen a session that outlives its connection anyway', async () => {
    const one = await joined(5, { clean: false, properties: { sessionExpiryInterval: 10 } })
    const { session } = broker.clients.of('c')!
    one.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 600 } })
    await one.closed
    expect(session!.expirySeconds).toBe(600)
  })
})
