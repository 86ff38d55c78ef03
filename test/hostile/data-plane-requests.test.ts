/** The data plane on requests that no SDK would send: 4xx, never what the payload or a property said (I10), and the next one served. */
import { connect as connectTo } from 'node:net'
import { type DataPlane, startDataPlane } from '../../local/data-plane/data-plane.ts'
import { DataPlaneOperations } from '../../local/data-plane/data-plane-operations.ts'
import { LocalOperations } from '../../local/data-plane/local-operations.ts'
import { misbehave, WELL_BEHAVED } from '../../local/misbehaviour.ts'
import { Backlog } from '../../local/mqtt/backlog.ts'
import { Broker } from '../../local/mqtt/broker.ts'
import { Rules } from '../../local/rules/rules.ts'
import { Queue } from '../../local/sqs/queue.ts'
import { SqsOperations } from '../../local/sqs/sqs-operations.ts'
import { connect, endClients, eventually } from '../support/mqtt-client.ts'
import { assertSilent, CANARY } from './canary.ts'

let broker: Broker
let dataPlane: DataPlane
let queue: Queue
let said: string[]

beforeAll(async () => {
  said = []
  const warn = (text: string) => void said.push(text)
  const queueOf = (name: string) => ({ name, arn: `arn:aws:sqs:us-west-2:000000000000:${name}`, retryAfterMs: 1 })
  queue = new Queue({ ...queueOf('Q'), redrivePolicy: { maxReceiveCount: 1, deadLetters: new Queue(queueOf('D')) } })
  const rules = new Rules([{ name: 'R', sql: "SELECT * FROM '$aws/events/#'", queue }], { misbehaviour: misbehave(WELL_BEHAVED, 1), warn })
  broker = await Broker.start({ host: '127.0.0.1', port: 0, backlog: new Backlog(1000), onMessage: (message) => rules.run(message), warn })
  dataPlane = await startDataPlane({
    host: '127.0.0.1',
    port: 0,
    iot: new DataPlaneOperations(broker),
    local: new LocalOperations({
      broker,
      queues: { hooks: [queue], ruleErrors: [] },
      functions: () => [],
      metrics: { report: () => ({}) },
      misbehaved: () => ({}),
    }),
    sqs: new SqsOperations([queue]),
    warn,
  })
})
beforeEach(() => {
  said.length = 0
})
afterEach(async () => {
  assertSilent('what was printed', said.join('\n'))
  expect((await fetch(`${dataPlane.url}/local/health`)).status).toBe(200)
})
afterAll(async () => {
  await endClients()
  await dataPlane.close()
  await broker.close()
})

