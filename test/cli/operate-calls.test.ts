/** What the operators' commands ask of DynamoDB: how often, and that the policies of docs/security.md allow it. */
import { readFileSync } from 'node:fs'
import { BatchWriteItemCommand, type BatchWriteItemCommandInput, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { encodeMsgid } from '../../lambda/core/msgid.ts'
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients } from '../support/mqtt-client.ts'
import { here } from '../support/run-program.ts'

let backend: Backend
let client: DynamoDBClient
/** Operations of the command that runs, as IAM names them, with what they asked. */
const calls: { readonly operation: string; readonly input: object }[] = []
const send = DynamoDBClient.prototype.send

const CLIENTS = 1_000
const TOPICS = 1_000
const QUEUED = 400
/** Of a topic with a message a second. */
const SEGMENTS = 1_500
const BEGIN = 1_700_000_000_000

const idsOf = (segment: number): string[] =>
  Array.from({ length: 16 }, (_, i) => encodeMsgid({ micros: BigInt(BEGIN + (segment * 16 + i) * 1000) * 1000n, node: 1n, sequence: 1 }))

beforeAll(async () => {
  backend = await startBackend()
  client = new DynamoDBClient({
    endpoint: backend.dynamodbUrl,
    region: 'us-west-2',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  })
  await fill('mqtt_client', CLIENTS, (i) => ({ clientid: { S: `c${i}` }, connect_state: { N: '1' } }))
  await fill('mqtt_sub', CLIENTS, (i) => ({ clientid: { S: `c${i}` }, topic: { S: `t/${i}` }, qos: { N: '1' } }))
  await fill('mqtt_topic_msg_map', TOPICS, (i) => ({
    topic: { S: `t/${i}` },
    MsgId: { SS: [encodeMsgid({ micros: BigInt(1_700_000_000_000_000 + i), node: 1n, sequence: 1 })] },
  }))
  await fill('mqtt_topic_msg_map', SEGMENTS, (i) => ({ topic: { S: `oc/year\u0000${i}` }, MsgId: { SS: idsOf(i) } }))
  const head = { topic: { S: 'oc/year' }, MsgId: { SS: idsOf(SEGMENTS) }, seq: { N: `${SEGMENTS}` }, first: { N: '0' } }
  await client.send(new PutItemCommand({ TableName: 'mqtt_topic_msg_map', Item: head }))
  const all = Array.from({ length: SEGMENTS + 1 }, (_, i) => idsOf(i)).flat()
  const stored = [...all.slice(0, 50), ...all.slice(9_000, 9_100), ...all.slice(-50)]
  await fill('mqtt_msg', stored.length, (i) => ({
    msgid: { S: stored[i]! },
    topic: { S: 'oc/year' },
    sender: { S: 's' },
    payload: { S: `${all.indexOf(stored[i]!)}` },
    qos: { N: '1' },
    retain: { N: '0' },
    arrived: { N: '1700000000' },
  }))
  const { client: device } = await backend.connect('oc/sender')
  for (let i = 0; i < QUEUED; i++) await device.publishAsync('oc/deep', `${i}`, { qos: 1 })
  await backend.idle()
  jest.spyOn(DynamoDBClient.prototype, 'send').mockImplementation(function (this: DynamoDBClient, ...args: never[]) {
    const [command] = args as unknown as [{ readonly input: object }]
    calls.push({ operation: command.constructor.name.replace(/Command$/, ''), input: command.input })
    return send.apply(this, args as never)
  } as never)
}, 60_000)
beforeEach(() => void calls.splice(0))
afterAll(async () => {
  jest.restoreAllMocks()
  client.destroy()
  await endClients()
  await backend.close()
})

type Item = NonNullable<NonNullable<BatchWriteItemCommandInput['RequestItems']>[string][number]['PutRequest']>['Item']

async function fill(table: string, count: number, itemOf: (i: number) => Item): Promise<void> {
  for (let i = 0; i < count; i += 25) {
    const writes = Array.from({ length: 25 }, (_, n) => ({ PutRequest: { Item: itemOf(i + n) } }))
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: writes } }))
  }
}

const run = (...args: string[]) => here(...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)

/** Its message number n was published n seconds after the first. */
const listed = async (...flags: string[]) => {
  const { out, err, status } = await run('messages', 'list', 'oc/year', ...flags, '--json')
  expect({ err, status }).toEqual({ err: '', status: 0 })
  return JSON.parse(out).messages.map(({ payload }: { payload: string }) => Number(payload))
}
const second = (n: number) => new Date(BEGIN + n * 1000).toISOString()

