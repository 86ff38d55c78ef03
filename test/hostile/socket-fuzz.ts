/** The three servers of the local run on raw bytes: whatever comes, the sender is answered or let go, and the next one is served. */
import { connect as connectTo } from 'node:net'
import fc from 'fast-check'
import mqtt, { type Packet } from 'mqtt-packet'
import { startDataPlane } from '../../local/data-plane/data-plane.ts'
import { DataPlaneOperations } from '../../local/data-plane/data-plane-operations.ts'
import { LocalOperations } from '../../local/data-plane/local-operations.ts'
import { Backlog } from '../../local/mqtt/backlog.ts'
import { Broker } from '../../local/mqtt/broker.ts'
import { Queue } from '../../local/sqs/queue.ts'
import { SqsOperations } from '../../local/sqs/sqs-operations.ts'
import { connect, endClients, eventually } from '../support/mqtt-client.ts'
import { badNames, clientIds, filters, topics, valuesWith } from './arbitraries.ts'
import { assertSilent, CANARY } from './canary.ts'
import { assertThat, type FuzzTarget } from './fuzz-target.ts'
import { ownEngine } from './tables.ts'

/** What came back until the server let go. */
function send(url: string, bytes: Uint8Array): Promise<string> {
  const socket = connectTo(Number(new URL(url).port), '127.0.0.1')
  let got = ''
  socket
    .on('error', () => undefined)
    .on('data', (chunk) => {
      got += chunk.toString('latin1')
    })
  socket.end(bytes)
  return new Promise((resolve) => socket.on('close', () => resolve(got)))
}

/** Some bytes changed, and the rest cut off. */
const spoilt = (bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      bytes,
      fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 127, 128, 255), fc.nat(255))), { maxLength: 4 }),
      fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.nat()),
    )
    .map(([good, changes, cut]) => {
      const bad = Buffer.from(good)
      for (const [at, byte] of changes) if (bad.length > 0) bad[at % bad.length] = byte
      return cut === null ? bad : bad.subarray(0, cut % (bad.length + 1))
    })