async function ask(
  method: string,
  path: string,
  { body, headers = {} }: { body?: string | Buffer; headers?: Record<string, string> } = {},
) {
  const response = await fetch(dataPlane.url + path, { method, headers, ...(body === undefined ? {} : { body }) })
  const text = await response.text()
  assertSilent('an error', text)
  return { status: response.status, text }
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
const user = (value: unknown) => ({ 'x-amz-mqtt5-user-properties': base64(value) })
const NESTED = `${'['.repeat(50_000)}${']'.repeat(50_000)}`

it.each<[what: string, status: number, method: string, path: string, more?: Parameters<typeof ask>[2]]>([
  ['no topic', 400, 'POST', '/topics/'],
  ['half an escape', 400, 'POST', '/topics/%'],
  ['an escape that is no UTF-8', 400, 'POST', '/topics/%ff'],
  ['a wildcard', 400, 'POST', '/topics/a%2F%23'],
  ['U+0000 in a topic', 400, 'POST', '/topics/a%00b', { body: CANARY }],
  ['257 bytes of topic', 400, 'POST', `/topics/${'x'.repeat(257)}`, { body: CANARY }],
  ['129 KB of payload', 413, 'POST', '/topics/a', { body: Buffer.alloc(129 * 1024, CANARY) }],
  ['QoS 2', 400, 'POST', '/topics/a?qos=2', { body: CANARY }],
  ['an expiry of 1e400', 400, 'POST', '/topics/a?messageExpiry=1e400'],
  ['properties that are no base64', 400, 'POST', '/topics/a', { headers: { 'x-amz-mqtt5-user-properties': '%%%' } }],
  ['properties that are no list', 400, 'POST', '/topics/a', { headers: user({ a: CANARY }) }],
  ['properties of two keys', 400, 'POST', '/topics/a', { headers: user([{ a: CANARY, b: CANARY }]) }],
  ['properties of numbers', 400, 'POST', '/topics/a', { headers: user([{ a: 1 }]) }],
  ['half a letter in a property', 400, 'POST', '/topics/a', { headers: user([{ a: `${CANARY}\ud83d` }]) }],
  ['U+0000 in the name of a property', 400, 'POST', '/topics/a', { headers: user([{ [`${CANARY}\0`]: '' }]) }],
  ['U+0000 in a content type', 400, 'POST', `/topics/a?contentType=${encodeURIComponent(CANARY)}%00`],
  ['a format that is none', 400, 'POST', '/topics/a', { headers: { 'x-amz-mqtt5-payload-format-indicator': encodeURIComponent(CANARY) } }],
  ['a client that is not there', 404, 'POST', '/connections/nobody/messages?topic=a', { body: CANARY }],
  ['a client id with U+0000', 400, 'POST', '/connections/a%00/messages?topic=a', { body: CANARY }],
  ['a client id of 129 bytes', 400, 'GET', `/connections/${'x'.repeat(129)}`],
  ['a client called __proto__', 404, 'GET', '/connections/__proto__'],
  ['a topic called __proto__', 404, 'GET', '/retainedMessage/__proto__'],
  ['a function called __proto__', 404, 'POST', '/local/functions/__proto__/kill'],
  ['another method', 405, 'PUT', '/topics/a', { body: CANARY }],
  ['nothing there', 404, 'GET', '//'],
  ['an event of no topic', 400, 'POST', '/local/events', { body: '{}' }],
  ['an event that is no JSON', 400, 'POST', '/local/events?topic=$aws/events/x', { body: CANARY }],
  ['an event of 129 KB', 413, 'POST', '/local/events?topic=$aws/events/x', { body: `{"a":"${'x'.repeat(129 * 1024)}"}` }],
])('%s: %d', async (_, status, method, path, more = {}) => {
  expect((await ask(method, path, more)).status).toBe(status)
})

it('an event of 25,000 levels matches no rule, which is said', async () => {
  const body = `{"a":${NESTED}}`
  expect(await ask('POST', '/local/events?topic=$aws/events/x', { body })).toEqual({ status: 200, text: '{"matched":0}' })
  expect(said).toEqual(['rule R on "$aws/events/x": selects JSON of too many levels'])
})

it('a dead letter shows names, and nothing else that stands in their place', async () => {
  await ask('POST', '/local/events?topic=$aws/events/x', {
    body: JSON.stringify({ topic: { a: CANARY }, clientId: [CANARY], payload: CANARY }),
  })
  for (const { receiptHandle } of queue.receive(10)) queue.failed(receiptHandle, 'a reason')
  const { text } = await ask('GET', '/local/queues')
  expect(JSON.parse(text).queues[0].deadLetters).toEqual([expect.objectContaining({ reason: 'a reason', bytes: expect.any(Number) })])
})

it.each(['__proto__', 'constructor', 'toString'])('a user property called %s reaches the client', async (name) => {
  const { client, received } = await connect(broker.url, 'device', { protocolVersion: 5 })
  const { status } = await ask('POST', '/connections/device/messages?topic=t&confirmation=true', {
    body: 'x',
    headers: user([{ a: '1' }, { [name]: '2' }]),
  })
  expect([status, received.length]).toEqual([200, 1])
  await client.endAsync()
})

it.each([
  ['nothing', ''],
  ['half a request line', 'GET /loc'],
  ['half a body', 'POST /topics/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf'],
  ['a chunk that is none', 'POST /topics/a HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
  ['two lengths', 'POST /topics/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
  ['an absolute address', 'GET http://[ HTTP/1.1\r\nhost: localhost\r\n\r\n'],
  ['headers of 100 KB', `GET / HTTP/1.1\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`],
])('a client that sends %s and goes away is no matter', async (_, bytes) => {
  const socket = connectTo(Number(new URL(dataPlane.url).port), '127.0.0.1').on('error', () => undefined)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.resume().end(bytes)
  await closed
  expect(said).toEqual([])
})

it('a caller that goes away while the client is asked is no matter', async () => {
  const { client } = await connect(broker.url, 'slow', { protocolVersion: 5 })
  client.handleMessage = () => undefined // never acknowledges
  let asked = false
  client.on('packetreceive', ({ cmd }) => {
    asked ||= cmd === 'publish'
  })
  const gone = new AbortController()
  const answer = fetch(`${dataPlane.url}/connections/slow/messages?topic=t&confirmation=true&timeout=1`, {
    method: 'POST',
    body: CANARY,
    signal: gone.signal,
  })
  await eventually('it is under way', () => asked)
  gone.abort()
  await expect(answer).rejects.toThrow()
  await client.endAsync(true)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(said).toEqual([])
})