test.each([
  ['from the middle on, oldest first', ['--from', second(9_010), '-n', '3'], [9_010, 9_011, 9_012]],
  ['a span', ['--from', second(9_010), '--to', second(9_012)], [9_010, 9_011, 9_012]],
  ['up to the middle, newest first', ['--to', second(9_050), '-n', '3'], [9_050, 9_049, 9_048]],
  ['from before the first', ['--from', '2000-01-01', '-n', '2'], [0, 1]],
  ['the end, which the head has', ['--from', second(24_014)], [24_014, 24_015]],
  ['after the last', ['--from', second(24_016)], []],
  ['up to before the first', ['--to', '2000-01-01'], []],
])('messages list of a time: %s, in at most 25 requests', async (_, flags, wanted) => {
  expect(await listed(...flags)).toEqual(wanted)
  expect(calls.length).toBeLessThanOrEqual(25)
  expect(new Set(calls.map(({ operation }) => operation))).toEqual(
    new Set(wanted.length > 0 || calls.length > 1 ? ['GetItem', 'BatchGetItem'] : ['GetItem']),
  )
})

test.each([
  [['--from', second(2), '--to', second(1)], `--from is ${second(2)} and --to ${second(1)}, wanted --from before --to`],
  [['--from', 'yesterday'], '--from is "yesterday", wanted a time such as'],
  [['--to', '2026-02-30'], '--to is "2026-02-30", wanted a time such as'],
  [['--to', '2026-02-03T10:00'], '--to is "2026-02-03T10:00", wanted a time such as'],
])('messages list refuses %j', async (flags, why) => {
  expect(await run('messages', 'list', 'oc/year', ...flags)).toEqual({ status: 2, out: '', err: expect.stringContaining(why) })
  expect(calls).toEqual([])
})

/** Of a client, a topic or a queue each reads keys, a page, or the newest segments: so it does not grow with the tables. */
test.each<[string, number]>([
  ['clients show c7', 3],
  ['queues show oc/deep', 6],
  ['messages list oc/deep -n 20', 6],
  ['messages list t/7 -n 20', 6],
  ['clients list --limit 50', 1],
  ['queues list --limit 50', 1],
  ['subscriptions list --limit 50', 1],
])('%s: at most %d requests on tables of thousands of rows', async (command, most) => {
  expect(await run(...command.split(' '))).toMatchObject({ status: 0 })
  expect(calls.length).toBeLessThanOrEqual(most)
  expect(calls.length).toBeGreaterThan(0)
  // A page is as large as it was asked for, and nothing but a list scans.
  const scans = calls.filter(({ operation }) => operation === 'Scan')
  expect(scans).toHaveLength(command.includes(' list --limit') ? 1 : 0)
  for (const { input } of scans) expect(input).toMatchObject({ Limit: 50 })
})

test('messages list shows the newest of a deep queue', async () => {
  const { out } = await run('messages', 'list', 'oc/deep', '-n', '20', '--json')
  const payloads = JSON.parse(out).messages.map(({ payload }: { payload: string }) => payload)
  expect(payloads).toEqual(Array.from({ length: 20 }, (_, i) => `${QUEUED - 1 - i}`))
})

test('queues list --top: the whole table in pages, said before; the deepest first', async () => {
  const { out, err, status } = await run('queues', 'list', '--top', '3', '--rate', '10000', '--json')
  expect(status).toBe(0)
  expect(err).toMatch(/^reads all of mqtt_topic_msg_map: about \d+ rows, \d+ read units/)
  const { queues, next } = JSON.parse(out)
  expect([queues.length, queues[0].topic, queues[1].topic, next]).toEqual([3, 'oc/year', 'oc/deep', undefined])
  // A segment counts as 16, and holds more after a burst.
  expect(queues[0]).toMatchObject({ exact: false })
  expect(queues[0].about).toBeGreaterThan(queues[1].about)
  const scans = calls.filter(({ operation }) => operation === 'Scan')
  expect(scans.length).toBeGreaterThan(TOPICS / 100 - 1)
  expect(calls.length).toBe(scans.length + 1)
})

const [reader, operator] = [...readFileSync('docs/security.md', 'utf8').matchAll(/```json\n(\{ "Version"[\s\S]*?)```/g)].map(([, text]) =>
  [...text!.matchAll(/"dynamodb:(\w+)"/g)].map(([, action]) => action!),
)

test("what reads asks exactly what the reader's policy allows", async () => {
  const commands = [
    'clients list',
    'clients show c7',
    'subscriptions list',
    'subscriptions list c7',
    'queues show oc/deep',
    'messages list oc/deep',
    'retained list',
    'retained show none',
    'retained export',
  ]
  for (const command of commands) await run(...command.split(' '))
  expect(new Set(calls.map(({ operation }) => operation))).toEqual(new Set(reader))
})

test("what writes on AWS, too, asks no more than the operator's policy allows", async () => {
  for (const command of [
    'subscriptions add c7 x/y',
    'subscriptions del c7 x/y',
    'messages replay t/7 --to c7',
    'messages send a/{clientid} --to c7 --payload x',
    'retained put oc/r --payload x',
    'retained delete oc/r --yes',
  ])
    expect(await run(...command.split(' '))).toMatchObject({ err: '' })
  expect(calls.map(({ operation }) => operation).filter((operation) => !operator!.includes(operation))).toEqual([])
  expect(calls.map(({ operation }) => operation)).toEqual(expect.arrayContaining(['PutItem', 'DeleteItem']))
})
