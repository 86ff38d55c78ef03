import {
  DeleteConnectionCommand,
  GetConnectionCommand,
  GetRetainedMessageCommand,
  IoTDataPlaneClient,
  ListRetainedMessagesCommand,
  ListSubscriptionsCommand,
  PublishCommand,
  SendDirectMessageCommand,
} from '@aws-sdk/client-iot-data-plane'
import { type DataPlane, startDataPlane } from '../../../local/data-plane/data-plane.ts'
import { DataPlaneOperations } from '../../../local/data-plane/data-plane-operations.ts'
import { LocalOperations } from '../../../local/data-plane/local-operations.ts'
import { Backlog } from '../../../local/mqtt/backlog.ts'
import { Broker } from '../../../local/mqtt/broker.ts'
import type { RuleMessage } from '../../../local/rules/rule-message.ts'
import { Queue } from '../../../local/sqs/queue.ts'
import { SqsOperations } from '../../../local/sqs/sqs-operations.ts'
import { connect, endClients, eventually } from '../../support/mqtt-client.ts'

const FUNCTION = { name: 'Publish', running: 3, kill: async () => 3 }

let broker: Broker
let dataPlane: DataPlane
let iot: IoTDataPlaneClient
let queue: Queue
let errors: Queue
let seen: RuleMessage[]
let hears: boolean

beforeEach(async () => {
  seen = []
  hears = true
  const warn = (text: string) => {
    throw new Error(text)
  }
  const hearsPuback = () => hears
  const backlog = new Backlog(1000)
  broker = await Broker.start({ host: '127.0.0.1', port: 0, backlog, onMessage: (one) => seen.push(one), warn, hearsPuback })
  const queueOf = (name: string) => ({ name, arn: `arn:aws:sqs:us-west-2:000000000000:${name}`, retryAfterMs: 10 })
  errors = new Queue(queueOf('Errors'))
  queue = new Queue({ ...queueOf('PublishQueue'), redrivePolicy: { maxReceiveCount: 1, deadLetters: new Queue(queueOf('Dead')) } })
  const local = new LocalOperations({
    broker,
    queues: { hooks: [queue], ruleErrors: [errors] },
    functions: () => [FUNCTION],
    metrics: { report: () => ({ 'message.publish': METRICS }) },
    misbehaved: () => ({ delay: 2 }),
  })
  const sqs = new SqsOperations([queue, errors])
  dataPlane = await startDataPlane({ host: '127.0.0.1', port: 0, iot: new DataPlaneOperations(broker), local, sqs, warn })
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  iot = new IoTDataPlaneClient({ endpoint: dataPlane.url, region: 'us-west-2', credentials, maxAttempts: 1 })
})
afterEach(async () => {
  iot.destroy()
  await endClients()
  await dataPlane.close()
  await broker.close()
})

const publishes = () => seen.filter(({ topic }) => !topic.startsWith('$'))
const direct = (input: Partial<ConstructorParameters<typeof SendDirectMessageCommand>[0]> = {}) =>
  iot.send(new SendDirectMessageCommand({ clientId: 'dev/1', topic: 'cmd/a b', payload: Buffer.from([0, 255]), ...input }))
const user = [{ k: '1' }, { l: 'é' }, { k: '2' }]

const METRICS = { counts: { message_publish: 1 }, outcomes: {}, errors: {}, latencies: {} }

test('/local/functions, /local/metrics and /local/misbehaviour', async () => {
  const ask = async (path: string, method = 'GET') => (await fetch(`${dataPlane.url}/local/${path}`, { method })).json()
  expect(await ask('misbehaviour')).toEqual({ delay: 2 })
  expect(await ask('metrics')).toEqual({ hooks: { 'message.publish': METRICS } })
  expect(await ask('functions')).toEqual({ functions: [{ name: 'Publish', running: 3 }] })
  expect(await ask('functions/Publish/kill', 'POST')).toEqual({ interrupted: 3 })
  expect(await ask('functions/Nobody/kill', 'POST')).toEqual({ message: 'no function Nobody, wanted one of Publish' })
})

