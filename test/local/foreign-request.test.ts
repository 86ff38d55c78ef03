/** What a web page that a developer opens can reach of the local run: nothing. */
import { type IncomingMessage, request } from 'node:http'
import { startDataPlane } from '../../local/data-plane/data-plane.ts'
import { DataPlaneOperations } from '../../local/data-plane/data-plane-operations.ts'
import { LocalOperations } from '../../local/data-plane/local-operations.ts'
import { startEmbedded } from '../../local/dynamodb/embedded.ts'
import { foreignRequest } from '../../local/foreign-request.ts'
import { Backlog } from '../../local/mqtt/backlog.ts'
import { Broker } from '../../local/mqtt/broker.ts'
import { Queue } from '../../local/sqs/queue.ts'
import { SqsOperations } from '../../local/sqs/sqs-operations.ts'

const SIGNED = 'AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=x'
let ports: { readonly data: number; readonly dynamodb: number }
let published: string[]
let killed: number
let queue: Queue
const closers: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  published = []
  killed = 0
  const warn = () => undefined
  const onMessage = ({ topic }: { topic: string }) => published.push(topic)
  const broker = await Broker.start({ host: '127.0.0.1', port: 0, backlog: new Backlog(10), onMessage, warn })
  queue = new Queue({ name: 'Q', arn: 'arn:aws:sqs:us-west-2:000000000000:Q', retryAfterMs: 1 })
  const local = new LocalOperations({
    broker,
    queues: { hooks: [queue], ruleErrors: [] },
    functions: () => [{ name: 'Publish', running: 0, kill: async () => ++killed }],
    metrics: { report: () => ({}) },
    misbehaved: () => ({}),
  })
  const parts = { iot: new DataPlaneOperations(broker), local, sqs: new SqsOperations([queue]), warn }
  const dataPlane = await startDataPlane({ host: '127.0.0.1', port: 0, ...parts })
  const engine = await startEmbedded({ host: '127.0.0.1', port: 0 })
  ports = { data: Number(new URL(dataPlane.url).port), dynamodb: Number(new URL(engine.url).port) }
  closers.push(
    () => dataPlane.close(),
    () => engine.close(),
    () => broker.close(),
  )
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface Asked {
  readonly server: keyof typeof ports
  readonly method?: 'GET'
  readonly path: string
  readonly headers?: Record<string, string>
}

const DOORS: [string, Asked][] = [
  ['a publish', { server: 'data', path: '/topics/t?qos=1' }],
  ['an event', { server: 'data', path: '/local/events?topic=$aws/events/presence/connected/x' }],
  ['a kill', { server: 'data', path: '/local/functions/Publish/kill' }],
  ['the queues', { server: 'data', method: 'GET', path: '/local/queues' }],
  ['a retained message', { server: 'data', method: 'GET', path: '/retainedMessage/t' }],
  ['SQS', { server: 'data', path: '/', headers: { 'x-amz-target': 'AmazonSQS.ListQueues' } }],
  ['DynamoDB', { server: 'dynamodb', path: '/', headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables', authorization: SIGNED } }],
]

function ask({ server, method, path, headers }: Asked, more: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { port: ports[server], host: '127.0.0.1', path, method: method ?? 'POST', agent: false }
    const sent = request({ ...options, headers: { host: `127.0.0.1:${ports[server]}`, ...headers, ...more } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode!))
    })
    sent.on('error', reject)
    sent.end(method === 'GET' ? undefined : '{}')
  })
}

describe.each(DOORS)('%s', (_, door) => {
  test.each([
    ['a name that a page has bound to this address', { host: 'attacker.example' }],
    ['such a name with our port', { host: 'attacker.example:8443' }],
    ['a name that only begins as ours', { host: 'localhost.attacker.example' }],
    ['a page of another origin', { origin: 'http://attacker.example' }],
    ['a page of another port of this machine', { origin: 'http://127.0.0.1:3000' }],
    ['a page without an origin of its own', { origin: 'null' }],
    ['a link or an image of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a page of the same site', { 'sec-fetch-site': 'same-site' }],
  ])('is refused to %s', async (_, headers) => {
    expect(await ask(door, headers)).toBe(403)
    expect([published, killed, queue.depth]).toEqual([[], 0, 0])
  })

  test.each([
    ['a program', {}],
    ['a program that says localhost', { host: 'localhost:8443' }],
    ['a program that says ::1', { host: '[::1]:8443' }],
    ['a reader of its address bar', { 'sec-fetch-site': 'none' }],
  ])('is open to %s', async (_, headers) => {
    expect(await ask(door, headers)).not.toBe(403)
  })
})

test('a page of the same origin is let in', async () => {
  const headers = { origin: `http://127.0.0.1:${ports.data}`, 'sec-fetch-site': 'same-origin' }
  expect(await ask(DOORS[3]![1], headers)).toBe(200)
})

test.each([
  ['the name of --host', 'my-laptop.lan', 'my-laptop.lan:8443', '192.168.1.5', true],
  ['another name', 'my-laptop.lan', 'attacker.example', '192.168.1.5', false],
  ['the address that the request came to, of all interfaces', '0.0.0.0', '192.168.1.5:8443', '192.168.1.5', true],
  ['the same where both versions of IP are listened to', '::', '192.168.1.5:8443', '::ffff:192.168.1.5', true],
  ['the same over IPv6', '::', '[fe80::5]:8443', 'fe80::5', true],
  ['another address', '0.0.0.0', '10.0.0.1', '192.168.1.5', false],
  ['a name, of all interfaces', '0.0.0.0', 'attacker.example', '192.168.1.5', false],
])('Host is %s', (_, listensOn, host, localAddress, letIn) => {
  const message = { headers: { host }, socket: { localAddress } } as unknown as IncomingMessage
  expect(foreignRequest(message, listensOn) === undefined).toBe(letIn)
})
