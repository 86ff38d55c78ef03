/**
 * What a conf says is what runs: hooks that are missing, narrow filters that overlap, our additions, and the page's own file.
 *
 * @seconds 20
 */
import { endClients, eventually, pause } from '../support/mqtt-client.ts'
import { type Backend, confOf, startBackend, texts } from './backend.ts'

let backend: Backend
afterEach(async () => {
  await endClients()
  await backend.idle()
  expect(await backend.deadLetters()).toEqual({})
  await backend.close()
})

const start = async (confText: string) => {
  backend = await startBackend({ confText })
}
const action = (name: string, more = '') => `{${more}"action": {"function": "${name}"}, "pool": "pool1"}`
const on = (topic: string, name: string, more = '') => action(name, `"topic": "${topic}", ${more}`)

async function publish(topic: string, ...payloads: string[]): Promise<void> {
  const { client } = await backend.connect('sender')
  for (const payload of payloads) await client.publishAsync(topic, payload, { qos: 1 })
  await backend.idle()
}

async function subscribed(topic: string, clientid = 'reader') {
  const reader = await backend.connect(clientid)
  await reader.client.subscribeAsync(topic, { qos: 1 })
  await pause(200)
  await backend.idle()
  return reader
}

const storedOn = async () => (await backend.rows('mqtt_msg')).map(({ topic }) => topic!.S).sort()
const queuesNamed = async () => (await backend.queues()).map(({ name }) => name.replace(/Queue.*/, '')).sort()

test('hooks that are not in the conf make no queue and write no row', async () => {
  await start(confOf(['client.connected', action('on_client_connected')]))
  expect(await queuesNamed()).toEqual(['ClientConnected'])
  await publish('t', 'x')
  const { client } = await subscribed('t')
  await client.endAsync()
  await backend.idle()
  for (const table of ['mqtt_sub', 'mqtt_msg', 'mqtt_topic_msg_map', 'mqtt_retain', 'mqtt_acked'])
    expect(await backend.rows(table)).toEqual([])
  expect((await backend.rows('mqtt_client')).map(({ connect_state }) => connect_state!.N)).toEqual(['1', '1'])
})

test('one publish is one event and one message, whatever rows overlap on its topic', async () => {
  await start(
    confOf(
      ['message.publish', on('a/#', 'on_message_publish')],
      ['message.publish', on('a/+/c', 'on_message_publish')],
      ['message.publish', on('+/b/#', 'on_message_store')],
      ['message.publish', on('a/b/c', 'on_message_retain', '"retain": "topic", ')],
      ['message.publish', on('a', 'on_message_publish')],
    ),
  )
  for (const topic of ['a', 'a/b', 'a/b/c', 'x/b', 'x/c', 'b/a']) await publish(topic, topic)
  // x/b is history, on no queue; x/c and b/a are nobody's.
  expect(await storedOn()).toEqual(['a', 'a/b', 'a/b/c', 'x/b'])
  const queued = await backend.rows('mqtt_topic_msg_map')
  expect(queued.map(({ topic, MsgId }) => [topic!.S, MsgId?.SS?.length]).sort()).toEqual([
    ['a', 1],
    ['a/b', 1],
    ['a/b/c', 1],
  ])
  const [message] = await backend.rows('mqtt_msg', 'a/b/c')
  const [retained] = await backend.rows('mqtt_retain')
  expect(retained).toMatchObject({ msgid: message!.msgid, topic: { S: 'a/b/c' } })
})

const QUEUE = [
  ['client.connected', action('on_client_connected')],
  ['client.disconnected', action('on_client_disconnected')],
  ['message.publish', on('#', 'on_message_publish')],
  ['session.unsubscribed', on('#', 'on_acked_delete')],
] as const
const FETCH = ['session.subscribed', on('#', 'on_message_fetch_for_queue')] as const
const ACK = ['message.acked', on('#', 'on_message_acked_for_queue')] as const

test('with on_message_store a message is delivered and acknowledged once, and kept as history', async () => {
  await start(confOf(...QUEUE, FETCH, ACK, ['message.publish', on('kept/#', 'on_message_store')]))
  await publish('kept/1', 'a', 'b')
  await publish('gone/1', 'c')
  const reader = await subscribed('kept/1')
  await subscribed('gone/1', 'other')
  expect(texts(reader)).toEqual(['a', 'b'])
  expect(await storedOn()).toEqual(['kept/1', 'kept/1'])
  expect((await backend.rows('mqtt_topic_msg_map', 'kept/1'))[0]).not.toHaveProperty('MsgId')
  expect(texts(await subscribed('kept/1', 'next'))).toEqual([])
})

test('without a message.acked row nothing is ever taken off a queue, as in EMQX', async () => {
  await start(confOf(...QUEUE, FETCH))
  await publish('t', 'a', 'b')
  expect(texts(await subscribed('t'))).toEqual(['a', 'b'])
  expect(texts(await subscribed('t', 'next'))).toEqual(['a', 'b'])
  expect(await storedOn()).toEqual(['t', 't'])
  expect(await backend.rows('mqtt_acked')).toEqual([])
})

