/** Lifecycle events as the service may send them: out of order, twice, late, and wrong; injected over HTTP. */
import { endClients, eventually, pause } from '../support/mqtt-client.ts'
import { permutations } from '../support/orders.ts'
import { type Backend, startBackend, texts } from './backend.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(endClients)
afterAll(() => backend.close())

const NOW = Date.now()
const SESSIONS = ['6f8a1c9e-0000-4000-8000-000000000001', '6f8a1c9e-0000-4000-8000-000000000002']

const connected = (clientId: string, n = 0, seconds = n * 20) => ({
  topic: `$aws/events/presence/connected/${clientId}`,
  body: {
    clientId,
    timestamp: NOW + seconds * 1000,
    eventType: 'connected',
    sessionIdentifier: SESSIONS[n],
    principalIdentifier: 'p',
    ipAddress: '10.0.0.1',
    versionNumber: n,
  },
})
const disconnected = (clientId: string, n = 0, seconds = n * 20 + 10) => ({
  topic: `$aws/events/presence/disconnected/${clientId}`,
  body: {
    clientId,
    timestamp: NOW + seconds * 1000,
    eventType: 'disconnected',
    sessionIdentifier: SESSIONS[n],
    principalIdentifier: 'p',
    clientInitiatedDisconnect: true,
    disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
    versionNumber: n,
  },
})
const subscription = (
  kind: 'subscribed' | 'unsubscribed',
  clientId: string,
  topics: string[],
  { session = SESSIONS[0], at = NOW + 5000 } = {},
) => ({
  topic: `$aws/events/subscriptions/${kind}/${clientId}`,
  body: { clientId, timestamp: at, eventType: kind, sessionIdentifier: session, principalIdentifier: 'p', topics },
})

async function send(...events: readonly { topic: string; body: unknown }[]): Promise<void> {
  for (const { topic, body } of events) {
    const response = await backend.event(topic, body)
    expect(response.status).toBe(200)
  }
  await backend.idle()
}

const stateOf = async (clientid: string) => (await backend.rows('mqtt_client', clientid)).map((row) => row.connect_state!.N)[0]

test('I6: two connections of a client in every order, each event twice, end as the last one says', async () => {
  const all = permutations([0, 1, 2, 3])
  await Promise.all(
    all.map(async (order, i) => {
      const clientid = `order/${i}/`
      // The second connection is still open in half of the cases.
      const events = [connected(clientid), disconnected(clientid), connected(clientid, 1), ...(i % 2 ? [disconnected(clientid, 1)] : [])]
      for (const n of [...order, ...order]) if (events[n]) await send(events[n]!)
    }),
  )
  const wrong = []
  for (const [i, order] of all.entries()) {
    const [row] = await backend.rows('mqtt_client', `order/${i}/`)
    const expected = { connect_state: i % 2 ? '0' : '1', session: SESSIONS[1] }
    const got = { connect_state: row?.connect_state?.N, session: row?.session?.S }
    if (JSON.stringify(got) !== JSON.stringify(expected)) wrong.push({ order, got })
  }
  expect(wrong).toEqual([])
})

test('I6: a late disconnect of an old connection does not take the client offline', async () => {
  await send(connected('late', 0), connected('late', 1), disconnected('late', 0, 25))
  expect(await stateOf('late')).toBe('1')
})

test('I6: a client whose version number started over is online again', async () => {
  await send(connected('reset', 1, -7200), disconnected('reset', 1, -7000), connected('reset', 0, 0))
  expect(await stateOf('reset')).toBe('1')
  expect((await backend.rows('mqtt_client', 'reset'))[0]).toMatchObject({ version: { N: '0' } })
})

