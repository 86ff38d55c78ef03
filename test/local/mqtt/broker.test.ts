import { Backlog } from '../../../local/mqtt/backlog.ts'
import { Broker } from '../../../local/mqtt/broker.ts'
import type { RuleMessage } from '../../../local/rules/rule-message.ts'
import { closed, connect, endClients, eventually, pause } from '../../support/mqtt-client.ts'

let broker: Broker
let backlog: Backlog
let seen: RuleMessage[]
let warnings: string[]

beforeEach(async () => {
  seen = []
  warnings = []
  backlog = new Backlog(1000)
  broker = await Broker.start({
    host: '127.0.0.1',
    port: 0,
    backlog,
    onMessage: (message) => seen.push(message),
    warn: (text) => void warnings.push(text),
  })
})
afterEach(async () => {
  await endClients()
  await broker.close()
})

const publishes = () => seen.filter(({ topic }) => !topic.startsWith('$'))
const events = (part: string) => seen.filter(({ topic }) => topic.includes(part)).map(({ payload }) => JSON.parse(payload.toString()))

describe.each([4, 5] as const)('MQTT protocol level %d', (protocolVersion) => {
  const join = (id: string, options = {}) => connect(broker.url, id, { protocolVersion, ...options })

  test('a publish reaches a subscriber and the rules, once', async () => {
    const a = await join('a')
    const b = await join('b')
    await b.client.subscribeAsync('t/+', { qos: 1 })
    await a.client.publishAsync('t/1', 'hello', { qos: 1 })
    await eventually('delivery', () => b.received.length === 1)
    expect(b.received[0]).toMatchObject({ topic: 't/1', text: 'hello', packet: { qos: 1, retain: false } })
    expect(publishes()).toMatchObject([{ topic: 't/1', clientid: 'a', payload: Buffer.from('hello') }])
  })

  test.each([
    ['a/#', 'a', false],
    ['a/#', 'a/b', true],
    ['+', 'a', true],
    ['+/b', 'a/b', true],
    ['a', 'a/b', false],
  ])('filter %s, topic %s: delivered %s', async (filter, topic, delivered) => {
    const a = await join('a')
    await a.client.subscribeAsync([filter, 'end'], { qos: 1 })
    await a.client.publishAsync(topic, 'x', { qos: 1 })
    await a.client.publishAsync('end', 'x', { qos: 1 })
    await eventually('end', () => a.received.at(-1)?.topic === 'end')
    expect(a.received.length === 2).toBe(delivered)
  })

  test('overlapping subscriptions give one delivery', async () => {
    const a = await join('a')
    await a.client.subscribeAsync(['t/#', 't/1', 't/+'], { qos: 1 })
    await a.client.publishAsync('t/1', 'x', { qos: 1 })
    await pause(30)
    expect(a.received).toHaveLength(1)
  })

  test('a retained message: live with RETAIN 0, later with RETAIN 1, and never for a wildcard', async () => {
    const a = await join('a')
    await a.client.subscribeAsync('r/1', { qos: 1 })
    await a.client.publishAsync('r/1', 'kept', { qos: 1, retain: true })
    await eventually('live delivery', () => a.received.length === 1)
    expect(a.received[0]!.packet.retain).toBe(false)
    const b = await join('b')
    await b.client.subscribeAsync(['r/+', '$share/g/r/1'], { qos: 1 })
    await b.client.subscribeAsync('r/1', { qos: 1 })
    await eventually('retained delivery', () => b.received.length > 0)
    await pause(30)
    expect(b.received).toMatchObject([{ topic: 'r/1', text: 'kept', packet: { retain: true, qos: 1 } }])
    await b.client.publishAsync('r/1', '', { qos: 1, retain: true })
    await eventually('empty publish is delivered', () => a.received.length === 2)
    expect(broker.retained.all(Date.now())).toEqual([])
  })

  test('a share group: one member gets each message, in turn', async () => {
    const [a, b, c] = await Promise.all([join('a'), join('b'), join('c')])
    await a.client.subscribeAsync('$share/g/job/#', { qos: 1 })
    await b.client.subscribeAsync('$share/g/job/#', { qos: 1 })
    for (const i of [1, 2, 3, 4]) await c.client.publishAsync(`job/${i}`, 'x', { qos: 1 })
    await eventually('four deliveries', () => a.received.length + b.received.length === 4)
    expect([a.received.length, b.received.length]).toEqual([2, 2])
  })

  test('a persistent session keeps its id, subscriptions and QoS 1 messages; versions count on', async () => {
    const persistent = protocolVersion === 5 ? { clean: false, properties: { sessionExpiryInterval: 60 } } : { clean: false }
    const a = await join('a', persistent)
    await a.client.subscribeAsync('t', { qos: 1 })
    await a.client.endAsync()
    const b = await join('b')
    await b.client.publishAsync('t', '1', { qos: 1 })
    await b.client.publishAsync('t', '2', { qos: 1 })
    await b.client.publishAsync('t', 'lost', { qos: 0 })
    const again = await join('a', persistent)
    await eventually('offline messages', () => again.received.length === 2)
    expect(again.sessionPresent).toBe(true)
    expect(again.received.map(({ text }) => text)).toEqual(['1', '2'])
    const [first, second] = events('connected/a').filter(({ eventType }) => eventType === 'connected')
    expect(second).toMatchObject({ versionNumber: first.versionNumber + 1, sessionIdentifier: first.sessionIdentifier })
    expect(events('subscriptions/subscribed/a')).toHaveLength(1)
  })

  test('a clean session forgets', async () => {
    const a = await join('a', { clean: true })
    await a.client.subscribeAsync('t', { qos: 1 })
    await a.client.endAsync()
    const again = await join('a', { clean: true })
    expect(again.sessionPresent).toBe(false)
    const [first, second] = events('presence/connected/a')
    expect(second.sessionIdentifier).not.toBe(first.sessionIdentifier)
    expect(broker.subscriptions.receivers('t').size).toBe(0)
  })

  test('lifecycle events carry the documented fields', async () => {
    const a = await join('a')
    await a.client.subscribeAsync(['t/1', 't/2'], { qos: 1 })
    await a.client.unsubscribeAsync('t/2')
    await a.client.endAsync()
    await eventually('disconnected', () => events('presence/disconnected').length === 1)
    const identity = { clientId: 'a', sessionIdentifier: expect.stringMatching(/^[0-9a-f-]{36}$/), principalIdentifier: expect.any(String) }
    const connected = { ...identity, eventType: 'connected', timestamp: expect.any(Number), ipAddress: '127.0.0.1', versionNumber: 0 }
    const disconnected = { clientInitiatedDisconnect: true, disconnectReason: 'CLIENT_INITIATED_DISCONNECT', versionNumber: 0 }
    const at = { timestamp: expect.any(Number) }
    expect(events('presence/connected/a')).toEqual([connected])
    expect(events('presence/disconnected/a')).toEqual([{ ...identity, ...at, eventType: 'disconnected', ...disconnected }])
    expect(events('subscriptions/subscribed/a')).toEqual([{ ...identity, ...at, eventType: 'subscribed', topics: ['t/1', 't/2'] }])
    expect(events('subscriptions/unsubscribed/a')).toEqual([{ ...identity, ...at, eventType: 'unsubscribed', topics: ['t/2'] }])
  })

  test('subscription events name at most eight filters, and a SUBSCRIBE has no more', async () => {
    const a = await join('a')
    const filters = Array.from({ length: 9 }, (_, i) => `t/${i}`)
    await a.client.subscribeAsync(filters.slice(0, 8), { qos: 1 })
    await a.client.subscribeAsync(filters.slice(8), { qos: 1 })
    await a.client.unsubscribeAsync(filters)
    await eventually('four events', () => events('subscriptions').length === 4)
    expect(events('subscriptions').map(({ topics }) => topics.length)).toEqual([8, 1, 8, 1])
    const gone = closed(a.client)
    a.client.subscribe(filters, { qos: 1 })
    await gone
    expect(warnings).toContainEqual(expect.stringContaining('subscribed to 9 filters at once, wanted at most 8'))
  })

  test('a second connection of the client id ends the first', async () => {
    const first = await join('a')
    const gone = closed(first.client)
    await join('a')
    await gone
    expect(events('presence').map(({ eventType, versionNumber }) => [eventType, versionNumber])).toEqual([
      ['connected', 0],
      ['disconnected', 0],
      ['connected', 1],
    ])
    expect(events('disconnected')[0].disconnectReason).toBe('DUPLICATE_CLIENTID')
  })

  test('a lost socket publishes the will and says CONNECTION_LOST', async () => {
    const a = await join('a', { will: { topic: 'will/a', payload: Buffer.from('gone'), qos: 1, retain: false } })
    a.client.stream.destroy()
    await eventually('disconnected', () => events('disconnected').length === 1)
    expect(events('disconnected')[0]).toMatchObject({ disconnectReason: 'CONNECTION_LOST', clientInitiatedDisconnect: false })
    expect(publishes()).toMatchObject([{ topic: 'will/a', clientid: 'a' }])
  })

  test('silence longer than 1.5 keep-alives ends the connection', async () => {
    const a = await join('a', { keepalive: 1, reschedulePings: false })
    // The client's own pings would keep it alive.
    a.client.keepaliveManager?.destroy()
    await eventually('disconnected', () => events('disconnected').length === 1)
    expect(events('disconnected')[0].disconnectReason).toBe('MQTT_KEEP_ALIVE_TIMEOUT')
  })

  test.each([
    ['a reserved topic', '$aws/events/presence/connected/x', 'x'],
    ['nine levels', 'a/b/c/d/e/f/g/h/i', 'x'],
    ['257 bytes of topic', 'x'.repeat(257), 'x'],
    ['a payload over 128 KB', 'big', 'x'.repeat(128 * 1024 + 1)],
  ])('refuses %s: the connection is closed and no rule sees it', async (_, topic, payload) => {
    const a = await join('a')
    const gone = closed(a.client)
    a.client.publish(topic, payload, { qos: 1 })
    await gone
    expect(seen.filter(({ topic }) => !topic.endsWith('connected/a'))).toEqual([])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('client "a"')
  })

  test.each(['$SYS/#', 'a/b/c/d/e/f/g/h/i', '$queue/x'])('refuses the filter %s and reports no subscription', async (filter) => {
    const a = await join('a')
    await a.client.subscribeAsync(filter, { qos: 1 }).catch(() => undefined)
    await eventually('warning', () => warnings.length === 1)
    expect(events('subscribed')).toEqual([])
  })

  test('refuses a client id of 129 bytes', async () => {
    await expect(join('x'.repeat(129))).rejects.toThrow()
  })

  test('client ids with # or + emit no events, and the local run says so', async () => {
    await join('a+b')
    expect(seen).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('client "a+b": IoT Core tells of no client id with # or +')])
  })

  test('subscribers of $aws/events see lifecycle events; # does not', async () => {
    const a = await join('a')
    await a.client.subscribeAsync(['$aws/events/presence/#', '#'], { qos: 1 })
    await join('b')
    await eventually('event', () => a.received.length > 0)
    expect(a.received.map(({ topic }) => topic)).toEqual(['$aws/events/presence/connected/b'])
  })
})

