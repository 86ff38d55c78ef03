/** Dead letters and rule errors come back: the real backend, the real command, real faults that end. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { CreateTableCommand, DeleteTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ChangeMessageVisibilityBatchCommand, ListQueuesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { startEmbedded } from '../../local/dynamodb/embedded.ts'
import type { DynamoDbEngine } from '../../local/dynamodb/engine.ts'
import { clientFor } from '../support/engines.ts'
import { endClients, eventually } from '../support/mqtt-client.ts'
import { ended, killPrograms, startMqttDynamodb } from '../support/run-program.ts'
import { type Backend, startBackend, texts } from './backend.ts'

let backend: Backend
let sqs: SQSClient

async function start(options: Parameters<typeof startBackend>[0]) {
  backend = await startBackend(options)
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  sqs = new SQSClient({ endpoint: backend.dataUrl, region: 'us-west-2', credentials })
}
async function end() {
  await backend.close()
  sqs.destroy()
}
afterEach(async () => {
  await endClients()
  killPrograms()
})

const startRedrive = (...args: string[]) => startMqttDynamodb(['dead-letters', 'redrive', ...args])
const redrive = async (...args: string[]) => {
  const { status, out, err } = await ended(startRedrive('--endpoint', backend.dataUrl, '--json', ...args))
  if (err !== '') throw new Error(err)
  await backend.idle()
  return { status, ...(JSON.parse(out) as { redriven: number; stays: number; queues: { name: string; stays: object[] }[] }) }
}
const stored = async (topic: string) => (await backend.rows('mqtt_msg', topic)).map((row) => row.payload!.S).sort()
const ruleErrors = async () =>
  ((await (await fetch(`${backend.dataUrl}/local/queues`)).json()) as { ruleErrors: unknown[] }).ruleErrors.length

describe('when no rule can send to its queue', () => {
  beforeAll(() => start({ misbehaviour: { failAction: 1 } }))
  afterAll(end)

  test('I1, I4, I6: every event is a rule error; redriven, it has happened exactly once, also when redriven again', async () => {
    const sender = await backend.connect('sender')
    for (const payload of ['1', '2', '3']) await sender.client.publishAsync('t/1', payload, { qos: 1 })
    const reader = await backend.connect('reader')
    await reader.client.subscribeAsync('t/1', { qos: 1 })
    // Two rules for each of two connects, three publishes, one subscription.
    await eventually('eight rule errors', async () => (await ruleErrors()) === 8)
    await backend.idle()
    expect([await stored('t/1'), await backend.rows('mqtt_client')]).toEqual([[], []])

    expect(await redrive()).toMatchObject({ status: 0, redriven: 8, stays: 0 })
    await eventually('the reader has them all', () => texts(reader).length === 3)
    await eventually('acknowledged', async () => (await stored('t/1')).length === 0)
    expect(new Set(texts(reader))).toEqual(new Set(['1', '2', '3']))
    const states = (await backend.rows('mqtt_client')).map((row) => [row.clientid!.S, row.connect_state!.N])
    expect(states.sort()).toEqual([
      ['reader', '1'],
      ['sender', '1'],
    ])
    expect(await redrive()).toMatchObject({ status: 0, redriven: 0, stays: 0 })
    expect([await ruleErrors(), await backend.deadLetters(), texts(reader).length]).toEqual([0, {}, 3])
  })

  test('I1, I4: the redrive is killed between send and delete; another ends with each publish stored once', async () => {
    const sender = await backend.connect('sender')
    for (const payload of ['1', '2', '3']) await sender.client.publishAsync('t/2', payload, { qos: 1 })
    await eventually('five rule errors', async () => (await ruleErrors()) >= 5)
    const deletes = await killedAtDelete()
    await backend.idle()
    expect(await stored('t/2')).toEqual(['1', '2', '3'])
    const all = await ruleErrors()
    expect(all).toBeGreaterThanOrEqual(5)
    await showAgain(deletes)
    expect(await redrive()).toMatchObject({ status: 0, redriven: all })
    expect(await stored('t/2')).toEqual(['1', '2', '3'])
    const [head] = await backend.rows('mqtt_topic_msg_map', 't/2')
    expect(head!.MsgId!.SS).toHaveLength(3)
  })
})

/** A request of the redrive to delete what it has sent. */
interface Delete {
  readonly QueueUrl: string
  readonly Entries: readonly { readonly Id: string; readonly ReceiptHandle: string }[]
}

/** A redrive through a proxy that kills it when it wants to delete, and lets nothing of that through. */
async function killedAtDelete(): Promise<Delete[]> {
  const deletes: Delete[] = []
  const proxy = createServer(async (request, response) => {
    const body = await bodyOf(request)
    if (`${request.headers['x-amz-target']}`.includes('DeleteMessage')) {
      deletes.push(JSON.parse(body))
      redriving.child.kill('SIGKILL')
      return
    }
    const { host: _, ...headers } = request.headers as Record<string, string>
    const answer = await fetch(backend.dataUrl, { method: 'POST', headers, body })
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(await answer.text())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`
  const redriving = startRedrive('--endpoint', endpoint)
  expect(await ended(redriving)).toMatchObject({ status: null, out: '' })
  await closed(proxy)
  return deletes
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

/** What the killed redrive still hides, two minutes earlier. */
async function showAgain(deletes: readonly Delete[]): Promise<void> {
  expect(deletes).not.toEqual([])
  for (const { QueueUrl, Entries } of deletes) {
    const shown = Entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }))
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: shown }))
  }
}

describe('when a table is gone for a while', () => {
  let engine: DynamoDbEngine
  let dynamodb: DynamoDBClient
  beforeAll(async () => {
    engine = await startEmbedded({ host: '127.0.0.1', port: 0 })
    dynamodb = clientFor(engine.url)
    await start({ dynamodb: engine.url, retryAfterMs: 5 })
  })
  afterAll(async () => {
    await end()
    dynamodb.destroy()
    await engine.close()
  })

  test('I1, I8: publishes are dead letters until it is back; redriven they are stored once, and a poison event stays and says why', async () => {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: 'mqtt_msg' }))
    await dynamodb.send(new DeleteTableCommand({ TableName: 'mqtt_msg' }))
    const sender = await backend.connect('sender')
    for (const payload of ['1', '2', '3']) await sender.client.publishAsync('t/1', payload, { qos: 1 })
    await poison()
    await backend.idle()
    expect(await backend.deadLetters()).toEqual({ MessagePublishQueueEvents: 4 })

    const { AttributeDefinitions, KeySchema } = Table!
    await dynamodb.send(new CreateTableCommand({ TableName: 'mqtt_msg', AttributeDefinitions, KeySchema, BillingMode: 'PAY_PER_REQUEST' }))
    const report = await redrive()
    expect(report).toMatchObject({ status: 1, redriven: 3, stays: 1 })
    expect(report.queues.find(({ name }) => name === 'message.publish')!.stays).toMatchObject([
      { code: 'bad-event', why: 'bad event: payload is a number, wanted base64 or nothing' },
    ])
    expect(await stored('t/1')).toEqual(['1', '2', '3'])
    expect(await backend.deadLetters()).toEqual({ MessagePublishQueueEvents: 1 })
  })

  async function poison(): Promise<void> {
    const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'MqttBackend-MessagePublishQueueEvents' }))
    const event = { topic: 't/1', clientid: 'c', timestamp: 1, uuid: '7e146a2c-95b5-6caf-98b9-50e3969734c7', payload: 1 }
    await sqs.send(new SendMessageCommand({ QueueUrl: QueueUrls![0], MessageBody: JSON.stringify(event) }))
  }
})
