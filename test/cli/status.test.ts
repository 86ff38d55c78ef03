/** `mqtt-dynamodb status`, over a backend that runs here; with --aws over stand-ins for AWS's control planes. */
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients } from '../support/mqtt-client.ts'
import { ended, here, killPrograms, startMqttDynamodb } from '../support/run-program.ts'
import { type ControlPlanes, ILL, startControlPlanes, WELL } from './control-planes.ts'

let backend: Backend
let planes: ControlPlanes
beforeAll(async () => {
  backend = await startBackend()
  planes = await startControlPlanes()
})
afterEach(() => endClients())
afterAll(async () => {
  killPrograms()
  await planes.close()
  await backend.close()
})

const run = (...args: string[]) => here('status', ...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)
const onAws = () =>
  ended(
    startMqttDynamodb(['status', '--aws', '--region', 'us-west-2', '--control', planes.url, '--json'], {
      AWS_ENDPOINT_URL_DYNAMODB: backend.dynamodbUrl,
      AWS_ENDPOINT_URL_SQS: backend.dataUrl,
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
    }),
  )

test('nothing is wrong: tables, queues and what the run counts', async () => {
  const { client } = await backend.connect('st/one')
  for (let i = 0; i < 20; i++) await client.publishAsync('st/deep', `${i}`, { qos: 1 })
  await backend.idle()
  const { status, out } = await run()
  expect(status).toBe(0)
  expect(out).toMatch(/^good {3}nothing is wrong\n\nTABLE +STATE/)
  expect(out).toMatch(/\nmessage\.publish +0 +0 +0\n/)
  expect(out).toMatch(/1 clients connected; since the run began 20 publishes stored/)
  expect(out).toMatch(/a publish has met about 20 messages on its topic, the oldest of \d+ s\n$/)
})

test('dead letters and failed events come first, with what to do; exit status 1', async () => {
  await backend.event('$aws/events/presence/connected/st-bad', { clientId: 'st-bad' })
  await backend.idle()
  const { status, out } = await run()
  expect(status).toBe(1)
  expect(out).toMatch(/^WRONG {2}\d+ dead letters of [a-z.]+\n {7}npx mqtt-dynamodb dead-letters list says why/)
  expect(out).toMatch(/\nLOOK {3}\d+ events failed, each at a try: client\.connected: bad-event\n/)
  expect(JSON.parse((await run('--json')).out)).toMatchObject({ wrong: true, local: { rows: expect.any(Number) } })
})

test('a table that is missing', async () => {
  const other = await startBackend()
  const client = new DynamoDBClient({
    endpoint: other.dynamodbUrl,
    region: 'us-west-2',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  })
  await client.send(new DeleteTableCommand({ TableName: 'mqtt_acked' }))
  client.destroy()
  const { status, out } = await here('status', '--dynamodb', other.dynamodbUrl, '--endpoint', other.dataUrl)
  expect([status, out]).toEqual([1, expect.stringMatching(/^WRONG {2}table mqtt_acked is missing\n/)])
  await other.close()
})

test('a run that has ended: one line', async () => {
  expect(await here('status', '--dynamodb', 'http://127.0.0.1:9', '--endpoint', 'http://127.0.0.1:9')).toMatchObject({
    status: 1,
    out: '',
    err: expect.stringMatching(/^status: [^\n]*127\.0\.0\.1:9[^\n]*\n$/),
  })
})

test('on AWS: rules, event source mappings and alarms, asked with signed requests', async () => {
  planes.answers = ILL
  const ill = await onAws()
  const { findings } = JSON.parse(ill.out) as { findings: { state: string; what: string; todo?: string }[] }
  expect([ill.status, ill.err]).toEqual([1, ''])
  const wrong = findings.filter(({ what }) => !/dead letters of|^table/.test(what))
  expect(wrong.map(({ state, what }) => `${state}: ${what}`)).toEqual([
    'wrong: rule MqttBackend_MessagePublish_RuleAll334359_18C235AE is disabled: its events are lost',
    'wrong: nothing reads queue MqttBackend-MessagePublishQueueEventsEA10D4A6-x: its mapping is Disabled',
    'wrong: alarm: Dead letters: message.publish. Read the log',
  ])
  expect(planes.asked.sort()).toEqual(['iot /rules', 'lambda /2015-03-31/event-source-mappings', 'monitoring DescribeAlarms'])
  planes.answers = { ...WELL, '/rules': [403, '{"message":"no"}'] }
  const open = JSON.parse((await onAws()).out) as { findings: { state: string; what: string }[] }
  expect(open.findings.filter(({ what }) => !what.includes('dead letters'))).toEqual([
    { state: 'open', what: 'rules (iot:ListTopicRules): not asked (403 no)', todo: expect.any(String) },
  ])
})