test('refuses more than 100 unacknowledged publishes of an MQTT 5 client, as the CONNACK said', async () => {
  const { client } = await connect(broker.url, 'a', { protocolVersion: 5 })
  for (let i = 0; i < 1000; i++) backlog.added(1)
  const gone = closed(client)
  for (let i = 0; i < 150; i++) client.publish('t', `${i}`, { qos: 1 }, () => undefined)
  await gone
  expect(warnings).toContainEqual(
    expect.stringContaining('client "a" has more than 100 unacknowledged publishes under way: connection closed'),
  )
})

test('a publish that no rule takes is delivered, and the local run says once that it is not stored', async () => {
  const none = await Broker.start({
    host: '127.0.0.1',
    port: 0,
    backlog,
    onMessage: ({ topic }) => (topic.startsWith('$') ? 1 : 0),
    warn: (text) => void warnings.push(text),
  })
  try {
    const { client, received } = await connect(none.url, 'a')
    await client.subscribeAsync('t/+', { qos: 1 })
    await client.publishAsync('t/1', 'x', { qos: 1 })
    await client.publishAsync('t/2', 'x', { qos: 1 })
    await eventually('both', () => received.length === 2)
    expect(warnings).toEqual(['nothing is stored of a publish on "t/1": no topic filter of the conf takes it'])
  } finally {
    await none.close()
  }
})