test('offline_opts: the oldest max_returned_count, the rest at the next SUBSCRIBE', async () => {
  const row = on('#', 'on_message_fetch_for_queue', '"offline_opts": {"max_returned_count": 3, "time_range": "2h"}, ')
  await start(confOf(...QUEUE, ['session.subscribed', row], ACK))
  await publish('t', '1', '2', '3', '4', '5')
  const first = await subscribed('t')
  expect(texts(first)).toEqual(['1', '2', '3'])
  await first.client.endAsync()
  await backend.idle()
  expect(texts(await subscribed('t', 'next'))).toEqual(['4', '5'])
})

test('offline_opts: time_range leaves older messages where they are; expired_after removes them', async () => {
  const row = on('range/#', 'on_message_fetch_for_queue', '"offline_opts": {"time_range": "1s"}, ')
  const conf = confOf(...QUEUE, ['session.subscribed', row], ['session.subscribed', on('all/#', 'on_message_fetch_for_queue')], ACK)
  await start(`${conf}\nbackend.dynamo.msg.expired_after = 2s\n`)
  for (const topic of ['range/1', 'all/1']) await publish(topic, 'old')
  const [message] = await backend.rows('mqtt_msg', 'all/1')
  expect(Number(message!.expires_at!.N) - Number(message!.arrived!.N)).toBe(2)
  await pause(1100)
  for (const topic of ['range/1']) await publish(topic, 'new')
  expect(texts(await subscribed('range/1'))).toEqual(['new'])
  await pause(2000)
  await publish('all/1', 'fresh')
  expect(texts(await subscribed('all/1', 'other'))).toEqual(['fresh'])
  await eventually('the expired one is gone', async () => (await backend.rows('mqtt_msg', 'all/1')).length === 0)
  expect((await backend.rows('mqtt_topic_msg_map', 'all/1'))[0]).not.toHaveProperty('MsgId')
})

test('"qos" of a row is the QoS of messages that say none: with 0 they are on no queue', async () => {
  await start(
    confOf(
      ['message.publish', on('zero/#', 'on_message_publish', '"qos": 0, ')],
      ['message.publish', on('two/#', 'on_message_publish', '"qos": 2, ')],
    ),
  )
  await publish('zero/1', 'x')
  await publish('two/1', 'x')
  expect(await backend.rows('mqtt_msg')).toMatchObject([{ topic: { S: 'two/1' }, qos: { N: '2' } }])
})

/** EMQX's documentation, "DynamoDB message storage", with keys as people have them in such files. */
const PAGE = `## DynamoDB Region
backend.dynamo.region = us-west-2

## DynamoDB Server
backend.dynamo.pool1.server = http://localhost:8000

## DynamoDB Pool Size
backend.dynamo.pool1.pool_size = 8

## AWS ACCESS KEY ID
backend.dynamo.pool1.aws_access_key_id = not-for-anyone-id

## AWS SECRET ACCESS KEY
backend.dynamo.pool1.aws_secret_access_key = not-for-anyone-secret

## DynamoDB Backend Hooks
backend.dynamo.hook.client.connected.1    = {"action": {"function": "on_client_connected"}, "pool": "pool1"}
backend.dynamo.hook.session.created.1     = {"action": {"function": "on_subscribe_lookup"}, "pool": "pool1"}
backend.dynamo.hook.client.disconnected.1 = {"action": {"function": "on_client_disconnected"}, "pool": "pool1"}
backend.dynamo.hook.session.subscribed.1  = {"topic": "#", "action": {"function": "on_message_fetch_for_queue"}, "pool": "pool1"}
backend.dynamo.hook.session.subscribed.2  = {"topic": "#", "action": {"function": "on_retain_lookup"}, "pool": "pool1"}
backend.dynamo.hook.session.unsubscribed.1= {"topic": "#", "action": {"function": "on_acked_delete"}, "pool": "pool1"}
backend.dynamo.hook.message.publish.1     = {"topic": "#", "action": {"function": "on_message_publish"}, "pool": "pool1"}
backend.dynamo.hook.message.publish.2     = {"topic": "#", "action": {"function": "on_message_retain"}, "pool": "pool1"}
backend.dynamo.hook.message.publish.3     = {"topic": "#", "action": {"function": "on_retain_delete"}, "pool": "pool1"}
backend.dynamo.hook.message.acked.1       = {"topic": "#", "action": {"function": "on_message_acked_for_queue"}, "pool": "pool1"}

# backend.dynamo.hook.message.publish.4   = {"topic": "#", "action": {"function": "on_message_store"}, "pool": "pool1"}
`

test("the page's own conf runs as it stands; its keys are named in warnings, and their values said nowhere", async () => {
  await start(PAGE)
  expect(await queuesNamed()).toHaveLength(7)
  await publish('t', 'x')
  expect(texts(await subscribed('t'))).toEqual(['x'])
  expect(backend.said.filter((line) => line.includes('aws_secret_access_key'))).toHaveLength(1)
  const tables = await Promise.all(
    ['mqtt_client', 'mqtt_sub', 'mqtt_msg', 'mqtt_topic_msg_map', 'mqtt_acked'].map((table) => backend.rows(table)),
  )
  for (const output of [backend.said, await backend.queues(), tables]) expect(JSON.stringify(output)).not.toContain('not-for-anyone')
})