const properties = fc.record(
  {
    contentType: fc.constant(CANARY),
    userProperties: fc.constantFrom({ a: 'b' }, { constructor: 'x', toString: ['y', 'z'] }),
    topicAlias: fc.constantFrom(1, 2, 9),
    messageExpiryInterval: fc.nat(),
  },
  { requiredKeys: [] },
)
const name = fc.oneof(
  { weight: 4, arbitrary: topics },
  badNames.filter((text) => Buffer.byteLength(text) < 65_536),
)
const publish = fc.record({
  cmd: fc.constant('publish'),
  topic: name,
  payload: fc.constantFrom(CANARY, ''),
  qos: fc.constantFrom(0, 0, 0, 1, 1, 1, 2),
  messageId: fc.integer({ min: 1, max: 3 }),
  dup: fc.boolean(),
  retain: fc.boolean(),
  properties,
})
const packet = fc.oneof(
  { weight: 5, arbitrary: publish },
  fc.record({
    cmd: fc.constant('subscribe'),
    messageId: fc.integer({ min: 1, max: 3 }),
    subscriptions: fc.array(fc.record({ topic: filters, qos: fc.nat(2) }), { minLength: 1, maxLength: 9 }),
  }),
  fc.record({
    cmd: fc.constant('unsubscribe'),
    messageId: fc.integer({ min: 1, max: 3 }),
    unsubscriptions: fc.array(filters, { minLength: 1, maxLength: 9 }),
  }),
  fc.record({ cmd: fc.constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp'), messageId: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ cmd: fc.constantFrom('pingreq', 'disconnect', 'pingresp', 'auth', 'connack') }),
)
const hello = fc.record({
  cmd: fc.constant('connect'),
  protocolId: fc.constant('MQTT'),
  clientId: fc.oneof(
    { weight: 5, arbitrary: clientIds },
    badNames.filter((text) => Buffer.byteLength(text) < 65_536),
  ),
  clean: fc.boolean(),
  keepalive: fc.constantFrom(0, 1, 60, 65_535),
  username: fc.constant(CANARY),
  password: fc.constant(Buffer.from(CANARY)),
  will: fc.option(
    fc.record({ topic: name, payload: fc.constant(Buffer.from(CANARY)), qos: fc.constantFrom(0, 1, 1, 2), retain: fc.boolean() }),
    {
      nil: undefined,
    },
  ),
})
/** CONNECT and what follows it, as far as the codec can write it. */
const conversations = fc
  .tuple(fc.constantFrom(4 as const, 5 as const), hello, fc.array(packet, { minLength: 2, maxLength: 8 }))
  .map(([protocolVersion, first, more]) => {
    const packets = [{ ...first, protocolVersion }, ...more] as unknown as Packet[]
    return Buffer.concat(packets.map((one) => encoded(one, protocolVersion)))
  })
function encoded(one: Packet, protocolVersion: 4 | 5): Buffer {
  try {
    return mqtt.generate(one, { protocolVersion })
  } catch {
    return Buffer.alloc(0)
  }
}

export const mqttTarget: FuzzTarget = {
  name: 'mqtt',
  runs: 60,
  async open() {
    const warnings: string[] = []
    const broker = await Broker.start({
      host: '127.0.0.1',
      port: 0,
      backlog: new Backlog(1000),
      onMessage: () => 1,
      warn: (text) => void warnings.push(text),
    })
    const neighbour = await connect(broker.url, 'the neighbour', { protocolVersion: 5 })
    // Of all that is published, so that whatever is in a message is sent on.
    await neighbour.client.subscribeAsync('#', { qos: 1 })
    const property = fc.asyncProperty(
      fc.oneof(
        { weight: 3, arbitrary: conversations },
        { weight: 3, arbitrary: spoilt(conversations) },
        fc.uint8Array({ maxLength: 200 }).map(Buffer.from),
      ),
      async (bytes) => {
        warnings.length = 0
        await send(broker.url, bytes)
        neighbour.received.length = 0
        await neighbour.client.publishAsync('the neighbour/n', 'x', { qos: 1 })
        await eventually('the neighbour is served', () => neighbour.received.some(({ topic }) => topic === 'the neighbour/n'))
        assertSilent('a warning', warnings.join('\n'))
      },
    )
    const close = async () => {
      await endClients()
      await broker.close()
    }
    return { property, close }
  },
}

/** A request in HTTP's words, its body as long as it says or not. */
const request = (paths: fc.Arbitrary<string>, headers: fc.Arbitrary<string>, bodies: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'OPTIONS', ''),
      paths,
      fc.array(headers, { maxLength: 4 }),
      bodies,
      fc.constantFrom(0, 0, 0, 1, -1),
    )
    .map(([method, path, lines, body, more]) => {
      const length = Math.max(0, Buffer.byteLength(body) + more)
      const head = [`${method} ${path} HTTP/1.1`, 'host: localhost', 'connection: close', `content-length: ${length}`, ...lines]
      return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
    })

const body = fc.oneof(
  fc.constantFrom('', CANARY, '{}', `{"topic":{"a":"${'x'.repeat(20)}"}}`, 'x'.repeat(140_000)),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const escaped = fc.oneof(
  fc.oneof(topics, clientIds).map(encodeURIComponent),
  fc.constantFrom('%', '%00', '%ff', '..', '', '__proto__', '%2F', 'constructor'),
)
const query = fc.constantFrom(
  '',
  '?',
  '?topic=a',
  '?topic=$aws/events/x',
  '?qos=1e400',
  '?confirmation=true&topic=t&timeout=-1',
  '?retain=maybe',
  '?contentType=%00',
  '?nextToken=%00&maxResults=0',
  '?%',
)
const dataPath = fc.tuple(
  fc.constantFrom('/topics/', '/connections/', '/retainedMessage/', '/local/', '/'),
  escaped,
  fc.constantFrom('', '/messages', '/subscriptions', '/redrive', '/'),
  query,
)
const userProperties = valuesWith(CANARY).map(
  (value) =>
    `x-amz-mqtt5-user-properties: ${Buffer.from(JSON.stringify(value) ?? '')
      .toString('base64')
      .slice(0, 12_000)}`,
)
const dataHeader = fc.oneof(
  userProperties,
  fc.constantFrom(
    'x-amz-mqtt5-payload-format-indicator: secret-7f3a9c',
    'x-amz-mqtt5-correlation-data: %%',
    'x-amz-target: AmazonSQS.ReceiveMessage',
    'x-amz-target: AmazonSQS.SendMessageBatch',
    'transfer-encoding: chunked',
    'expect: 100-continue',
    'x',
    ': y',
  ),
)

export const dataPlaneTarget: FuzzTarget = {
  name: 'data-plane',
  runs: 300,
  async open() {
    const said: string[] = []
    const warn = (text: string) => void said.push(text)
    const broker = await Broker.start({ host: '127.0.0.1', port: 0, backlog: new Backlog(1000), onMessage: () => 1, warn })
    const queue = new Queue({ name: 'Q', arn: 'arn:aws:sqs:us-west-2:000000000000:q', retryAfterMs: 1 })
    const { url, close } = await startDataPlane({
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
    const paths = dataPath.map((parts) => parts.join(''))
    const requests = request(paths, dataHeader, body)
    const property = fc.asyncProperty(fc.oneof(requests, spoilt(requests)), async (bytes) => {
      said.length = 0
      const answer = await send(url, bytes)
      assertThat(!/^HTTP\/1.1 5/.test(answer), `a fault of the server: ${answer}`)
      assertThat(said.length === 0, `it warns of ${said}`)
      assertSilent('an answer', answer)
      assertThat((await fetch(`${url}/local/health`)).ok, 'it is well afterwards')
    })
    const end = async () => {
      await close()
      await broker.close()
    }
    return { property, close: end }
  },
}

const operation = fc.constantFrom(
  'GetItem',
  'PutItem',
  'UpdateItem',
  'Query',
  'Scan',
  'BatchGetItem',
  'BatchWriteItem',
  'DeleteItem',
  'CreateTable',
  'DescribeTable',
  'UpdateTimeToLive',
  '__proto__',
  '',
)
const attribute = fc.oneof(
  fc.constantFrom<unknown>(
    { S: 'x' },
    { N: '1e400' },
    { N: 'NaN' },
    { B: '%' },
    { SS: [] },
    { SS: ['a', 'a'] },
    { M: { ['__proto__']: { S: 'x' } } },
    { L: [null] },
    { NULL: false },
    {},
    { S: 'a', N: '1' },
  ),
  valuesWith('x'),
)
const expression = fc.oneof(
  fc.constantFrom(
    'attribute_exists(#n)',
    'SET #n = :v',
    'ADD a :v',
    'REMOVE a[99999999999]',
    'SET a = a + :v',
    'clientid = :v',
    'contains(a, :v)',
    'DELETE a :v',
    ':v',
    '#n',
    'size(a) > :v',
  ),
  fc
    .tuple(fc.constantFrom('(', 'NOT ', 'a.', 'a[', 'a = b AND ', '((a)'), fc.integer({ min: 1, max: 2000 }))
    .map(([text, times]) => text.repeat(times)),
  fc.string({ unit: 'binary', maxLength: 10 }),
)
const dynamodbBody = (table: string) =>
  fc
    .record(
      {
        TableName: fc.oneof({ weight: 6, arbitrary: fc.constant<unknown>(table) }, valuesWith('x')),
        Key: fc.oneof(fc.record({ clientid: attribute }), valuesWith('x')),
        Item: fc.oneof(fc.record({ clientid: attribute, a: attribute }), valuesWith('x')),
        UpdateExpression: expression,
        ConditionExpression: expression,
        KeyConditionExpression: expression,
        FilterExpression: expression,
        ProjectionExpression: expression,
        ExpressionAttributeNames: fc.oneof(
          fc.constant<unknown>({ '#n': 'a' }),
          fc.constant<unknown>({ '#n': '__proto__' }),
          valuesWith('x'),
        ),
        ExpressionAttributeValues: fc.oneof(fc.record({ ':v': attribute }), valuesWith('x')),
        RequestItems: fc.oneof(
          fc.constant<unknown>({ [table]: { Keys: [{ clientid: { S: 'x' } }, null] } }),
          fc.constant<unknown>({ [table]: [{ PutRequest: null }] }),
          valuesWith('x'),
        ),
        ExclusiveStartKey: valuesWith('x'),
        Limit: valuesWith('x'),
      },
      { requiredKeys: ['TableName'] },
    )
    .map((value) => JSON.stringify(value))

export const dynamodbTarget: FuzzTarget = {
  name: 'dynamodb',
  runs: 300,
  async open() {
    const { engine, tables, close } = await ownEngine()
    const headers = fc.constantFrom('authorization: AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c')
    const requests = fc
      .tuple(operation, request(fc.constantFrom('/', '//', '/?X-Amz-Signature=1'), headers, dynamodbBody(tables.mqtt_client)))
      .map(([name, bytes]) =>
        Buffer.concat([
          Buffer.from(
            bytes
              .toString()
              .replace(/^\S* /, 'POST ')
              .replace(
                '\r\n',
                `\r\nx-amz-target: DynamoDB_20120810.${name}\r\nauthorization: AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c\r\n`,
              ),
          ),
        ]),
      )
    const property = fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: requests }, spoilt(requests)), async (bytes) => {
      const answer = await send(engine.url, bytes)
      assertThat(!/^HTTP\/1.1 5/.test(answer), `a fault of the server: ${answer}`)
      assertThat((await fetch(engine.url, { method: 'POST' })).status === 400, 'it answers afterwards')
    })
    return { property, close }
  },
}
