/** The data plane adapter against HTTP: what goes over the wire, and what each answer means. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { CONFIRMATION_TIMEOUT, device } from '../../../lambda/adapters/data-plane.ts'
import type { Message } from '../../../lambda/core/model/message.ts'
import type { Device } from '../../../lambda/core/model/ports.ts'

interface Answer {
  readonly status: number
  readonly body?: unknown
  /** Instead of an answer. */
  readonly breaks?: 'resets' | 'stays silent'
}

let server: Server
let client: IoTDataPlaneClient
let plane: Device
let answer: Answer
let asked: { method: string; path: string; query: URLSearchParams; headers: IncomingMessage['headers']; body: Buffer }[]

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '', 'http://localhost')
    asked.push({
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    })
    if (answer.breaks === 'resets') request.socket.destroy()
    if (answer.breaks !== undefined) return
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  client = new IoTDataPlaneClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-west-2',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: { requestTimeout: 150, throwOnRequestTimeout: true },
  })
})
afterAll(async () => {
  client.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  asked = []
  answer = { status: 200 }
  plane = device(client, { now: Date.now, sleep: async () => {} })
})

const MESSAGE: Message = {
  msgid: 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTD',
  topic: 'a/b',
  sender: 's',
  qos: 1,
  retain: 0,
  payload: Buffer.from([0, 255, 10]),
  arrived: 1,
  properties: { user: [] },
}
const sent = (properties: Message['properties'], options?: { retain: boolean }) => plane.send('c', { ...MESSAGE, properties }, options)

describe('send', () => {
  it.each([
    [200, 'acked'],
    [400, 'unsendable'],
    [403, 'forbidden'],
    [404, 'gone'],
    [413, 'unsendable'],
    [429, 'throttled'],
    [500, 'unknown'],
    [503, 'throttled'],
    [504, 'unknown'],
  ])('%d: %s, in one attempt', async (status, outcome) => {
    answer = { status }
    expect(await plane.send('c', MESSAGE)).toBe(outcome)
    expect(asked).toHaveLength(1)
  })

  it('a client that stays silent longer than the confirmation may take: it may have the message', async () => {
    answer = { status: 0, breaks: 'stays silent' }
    expect(await plane.send('c', MESSAGE)).toBe('unknown')
    expect(asked).toHaveLength(1)
  })

  it.each(['ECONNRESET', 'EPIPE'])('a connection that ends with %s: the client may have the message', async (code) => {
    // Thrown here, not by Node: the SDK does not know an error from outside of jest's realm for one.
    const requestHandler = { handle: () => Promise.reject(Object.assign(new Error('socket hang up'), { code })) }
    const breaking = new IoTDataPlaneClient({
      region: 'us-west-2',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
      requestHandler,
    })
    expect(await device(breaking, { now: Date.now, sleep: async () => {} }).send('c', MESSAGE)).toBe('unknown')
  })

  it('refuses to make anything of an answer that means a fault of ours', async () => {
    answer = { status: 401 }
    await expect(plane.send('c', MESSAGE)).rejects.toThrow()
  })

  it('goes to one client by id, encoded, and waits for its PUBACK', async () => {
    await plane.send('dev/1 ü', { ...MESSAGE, topic: 'a/b c/ü' })
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/connections/dev%2F1%20%C3%BC/messages', body: MESSAGE.payload })
    const { topic, confirmation, timeout } = Object.fromEntries(asked[0]!.query)
    expect({ topic, confirmation, timeout }).toEqual({ topic: 'a/b c/ü', confirmation: 'true', timeout: `${CONFIRMATION_TIMEOUT}` })
  })

  const propertiesSent = () => {
    const { headers } = asked[0]!
    const user = headers['x-amz-mqtt5-user-properties']
    return user === undefined ? undefined : JSON.parse(Buffer.from(String(user), 'base64').toString())
  }

  it.each<[string, Message['properties']['user'], boolean, object[]]>([
    ['none: the msgid, which tells what to acknowledge', [], false, [{ msgid: MESSAGE.msgid }]],
    [
      'in order, with repetitions',
      [
        ['a', '1'],
        ['b', ''],
        ['a', '2'],
      ],
      false,
      [{ a: '1' }, { b: '' }, { a: '2' }, { msgid: MESSAGE.msgid }],
    ],
    [
      "a msgid of somebody else's gives way",
      [
        ['msgid', 'forged'],
        ['a', '1'],
      ],
      false,
      [{ a: '1' }, { msgid: MESSAGE.msgid }],
    ],
    [
      'a retained message says so, once',
      [
        ['retain', '0'],
        ['a', '1'],
      ],
      true,
      [{ a: '1' }, { msgid: MESSAGE.msgid }, { retain: '1' }],
    ],
    ['retain stays where nothing is retained', [['retain', '1']], false, [{ retain: '1' }, { msgid: MESSAGE.msgid }]],
  ])('user properties: %s', async (_name, user, retain, wanted) => {
    await sent({ user }, { retain })
    expect(propertiesSent()).toEqual(wanted)
  })

  it('the other MQTT 5 properties', async () => {
    await sent({ user: [], contentType: 'text/plain', payloadFormat: '1', responseTopic: 'r/1', correlationData: 'AAEC' })
    const { query, headers } = asked[0]!
    expect(Object.fromEntries(query)).toMatchObject({ contentType: 'text/plain', responseTopic: 'r/1' })
    expect(headers).toMatchObject({ 'x-amz-mqtt5-payload-format-indicator': 'UTF8_DATA', 'x-amz-mqtt5-correlation-data': 'AAEC' })
  })
})

describe('connection', () => {
  it.each<[string, Answer, object | undefined]>([
    [
      'connected',
      { status: 200, body: { connected: true, connectedSince: 1_800_000_000_000, keepAliveDuration: 60 } },
      { connected: true, connectedSince: 1_800_000_000_000, keepAlive: 60 },
    ],
    ['disconnected', { status: 200, body: { connected: false, keepAliveDuration: 60 } }, { connected: false, keepAlive: 60 }],
    ['404: forgotten', { status: 404 }, { connected: false }],
    ['429: throttled, nothing is known', { status: 429 }, undefined],
    ['500: nothing is known', { status: 500 }, undefined],
    ['no answer: nothing is known', { status: 0, breaks: 'resets' }, undefined],
  ])('%s', async (_name, given, known) => {
    answer = given
    expect(await plane.connection('dev/1')).toEqual(known)
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/connections/dev%2F1' })
  })
})

describe('retained', () => {
  it('payload, qos and time', async () => {
    answer = {
      status: 200,
      body: { topic: 'a/b', payload: MESSAGE.payload.toString('base64'), qos: 0, lastModifiedTime: 1_800_000_000_000 },
    }
    expect(await plane.retained('a/b')).toEqual({ payload: MESSAGE.payload, qos: 0, lastModified: 1_800_000_000_000 })
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/retainedMessage/a%2Fb' })
  })

  it('an empty answer is an empty payload', async () => {
    answer = { status: 200, body: { topic: 'a/b', qos: 1, lastModifiedTime: 1 } }
    expect((await plane.retained('a/b'))?.payload).toHaveLength(0)
  })

  it('404: none', async () => {
    answer = { status: 404 }
    expect(await plane.retained('a/b')).toBeUndefined()
  })

  it.each([429, 500])('refuses to take %d for an answer: whether something is retained must be known', async (status) => {
    answer = { status }
    await expect(plane.retained('a/b')).rejects.toThrow()
  })
})
