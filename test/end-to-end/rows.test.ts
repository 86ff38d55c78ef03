/** The six tables after what EMQX's page does, attribute for attribute and type for type: the page's and ours, and no other. */
import { endClients, eventually, pause } from '../support/mqtt-client.ts'
import { type Backend, startBackend, VERSIONS } from './backend.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(endClients)
afterAll(() => backend.close())

/** The expired_after of the default conf. Seconds. */
const THIRTY_DAYS = 30 * 86_400
const MSGID = { S: expect.stringMatching(/^[A-Za-z0-9]{47}$/) }
/** Seconds, as on the page; ours are milliseconds. */
const NOW_S = { N: expect.stringMatching(/^\d{10}$/) }
const NOW_MS = { N: expect.stringMatching(/^\d{13}$/) }
const UUID = { S: expect.stringMatching(/^[0-9a-f-]{36}$/) }

describe.each(VERSIONS)('MQTT protocol level %i', (protocolVersion) => {
  const name = (text: string) => `v${protocolVersion}-${text}`

  test('mqtt_client: online, then offline', async () => {
    const clientid = name('presence')
    const { client } = await backend.connect(clientid, { protocolVersion })
    await backend.idle()
    const ours = { session: UUID, version: { N: '0' }, event_at: NOW_MS, connected_at: NOW_MS, ip: { S: '127.0.0.1' } }
    const online = { clientid: { S: clientid }, node: { S: 'aws-iot@us-west-2' }, connect_state: { N: '1' }, online_at: NOW_S }
    const [row] = await backend.rows('mqtt_client', clientid)
    expect(row).toEqual({ ...online, offline_at: { N: '0' }, ...ours })
    await client.endAsync()
    await backend.idle()
    const reason = { S: 'CLIENT_INITIATED_DISCONNECT' }
    const offline = {
      ...online,
      online_at: row!.online_at,
      connect_state: { N: '0' },
      offline_at: NOW_S,
      ...ours,
      disconnect_reason: reason,
    }
    expect(await backend.rows('mqtt_client', clientid)).toEqual([offline])
  })

  test('mqtt_client: a lost connection is offline too, with its reason; the next connect starts the row anew', async () => {
    const clientid = name('lost')
    const { client } = await backend.connect(clientid, { protocolVersion })
    client.stream.destroy()
    await eventually('offline', async () => (await backend.rows('mqtt_client', clientid))[0]?.disconnect_reason?.S === 'CONNECTION_LOST')
    await backend.connect(clientid, { protocolVersion })
    await backend.idle()
    const [row] = await backend.rows('mqtt_client', clientid)
    expect(row).toMatchObject({ connect_state: { N: '1' }, offline_at: { N: '0' } })
    expect(row).not.toHaveProperty('disconnect_reason')
  })

  test('mqtt_msg and mqtt_topic_msg_map: a publish', async () => {
    const topic = name('test')
    const { client } = await backend.connect(name('sender'), { protocolVersion })
    await client.publishAsync(topic, '{ "msg": "Hello, World!" }', { qos: 1 })
    await backend.idle()
    const [message] = await backend.rows('mqtt_msg', topic)
    expect(message).toEqual({
      msgid: MSGID,
      topic: { S: topic },
      sender: { S: name('sender') },
      qos: { N: '1' },
      retain: { N: '0' },
      payload: { S: '{ "msg": "Hello, World!" }' },
      arrived: NOW_S,
      expires_at: { N: `${Number(message!.arrived!.N) + THIRTY_DAYS}` },
    })
    expect(await backend.rows('mqtt_topic_msg_map', topic)).toEqual([
      { topic: { S: topic }, MsgId: { SS: [message!.msgid!.S] }, seq: { N: '0' }, first: { N: '0' }, adds: { N: '1' }, live: { M: {} } },
    ])
  })

  test('mqtt_acked: the last message that the client acknowledged; the message is gone', async () => {
    const topic = name('acked')
    const { client } = await backend.connect(name('sender'), { protocolVersion })
    await client.publishAsync(topic, 'x', { qos: 1 })
    await backend.idle()
    const [message] = await backend.rows('mqtt_msg', topic)
    const reader = await backend.connect(name('reader'), { protocolVersion })
    await reader.client.subscribeAsync(topic, { qos: 1 })
    await eventually('gone', async () => (await backend.rows('mqtt_msg', topic)).length === 0)
    await backend.idle()
    const acked = { topic: { S: topic }, clientid: { S: name('reader') }, msgid: message!.msgid, acked_at: { N: expect.any(String) } }
    expect(await backend.rows('mqtt_acked', topic)).toEqual([acked])
    expect((await backend.rows('mqtt_topic_msg_map', topic))[0]).not.toHaveProperty('MsgId')
    await reader.client.unsubscribeAsync(topic)
    await backend.idle()
    expect(await backend.rows('mqtt_acked', topic)).toEqual([])
  })

  test('mqtt_retain: the last retained message of its topic, gone with an empty one', async () => {
    const topic = name('retained/testtopic')
    const { client } = await backend.connect(name('sender'), { protocolVersion })
    await client.publishAsync(topic, 'first', { qos: 1, retain: true })
    await backend.idle()
    await pause(2)
    await client.publishAsync(topic, 'test', { qos: 0, retain: true })
    await client.publishAsync(`${topic}/other`, 'not retained', { qos: 1 })
    await backend.idle()
    const page = { msgid: MSGID, topic: { S: topic }, sender: { S: name('sender') }, payload: { S: 'test' }, arrived: NOW_S }
    const written = { event_at: NOW_MS, event_id: { S: expect.stringMatching(/^[0-9a-f]{32}$/) } }
    const ours = { ...written, root: { S: name('retained') } }
    expect(await backend.rows('mqtt_retain', topic)).toEqual([{ ...page, qos: { N: '0' }, retain: { N: '1' }, ...ours }])
    await client.publishAsync(topic, '', { qos: 1, retain: true })
    await backend.idle()
    expect(await backend.rows('mqtt_retain', topic)).toEqual([])
  })

  test('mqtt_sub: a row of the client for each filter it subscribed, until it ends', async () => {
    const clientid = name('subscriber')
    const { client } = await backend.connect(clientid, { protocolVersion })
    await client.subscribeAsync({ [name('sub/1')]: { qos: 1 }, [name('sub/+/x')]: { qos: 0 } })
    await backend.idle()
    const ours = { origin: { S: 'client' }, session: UUID, since: NOW_MS }
    const rowOf = (topic: string) => ({ clientid: { S: clientid }, topic: { S: name(topic) }, qos: { N: '1' }, ...ours })
    const rows = await backend.rows('mqtt_sub', clientid)
    expect(rows).toHaveLength(2)
    expect(rows).toEqual(expect.arrayContaining([{ ...rowOf('sub/1'), granted: { N: '1' } }, rowOf('sub/+/x')]))
    await client.unsubscribeAsync(name('sub/1'))
    await backend.idle()
    expect(await backend.rows('mqtt_sub', clientid)).toEqual([rowOf('sub/+/x')])
    await client.endAsync()
    await backend.idle()
    expect(await backend.rows('mqtt_sub', clientid)).toEqual([])
  })
})

test("an operator's row of mqtt_sub stays as it is, whatever its client does", async () => {
  const row = { clientid: { S: 'test-dynamo' }, topic: { S: 'test-dynamo-sub' }, qos: { N: '2' } }
  await backend.put('mqtt_sub', row)
  const { client } = await backend.connect('test-dynamo')
  await client.subscribeAsync('test-dynamo-sub', { qos: 1 })
  await client.unsubscribeAsync('test-dynamo-sub')
  await backend.idle()
  await client.endAsync()
  await backend.idle()
  expect(await backend.rows('mqtt_sub', 'test-dynamo')).toEqual([row])
  expect(await backend.deadLetters()).toEqual({})
})
