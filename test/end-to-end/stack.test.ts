/** The whole backend in this process, as `npm start` runs it: real clients, the deployed handlers, DynamoDB. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { type LocalStack, type LocalStackOptions, startLocalStack } from '../../local/stack.ts'
import { type Assembly, synthesize } from '../../local/template/assembly.ts'
import { connect, endClients, eventually } from '../support/mqtt-client.ts'

let assembly: Assembly
let stack: LocalStack
let dynamodb: DynamoDBClient

beforeAll(async () => {
  assembly = await synthesize({}, () => undefined)
})
afterAll(() => assembly.remove())

async function start(options: LocalStackOptions = {}): Promise<void> {
  stack = await startLocalStack({ assembly: assembly.directory, ...options })
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  dynamodb = new DynamoDBClient({ endpoint: stack.dynamodbUrl, region: 'us-west-2', credentials })
}
afterEach(async () => {
  await endClients()
  await stack.close()
  dynamodb.destroy()
})

const silent = () => undefined
const rows = async (TableName: string) => (await dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true }))).Items ?? []

test('I1, I2: a message waits for its subscriber, and is gone when acknowledged', async () => {
  await start()
  const sender = await connect(stack.mqttUrl, 'sender')
  for (const text of ['1', '2', '3']) await sender.client.publishAsync('t/1', text, { qos: 1 })
  await stack.idle()
  expect(await rows('mqtt_msg')).toHaveLength(3)
  const reader = await connect(stack.mqttUrl, 'reader')
  await reader.client.subscribeAsync('t/1', { qos: 1 })
  await eventually('three messages', () => reader.received.length === 3, 15_000)
  expect(reader.received.map(({ text }) => text)).toEqual(['1', '2', '3'])
  await stack.idle()
  expect(await rows('mqtt_msg')).toEqual([])
  expect(await rows('mqtt_acked')).toMatchObject([{ topic: { S: 't/1' }, clientid: { S: 'reader' } }])
  expect(stack.deadLetters()).toEqual({})
})

test('I6: presence ends as the last event says, with every event duplicated and reordered', async () => {
  await start({ misbehaviour: { duplicate: 1, reorder: 0.5 }, seed: 7 })
  for (let i = 0; i < 3; i++) {
    const client = await connect(stack.mqttUrl, 'a')
    await client.client.endAsync()
  }
  await connect(stack.mqttUrl, 'b')
  await stack.idle()
  const states = (await rows('mqtt_client')).map((row) => [row.clientid!.S, row.connect_state!.N])
  expect(states.sort()).toEqual([
    ['a', '0'],
    ['b', '1'],
  ])
  expect(stack.deadLetters()).toEqual({})
})

test('I1: a handler killed in the middle loses nothing', async () => {
  await start({ retryAfterMs: 50, log: silent })
  const sender = await connect(stack.mqttUrl, 'sender')
  await sender.client.publishAsync('t/0', 'warm', { qos: 1 })
  await stack.idle()
  const sent = Array.from({ length: 100 }, (_, i) => sender.client.publishAsync('t/1', `${i}`, { qos: 1 }))
  const publish = stack.functions.find(({ name }) => name.startsWith('MessagePublish'))!
  await Promise.all(sent)
  for (let i = 0; i < 3; i++) {
    await publish.kill()
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
  await stack.idle()
  expect(stack.deadLetters()).toEqual({})
  expect(new Set((await rows('mqtt_msg')).map((row) => row.payload!.S)).size).toBe(101)
})

test('a data directory keeps tables and retained messages', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'stack-'))
  try {
    await start({ dataDir })
    const sender = await connect(stack.mqttUrl, 'sender')
    await sender.client.publishAsync('r/1', 'kept', { qos: 1, retain: true })
    await stack.idle()
    await endClients()
    await stack.close()
    await start({ dataDir })
    const reader = await connect(stack.mqttUrl, 'reader')
    await reader.client.subscribeAsync('r/1', { qos: 1 })
    await eventually('retained message', () => reader.received.some(({ packet }) => packet.retain))
    expect(await rows('mqtt_retain')).toMatchObject([{ topic: { S: 'r/1' }, payload: { S: 'kept' } }])
  } finally {
    await stack.close()
    rmSync(dataDir, { recursive: true })
  }
})

test('I1: a database that refuses a fifth of all requests delays, and loses nothing', async () => {
  await start({ misbehaviour: { throttle: 0.2 }, seed: 3, retryAfterMs: 50, log: silent })
  const sender = await connect(stack.mqttUrl, 'sender')
  for (let i = 0; i < 20; i++) await sender.client.publishAsync(`t/${i}`, 'x', { qos: 1 })
  await stack.idle()
  expect(stack.deadLetters()).toEqual({})
  expect(new Set((await rows('mqtt_msg')).map((row) => row.topic!.S)).size).toBe(20)
  expect(await rows('mqtt_topic_msg_map')).toHaveLength(20)
})

test('I3: a message whose PUBACK is not heard is not acked, and comes again', async () => {
  await start({ misbehaviour: { dropPuback: 1 }, retryAfterMs: 50, log: silent })
  const sender = await connect(stack.mqttUrl, 'sender')
  await sender.client.publishAsync('t/1', 'x', { qos: 1 })
  await stack.idle()
  const reader = await connect(stack.mqttUrl, 'reader')
  await reader.client.subscribeAsync('t/1', { qos: 1 })
  await eventually('a second delivery', () => reader.received.length > 1, 20_000)
  expect(await rows('mqtt_msg')).toHaveLength(1)
  expect(await rows('mqtt_acked')).toEqual([])
})