test('a late disconnect leaves a newer connection subscribed: its queue is still delivered, and its rows stay', async () => {
  const clientid = 'half-open'
  const before = await backend.connect(clientid)
  await before.client.subscribeAsync('half-open/t', { qos: 1 })
  await backend.idle()
  const [old] = await backend.rows('mqtt_sub', clientid)
  const now = await backend.connect(clientid)
  await now.client.subscribeAsync('half-open/t', { qos: 1 })
  await backend.idle()
  const [row] = await backend.rows('mqtt_sub', clientid)
  expect(row!.session).not.toEqual(old!.session)
  const late = disconnected(clientid)
  await send({ ...late, body: { ...late.body, sessionIdentifier: old!.session!.S, timestamp: Date.now() } })
  expect(await stateOf(clientid)).toBe('1')
  expect(await backend.rows('mqtt_sub', clientid)).toEqual([row])
  const [map] = await backend.rows('mqtt_topic_msg_map', 'half-open/t')
  expect(map!.live!.M).toHaveProperty(clientid)
})

test('a stale subscribed event makes nobody live: its message waits', async () => {
  const { client } = await backend.connect('stale-sender')
  await send(connected('stale', 0), disconnected('stale', 0), subscription('subscribed', 'stale', ['stale/t']))
  await client.publishAsync('stale/t', 'x', { qos: 1 })
  await backend.idle()
  expect(await backend.rows('mqtt_sub', 'stale')).toEqual([])
  const [row] = await backend.rows('mqtt_topic_msg_map', 'stale/t')
  expect(row).toMatchObject({ MsgId: { SS: [expect.any(String)] }, live: { M: {} } })
  const reader = await backend.connect('stale-reader')
  await reader.client.subscribeAsync('stale/t', { qos: 1 })
  await eventually('the message', () => texts(reader).includes('x'))
})

test('a subscribed event that its unsubscribed event has overtaken leaves no trace', async () => {
  await send(
    connected('overtaken', 0),
    subscription('unsubscribed', 'overtaken', ['overtaken/t'], { at: NOW + 6000 }),
    subscription('subscribed', 'overtaken', ['overtaken/t'], { at: NOW + 5000 }),
  )
  expect(await backend.rows('mqtt_sub', 'overtaken')).toEqual([])
  for (const row of await backend.rows('mqtt_topic_msg_map', 'overtaken/t')) expect(row.live?.M ?? {}).toEqual({})
})

test('I1: an event without clientId is a dead letter that can be seen; its neighbours are handled', async () => {
  const { clientId: _, ...anonymous } = connected('nobody').body
  await send(connected('neighbour-1'), { topic: '$aws/events/presence/connected/nobody', body: anonymous }, connected('neighbour-2'))
  expect([await stateOf('neighbour-1'), await stateOf('neighbour-2')]).toEqual(['1', '1'])
  const broken = (await backend.queues()).filter(({ deadLetters }) => deadLetters.length > 0)
  expect(broken.map(({ name }) => name.replace(/Queue.*/, '')).sort()).toEqual(['ClientConnected', 'SessionCreated'])
  for (const { deadLetters } of broken)
    expect(deadLetters).toEqual([expect.objectContaining({ reason: 'reported by the function', receives: expect.any(Number) })])
  expect(backend.said.join('\n')).toMatch(/clientId/)
})

test.each([
  ['a topic that is not of the events', '$aws/things/x', {}, 400],
  ['no topic', '', {}, 400],
  ['a wildcard', '$aws/events/#', {}, 400],
  ['a body that is no object', '$aws/events/presence/connected/x', [], 400],
  ['a body that is no JSON', '$aws/events/presence/connected/x', undefined, 400],
])('refuses to inject %s', async (_, topic, body, status) => {
  const response = await backend.event(topic, body)
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({ message: expect.stringMatching(/wanted/) })
})

test('says how many rules an event matched', async () => {
  expect(await (await backend.event('$aws/events/presence/connected/m', connected('m').body)).json()).toEqual({ matched: 2 })
  expect(await (await backend.event('$aws/events/jobs/x', {})).json()).toEqual({ matched: 0 })
  await pause(50)
  await backend.idle()
})
