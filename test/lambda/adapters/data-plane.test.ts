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
/** The answer to every request, unless `before` has some for the first ones. */
let answer: Answer
let before: Answer[]
let pauses: number[]
let repeats: string[]
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
    const { status, body = {}, breaks } = before.shift() ?? answer
    if (breaks === 'resets') request.socket.destroy()
    if (breaks !== undefined) return
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
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
  before = []
  pauses = []
  repeats = []
  plane = device(client, { now: Date.now, sleep: async (ms) => void pauses.push(ms) }, (call) => repeats.push(call))
})

/** Errors are made here, not by Node: the SDK does not know an error from outside of jest's realm for one. */
function planeThatFails(how: object): { failing: Device; timeouts: (number | undefined)[] } {
  const timeouts: (number | undefined)[] = []
  const requestHandler = {
    handle(_: unknown, { requestTimeout }: { requestTimeout?: number } = {}) {
      timeouts.push(requestTimeout)
      return Promise.reject(Object.assign(new Error('lost'), how))
    },
  }
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const broken = new IoTDataPlaneClient({ region: 'us-west-2', credentials, maxAttempts: 1, requestHandler })
  return { failing: device(broken, { now: Date.now, sleep: async () => {} }), timeouts }
}

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
    [504, 'silent'],
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

  it.each(['ECONNRESET', 'EPIPE'])('a connection that ends with %s: the client may have the message, in one attempt', async (code) => {
    const { failing, timeouts } = planeThatFails({ code })
    expect(await failing.send('c', MESSAGE)).toBe('unknown')
    expect(timeouts).toHaveLength(1)
  })

  it.each([
    ['is refused', { syscall: 'connect' }, 3],
    ['has no address', { syscall: 'getaddrinfo' }, 3],
    ['is reset', { syscall: 'read' }, 1],
  ])('a connection that %s: sent again only if the service has seen nothing of it', async (_name, how, attempts) => {
    const { failing, timeouts } = planeThatFails({ ...how, name: 'TimeoutError' })
    expect(await failing.send('c', MESSAGE)).toBe('unknown')
    expect(timeouts).toHaveLength(attempts)
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

const PASSING: readonly [string, Answer][] = [
  ['429', { status: 429 }],
  ['500', { status: 500 }],
  ['503', { status: 503 }],
]

describe.each<[string, string, Answer, (device: Device) => Promise<unknown>]>([
  ['GetConnection', 'connected', { status: 200, body: { connected: true } }, (device) => device.connection('c')],
  ['GetRetainedMessage', 'lastModified', { status: 200, body: { topic: 'a/b', lastModifiedTime: 1 } }, (device) => device.retained('a/b')],
])('%s is asked again', (call, key, found, ask) => {
  it.each(PASSING)('after %s, twice at most', async (_name, passing) => {
    answer = found
    before = [passing, passing]
    expect(await ask(plane)).toHaveProperty(key)
    expect(asked).toHaveLength(3)
    expect(pauses).toEqual([50, 200])
    expect(repeats).toEqual([call, call])
  })

  it.each(PASSING)('not a third time after %s', async (_name, passing) => {
    answer = passing
    await ask(plane).catch(() => undefined)
    expect(asked).toHaveLength(3)
  })

  it.each([{ code: 'ECONNRESET' }, { code: 'EPIPE' }, { code: 'ECONNREFUSED' }, { name: 'TimeoutError' }])(
    'after a connection that is lost, %p; each time for 2 s at most',
    async (how) => {
      const { failing, timeouts } = planeThatFails(how)
      await ask(failing).catch(() => undefined)
      expect(timeouts).toEqual([2_000, 2_000, 2_000])
    },
  )

  it.each([400, 403, 404])('not after %d', async (status) => {
    answer = { status }
    await ask(plane).catch(() => undefined)
    expect(asked).toHaveLength(1)
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
      body: {
        topic: 'a/b',
        payload: MESSAGE.payload.toString('base64'),
        qos: 0,
        lastModifiedTime: 1_800_000_000_000,
        userProperties: Buffer.from('[{"by":"a"},{"by":"b"}]').toString('base64'),
      },
    }
    expect(await plane.retained('a/b')).toEqual({
      payload: MESSAGE.payload,
      qos: 0,
      lastModified: 1_800_000_000_000,
      user: [
        ['by', 'a'],
        ['by', 'b'],
      ],
    })
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

describe('ListSubscriptions', () => {
  const page = (topicFilter: string, qos: number, nextToken?: string) => ({
    status: 200,
    body: { subscriptions: [{ topicFilter, qos }], ...(nextToken === undefined ? {} : { nextToken }) },
  })

  it('tells the QoS of each filter, page by page; the filters of one SUBSCRIBE share one question', async () => {
    before = [page('t', 1, 'more'), page('$share/g/u', 0)]
    const answers = await Promise.all([0, 0, 0].map((notBefore) => plane.subscriptions('dev/1', { notBefore })))
    expect(answers.map((one) => [...(one?.known ?? [])])).toEqual(
      Array(3).fill([
        ['t', 1],
        ['$share/g/u', 0],
      ]),
    )
    expect(asked.map(({ path, query }) => [path, query.get('nextToken')])).toEqual([
      ['/connections/dev%2F1/subscriptions', null],
      ['/connections/dev%2F1/subscriptions', 'more'],
    ])
  })

  it('is asked again of a later SUBSCRIBE', async () => {
    answer = page('t', 1)
    const { at } = (await plane.subscriptions('c', { notBefore: 0 }))!
    await plane.subscriptions('c', { notBefore: at + 60_000 })
    expect(asked).toHaveLength(2)
  })

  it.each([404, 403])('%d: nothing is known, and the next one asks again', async (status) => {
    before = [{ status }]
    answer = page('t', 1)
    expect(await plane.subscriptions('c', { notBefore: 0 })).toBeUndefined()
    expect((await plane.subscriptions('c', { notBefore: 0 }))?.known.get('t')).toBe(1)
  })
})