describe('SendDirectMessage', () => {
  test('with confirmation: QoS 1, MQTT 5 properties, no subscription needed, no rule sees it', async () => {
    const device = await connect(broker.url, 'dev/1', { protocolVersion: 5 })
    const properties = { contentType: 'x/y', responseTopic: 'r', correlationData: 'eHg=', payloadFormatIndicator: 'UTF8_DATA' } as const
    await direct({ confirmation: true, userProperties: JSON.stringify(user), ...properties })
    expect(device.received).toHaveLength(1)
    const { packet } = device.received[0]!
    expect(packet).toMatchObject({ topic: 'cmd/a b', qos: 1, retain: false, payload: Buffer.from([0, 255]) })
    expect(packet.properties).toMatchObject({
      userProperties: { k: ['1', '2'], l: 'é' },
      contentType: 'x/y',
      responseTopic: 'r',
      correlationData: Buffer.from('xx'),
      payloadFormatIndicator: true,
    })
    expect(publishes()).toEqual([])
  })

  test('without confirmation: QoS 0; a 3.1.1 client gets no user properties', async () => {
    const device = await connect(broker.url, 'dev/1')
    await direct({ userProperties: JSON.stringify(user) })
    await eventually('delivery', () => device.received.length === 1)
    expect(device.received[0]!.packet).toMatchObject({ qos: 0 })
    expect(device.received[0]!.packet.properties).toBeUndefined()
  })

  test('404 when not connected, and the text tells of a persistent session', async () => {
    await expect(direct()).rejects.toMatchObject({ name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 404 } })
    const device = await connect(broker.url, 'dev/1', { clean: false })
    await device.client.endAsync()
    await expect(direct()).rejects.toThrow('has an active persistent session')
  })

  test('504 at once when the PUBACK is dropped on purpose', async () => {
    const device = await connect(broker.url, 'dev/1')
    hears = false
    await expect(direct({ confirmation: true, timeout: 15 })).rejects.toMatchObject({ name: 'GatewayTimeoutException' })
    expect(device.received).toHaveLength(1)
    hears = true
    await direct({ confirmation: true, timeout: 1 })
  })

  test('504 when the PUBACK does not come in time', async () => {
    const device = await connect(broker.url, 'dev/1')
    device.client.handleMessage = () => undefined
    const started = Date.now()
    await expect(direct({ confirmation: true, timeout: 1 })).rejects.toMatchObject({
      name: 'GatewayTimeoutException',
      $metadata: { httpStatusCode: 504 },
    })
    expect(Date.now() - started).toBeGreaterThanOrEqual(990)
    expect(device.received).toHaveLength(1)
  })

  test('504 at once when the client goes while the PUBACK is awaited', async () => {
    const device = await connect(broker.url, 'dev/1')
    device.client.handleMessage = () => device.client.stream.destroy()
    await expect(direct({ confirmation: true, timeout: 15 })).rejects.toMatchObject({ name: 'GatewayTimeoutException' })
  })

  test.each([
    ['a $ topic', { topic: '$aws/x' }],
    ['a wildcard', { topic: 'a/+' }],
    ['nine levels', { topic: 'a/b/c/d/e/f/g/h/i' }],
    ['a client id that starts with $', { clientId: '$x' }],
    ['a timeout of 16 s', { confirmation: true, timeout: 16 }],
    ['user properties that are no array', { userProperties: '{"a":"1"}' }],
  ])('refuses %s with 400', async (_, input) => {
    await connect(broker.url, 'dev/1')
    await expect(direct(input)).rejects.toMatchObject({ name: 'InvalidRequestException', $metadata: { httpStatusCode: 400 } })
  })

  test('refuses more than 128 KB with 413', async () => {
    await connect(broker.url, 'dev/1')
    const answer = direct({ payload: Buffer.alloc(128 * 1024 + 1) })
    await expect(answer).rejects.toMatchObject({ name: 'RequestEntityTooLargeException', $metadata: { httpStatusCode: 413 } })
  })

  test('429 above 100 a second to one client', async () => {
    await connect(broker.url, 'dev/1')
    const answers = await Promise.allSettled(Array.from({ length: 200 }, () => direct()))
    const refused = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason.name)
    expect(refused.length).toBeGreaterThan(0)
    expect(new Set(refused)).toEqual(new Set(['ThrottlingException']))
    expect(200 - refused.length).toBeGreaterThanOrEqual(100)
  })
})