test('refuses a publish at QoS 2', async () => {
  const a = await connect(broker.url, 'a')
  const gone = closed(a.client)
  a.client.publish('t', 'x', { qos: 2 })
  await gone
  expect(publishes()).toEqual([])
})

test('user properties pass, and trace ids grow within a millisecond', async () => {
  const a = await connect(broker.url, 'a', { protocolVersion: 5 })
  await a.client.subscribeAsync('t', { qos: 1 })
  const properties = { userProperties: { k: ['1', '2'], qos: '0' }, contentType: 'text/plain', payloadFormatIndicator: true }
  await Promise.all(Array.from({ length: 50 }, () => a.client.publishAsync('t', 'x', { qos: 1, properties })))
  await eventually('all', () => a.received.length === 50)
  expect(a.received[0]!.packet.properties).toMatchObject({ userProperties: { k: ['1', '2'], qos: '0' }, contentType: 'text/plain' })
  const user = [
    ['k', '1'],
    ['k', '2'],
    ['qos', '0'],
  ]
  expect(publishes()[0]).toMatchObject({ userProperties: user, contentType: 'text/plain', formatIndicator: 'UTF8_DATA' })
  const ids = publishes().map(({ traceid }) => traceid!)
  expect(ids).toEqual([...ids].sort())
  expect(new Set(ids.map((id) => id.slice(0, 13))).size).toBe(50)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('a PUBACK waits while the backlog is full, a direct message does not, and nothing is dropped', async () => {
  const a = await connect(broker.url, 'a')
  for (let i = 0; i < 1000; i++) backlog.added(1)
  const acked: string[] = []
  const sent = Array.from({ length: 300 }, (_, i) => a.client.publishAsync('t', `${i}`, { qos: 1 }).then(() => acked.push(`${i}`)))
  await pause(50)
  expect(acked).toEqual([])
  expect(await broker.clients.of('a')!.session!.direct(message('d'), 1000)).toBe('acked')
  // 1,000 accepted events are handled one by one; every publish takes a place
  const handled = setInterval(() => backlog.handled(1), 0)
  await Promise.all(sent).finally(() => clearInterval(handled))
  expect(publishes().map(({ payload }) => payload.toString())).toEqual(sent.map((_, i) => `${i}`))
})

test('a direct message reaches a client that never subscribed; without PUBACK it is unconfirmed', async () => {
  const a = await connect(broker.url, 'a')
  const { session } = broker.clients.of('a')!
  expect(await session!.direct(message('d/1'), 1000)).toBe('acked')
  expect(await session!.direct(message('d/2'), undefined)).toBe('sent')
  await eventually('both', () => a.received.length === 2)
  expect(a.received).toMatchObject([
    { topic: 'd/1', packet: { qos: 1 } },
    { topic: 'd/2', packet: { qos: 0 } },
  ])
  expect(publishes()).toEqual([])
  a.client.handleMessage = () => undefined // never acknowledges
  expect(await session!.direct(message('d/3'), 50)).toBe('unconfirmed')
})

const message = (topic: string) => ({ topic, payload: Buffer.from('x'), qos: 1 as const, retain: false, properties: {} })
