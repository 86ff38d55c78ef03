/**
 * I10 over everything that the processes print and answer: a secret as payload, property, password, key of the conf, credential of the
 * SDK and body of a malformed event, while all kinds of things go wrong. It is looked for in every guise.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { IoTDataPlaneClient, SendDirectMessageCommand } from '@aws-sdk/client-iot-data-plane'
import { startLocalStack } from '../../local/stack.ts'
import { connect, endClients, eventually, type TestClient } from '../support/mqtt-client.ts'
import { killPrograms, startMqttDynamodb } from '../support/run-program.ts'
import { assertSilent, CANARY, guises, leaks } from './canary.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const SECRETS = { username: CANARY, password: CANARY }
const PROPERTIES = {
  userProperties: { [CANARY]: CANARY, qos: '1', retain: '1' },
  contentType: CANARY,
  correlationData: Buffer.from(CANARY),
}
const BINARY = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(CANARY)])

test('the canary is found in every guise, and in any base64', () => {
  for (const guise of guises(CANARY)) expect(leaks(`{"a":"${guise}"}`, CANARY)).not.toEqual([])
  for (const before of ['', 'a', 'ab', 'abc']) expect(leaks(Buffer.from(`${before}${CANARY}after`).toString('base64'))).not.toEqual([])
  expect(leaks('nothing to see')).toEqual([])
})

describe('npm start -- --verbose', () => {
  const directory = mkdtempSync(join(tmpdir(), 'canary-'))
  let child: ChildProcess
  let printed = ''
  let urls: { mqtt: string; dynamodb: string; data: string }

  const print = (chunk: Buffer) => {
    printed += chunk
  }

  beforeAll(async () => {
    const conf = join(directory, 'secret.conf')
    const keys = ['aws_access_key_id', 'aws_secret_access_key'].map((key) => `backend.dynamo.pool1.${key} = ${CANARY}`)
    writeFileSync(conf, `${readFileSync(join(ROOT, 'etc/emqx_backend_dynamo.conf'), 'utf8')}\n${keys.join('\n')}\n`)
    const flags = [
      '--json',
      '--verbose',
      '--conf',
      conf,
      '--retry-after',
      '0.05',
      '--duplicate',
      '0.2',
      '--throttle',
      '0.05',
      '--drop-puback',
      '0.2',
      '--fail-action',
      '0.1',
    ]
    const ports = ['--mqtt-port', '0', '--dynamodb-port', '0', '--data-port', '0', '--console-port', '0']
    const env = { ...process.env, AWS_ACCESS_KEY_ID: CANARY, AWS_SECRET_ACCESS_KEY: CANARY, AWS_SESSION_TOKEN: CANARY }
    child = spawn(process.execPath, ['--import', 'tsx', 'bin/mqtt-dynamodb.ts', 'start', ...flags, ...ports], { cwd: ROOT, env })
    const first = new Promise<string>((resolve, reject) => {
      child.stdout!.once('data', (chunk) => resolve(`${chunk}`))
      child.once('exit', () => reject(new Error(`ended: ${printed}`)))
    })
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', print)
    urls = JSON.parse(await first)
  }, 60_000)
  afterAll(async () => {
    await endClients()
    killPrograms()
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  })

  const answers: string[] = []
  async function ask(path: string, body?: string | Buffer, headers: Record<string, string> = {}, base = urls.data): Promise<string> {
    const response = await fetch(base + path, body === undefined ? { headers } : { method: 'POST', body, headers })
    const text = await response.text()
    answers.push(`${response.status} ${path} ${text}`)
    return text
  }
  const queues = async () =>
    (JSON.parse(await ask('/local/queues')) as { queues: { name: string; waiting: number; inFlight: number; deadLetters: unknown[] }[] })
      .queues
  const calm = () =>
    eventually('all events are handled', async () => (await queues()).every(({ waiting, inFlight }) => waiting + inFlight === 0), 40_000)

  it('prints and answers it nowhere', async () => {
    const credentials = { accessKeyId: CANARY.replaceAll(/[^a-z0-9]/g, '-'), secretAccessKey: CANARY }
    const dynamodb = new DynamoDBClient({ endpoint: urls.dynamodb, region: 'us-west-2', credentials })
    const iot = new IoTDataPlaneClient({ endpoint: urls.data, region: 'us-west-2', credentials, maxAttempts: 1 })
    await dynamodb.send(
      new PutItemCommand({ TableName: 'mqtt_sub', Item: { clientid: { S: 'five' }, topic: { S: 'served' }, qos: { N: '1' } } }),
    )

    const will = { topic: 'wills', payload: Buffer.from(CANARY), qos: 1 as const, retain: false }
    const five = await connect(urls.mqtt, 'five', { protocolVersion: 5, ...SECRETS, will })
    const four = await connect(urls.mqtt, 'four', { protocolVersion: 4, ...SECRETS })
    for (const topic of ['queued', 'served', 'kept', 'a/b']) {
      await five.client.publishAsync(topic, CANARY, { qos: 1, retain: topic === 'kept', properties: PROPERTIES })
      await four.client.publishAsync(topic, BINARY, { qos: 1 })
    }
    await four.client.subscribeAsync(['queued', '#'], { qos: 1 })
    await badAcks(five, dynamodb)
    await badEvents()
    await badRequests(iot)
    await Promise.all(['', CANARY, `GET /${CANARY} HTTP/1.1\r\n\r\n`].map(badBytes))
    five.client.publish(`a/#/${CANARY}`, CANARY) // mqtt.js does not send it; the broker is asked above
    await four.client.endAsync(true)
    await calm()
    expect(await ask('/local/metrics')).toContain('message_publish')
    const dead = (await queues()).filter(({ deadLetters }) => deadLetters.length > 0)
    const credentialsOfRedrive = { AWS_ACCESS_KEY_ID: CANARY, AWS_SECRET_ACCESS_KEY: CANARY }
    const { status, out, err } = startMqttDynamodb(['dead-letters', 'redrive', '--endpoint', urls.data], credentialsOfRedrive)
    expect(await status).toBe(1)
    printed += out() + err()
    await calm()

    expect(dead.length).toBeGreaterThan(2)
    for (const said of [
      'redriven, ',
      '"outcome":"done"',
      '"outcome":"failed"',
      '{"_aws":',
      'bad-event',
      'aws_secret_access_key is not used',
      'connection closed',
    ])
      expect(printed).toContain(said)
    for (const status of ['400', '404', '413']) expect(answers.some((answer) => answer.startsWith(status))).toBe(true)
    assertSilent('an answer', answers.join('\n'))
    assertSilent('what it prints', printed)
    iot.destroy()
    dynamodb.destroy()
  }, 90_000)

  async function badAcks({ client }: TestClient, dynamodb: DynamoDBClient): Promise<void> {
    await eventually(
      'a message is stored',
      async () => ((await dynamodb.send(new ScanCommand({ TableName: 'mqtt_msg' }))).Count ?? 0) > 0,
      20_000,
    )
    const [stored] = (await dynamodb.send(new ScanCommand({ TableName: 'mqtt_msg' }))).Items ?? []
    const another = { msgid: stored?.msgid?.S, topic: CANARY.replaceAll(/[+#]/g, '-') }
    for (const ack of [CANARY, JSON.stringify({ msgid: CANARY }), JSON.stringify(another), JSON.stringify([CANARY])])
      await client.publishAsync('acked/five', ack, { qos: 1 })
  }

  async function badEvents(): Promise<void> {
    const bodies = [
      { clientId: 'x', timestamp: CANARY },
      { [CANARY]: 1 },
      { clientId: [CANARY], topic: { a: CANARY } },
      { clientId: 'x', sessionIdentifier: `${CANARY}\0`, payload: CANARY },
    ]
    for (const event of ['presence/connected', 'presence/disconnected', 'subscriptions/subscribed', 'subscriptions/unsubscribed'])
      for (const body of bodies) await ask(`/local/events?topic=$aws/events/${event}/x`, JSON.stringify(body))
  }

  async function badRequests(iot: IoTDataPlaneClient): Promise<void> {
    const user = { 'x-amz-mqtt5-user-properties': Buffer.from(JSON.stringify([{ a: CANARY, b: CANARY }])).toString('base64') }
    await ask('/topics/a%23', CANARY)
    await ask('/topics/a', CANARY, user)
    await ask('/topics/a', Buffer.alloc(200_000, CANARY))
    await ask('/local/events?topic=$aws/events/x', CANARY)
    await ask('/nothing', CANARY)
    const refused = await iot
      .send(new SendDirectMessageCommand({ clientId: 'nobody', topic: 't', payload: Buffer.from(CANARY), contentType: CANARY }))
      .catch(String)
    answers.push(`404 ${refused}`)
    const signed = { authorization: `AWS4-HMAC-SHA256 Credential=7f3a9c, SignedHeaders=host, Signature=7f3a9c` }
    const item = { TableName: 'mqtt_msg', Item: { msgid: { N: '1' }, payload: { S: CANARY } } }
    for (const more of [{}, { ConditionExpression: '(' }, { TableName: 'none' }, { Item: { payload: { S: CANARY } } }])
      await ask('/', JSON.stringify({ ...item, ...more }), { ...signed, 'x-amz-target': 'DynamoDB_20120810.PutItem' }, urls.dynamodb)
    await ask('/', CANARY, { 'x-amz-target': 'DynamoDB_20120810.PutItem', authorization: '7f3a9c' }, urls.dynamodb)
  }

  function badBytes(bytes: string): Promise<void> {
    const socket = connectTo(Number(new URL(urls.mqtt).port), '127.0.0.1').on('error', () => undefined)
    socket.resume().end(bytes)
    return new Promise((resolve) => socket.on('close', () => resolve()))
  }
})

it('is printed nowhere when handlers are killed in the middle of it', async () => {
  const said: string[] = []
  const stack = await startLocalStack({ retryAfterMs: 50, log: (_, line) => void said.push(line) })
  const { client } = await connect(stack.mqttUrl, 'five', { protocolVersion: 5, ...SECRETS })
  await client.subscribeAsync('t', { qos: 1 })
  for (let i = 0; i < 20; i++) {
    await client.publishAsync('t', CANARY, { qos: 1, properties: PROPERTIES })
    if (i % 5 === 4) for (const one of stack.functions) void one.kill()
  }
  await client.endAsync(true)
  await stack.idle()
  await stack.close()
  expect(said.some((line) => line.includes('was killed during the invocation'))).toBe(true)
  assertSilent('what it prints', said.join('\n'))
}, 60_000)