describe('connections', () => {
  test('GetConnection of a connected, a disconnected and an unknown client', async () => {
    const device = await connect(broker.url, 'dev/1', { keepalive: 33 })
    const connected = await iot.send(new GetConnectionCommand({ clientId: 'dev/1', includeSocketInformation: true }))
    expect(connected).toMatchObject({ connected: true, cleanSession: true, keepAliveDuration: 33, sessionExpiry: 0, sourceIp: '127.0.0.1' })
    expect(Math.abs(connected.connectedSince! - Date.now())).toBeLessThan(5000)
    await expect(iot.send(new GetConnectionCommand({ clientId: 'dev/1' }))).rejects.toMatchObject({ name: 'ThrottlingException' })
    await expect(iot.send(new GetConnectionCommand({ clientId: 'who' }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    const other = await connect(broker.url, 'dev/2', { clean: false })
    await other.client.endAsync()
    await eventually('disconnected', () => broker.clients.of('dev/2')?.connection === undefined)
    const gone = await iot.send(new GetConnectionCommand({ clientId: 'dev/2' }))
    expect(gone).toMatchObject({ connected: false, cleanSession: false, disconnectReason: 'CLIENT_INITIATED_DISCONNECT' })
    expect(device.client.connected).toBe(true)
  })

  test('ListSubscriptions, and DeleteConnection ends the connection', async () => {
    const device = await connect(broker.url, 'dev/1')
    await device.client.subscribeAsync({ 'a/+': { qos: 0 }, b: { qos: 1 } })
    const { subscriptions } = await iot.send(new ListSubscriptionsCommand({ clientId: 'dev/1' }))
    expect(subscriptions).toEqual([
      { topicFilter: 'a/+', qos: 0 },
      { topicFilter: 'b', qos: 1 },
    ])
    await iot.send(new DeleteConnectionCommand({ clientId: 'dev/1' }))
    await eventually('closed', () => !device.client.connected)
    expect(JSON.parse(seen.at(-1)!.payload.toString()).disconnectReason).toBe('API_INITIATED_DISCONNECT')
  })
})

describe('publish and retained messages', () => {
  test('Publish reaches subscribers and rules, without client or trace', async () => {
    const device = await connect(broker.url, 'dev/1')
    await device.client.subscribeAsync('t/+', { qos: 1 })
    await iot.send(new PublishCommand({ topic: 't/é', qos: 1, payload: Buffer.from('x') }))
    await eventually('delivery', () => device.received.length === 1)
    expect(publishes()).toHaveLength(1)
    expect(publishes()[0]).toMatchObject({ topic: 't/é' })
    expect(publishes()[0]!.clientid ?? publishes()[0]!.traceid).toBeUndefined()
  })

  test('retained: got, listed in pages, deleted by an empty one', async () => {
    const retain = (topic: string, payload: string) =>
      iot.send(new PublishCommand({ topic, qos: 1, retain: true, payload: Buffer.from(payload), userProperties: JSON.stringify(user) }))
    const before = Date.now()
    for (const topic of ['r/1', 'r/2', 'r/3']) await retain(topic, topic)
    const got = await iot.send(new GetRetainedMessageCommand({ topic: 'r/1' }))
    expect(got).toMatchObject({ topic: 'r/1', qos: 1, payload: new Uint8Array(Buffer.from('r/1')) })
    expect(JSON.parse(Buffer.from(got.userProperties!).toString())).toEqual(user)
    expect(got.lastModifiedTime).toBeGreaterThanOrEqual(before)
    const first = await iot.send(new ListRetainedMessagesCommand({ maxResults: 2 }))
    const second = await iot.send(new ListRetainedMessagesCommand({ maxResults: 2, nextToken: first.nextToken }))
    expect([first, second].flatMap(({ retainedTopics }) => retainedTopics!.map(({ topic }) => topic))).toEqual(['r/1', 'r/2', 'r/3'])
    expect(second.nextToken).toBeUndefined()
    await retain('r/1', '')
    await expect(iot.send(new GetRetainedMessageCommand({ topic: 'r/1' }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('/local', () => {
  const post = async (path: string, body?: string) => {
    const response = await fetch(dataPlane.url + path, { method: 'POST', ...(body === undefined ? {} : { body }) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  test('events: any JSON object on an $aws/events topic passes to rules', async () => {
    const answer = await post('/local/events?topic=$aws/events/presence/connected/x', '{"anything":[1]}')
    expect(answer).toEqual({ status: 200, body: { matched: 1 } })
    expect(seen).toMatchObject([{ topic: '$aws/events/presence/connected/x', payload: Buffer.from('{"anything":[1]}') }])
  })

  test.each([
    ['no topic', '/local/events', '{}', 400],
    ['another topic', '/local/events?topic=a/b', '{}', 400],
    ['a wildcard', '/local/events?topic=$aws/events/%23', '{}', 400],
    ['no JSON', '/local/events?topic=$aws/events/x', 'nope', 400],
    ['a JSON array', '/local/events?topic=$aws/events/x', '[]', 400],
    ['a broken path', '/local/%ff', '', 400],
    ['a path that is none', '/nowhere', '', 404],
    ['a wrong method', '/local/queues', '', 405],
  ])('refuses %s', async (_, path, body, status) => {
    const answer = await post(path, body)
    expect(answer.status).toBe(status)
    expect(answer.body.message).toEqual(expect.any(String))
    expect(seen).toEqual([])
  })

  test('queues: dead letters and rule errors without their payload, whatever they are', async () => {
    queue.send(JSON.stringify({ topic: 't/1', clientid: 'c', payload: 'c2VjcmV0' }))
    const [record] = queue.receive(1)
    queue.failed(record!.receiptHandle, 'Error: boom')
    const listed = await (await fetch(`${dataPlane.url}/local/queues`)).text()
    expect(listed).not.toContain('c2VjcmV0')
    const letter = { messageId: record!.messageId, receives: 1, reason: 'Error: boom', topic: 't/1', clientid: 'c' }
    expect(JSON.parse(listed)).toMatchObject({ queues: [{ name: 'PublishQueue', waiting: 0, inFlight: 0, deadLetters: [letter] }] })
    queue.send('no JSON')
    queue.failed(queue.receive(1)[0]!.receiptHandle, 'Error: boom')
    errors.send(JSON.stringify({ ruleName: 'r', topic: 't/2', clientId: 'd', base64OriginalPayload: 'c2VjcmV0' }))
    const again = (await (await fetch(`${dataPlane.url}/local/queues`)).json()) as { queues: { deadLetters: unknown[] }[] }
    expect(again.queues[0]!.deadLetters).toHaveLength(2)
    expect(again).toMatchObject({ ruleErrors: [{ ruleName: 'r', topic: 't/2', clientid: 'd' }] })
    expect(JSON.stringify(again)).not.toContain('c2VjcmV0')
  })
})
