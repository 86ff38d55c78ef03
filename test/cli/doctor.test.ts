/** `mqtt-dynamodb doctor`, over a backend that runs here; with --aws over stand-ins for AWS's control planes. */
import { DynamoDBClient, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb'
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

const run = (...args: string[]) => here('doctor', ...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)
const onAws = async () => {
  const said = await ended(
    startMqttDynamodb(['doctor', '--aws', '--region', 'us-west-2', '--data', backend.dataUrl, '--control', planes.url, '--json'], {
      AWS_ENDPOINT_URL_DYNAMODB: backend.dynamodbUrl,
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
    }),
  )
  expect(said.err).toBe('')
  return { status: said.status, ...(JSON.parse(said.out) as { findings: { state: string; what: string; todo?: string }[] }) }
}

test('the local run is well: tables, time to live, presence and subscriptions', async () => {
  const { client } = await backend.connect('d/well')
  await client.subscribeAsync('d/t', { qos: 1 })
  await backend.idle()
  expect(await run()).toEqual({
    status: 0,
    err: '',
    out: `good   all six tables are there
good   expired rows are deleted (time to live is on)
good   1 of 1 clients that were looked at: presence and subscriptions are IoT Core's
`,
  })
})

test('a client that the table has wrong, and a subscription that it lacks', async () => {
  const { client } = await backend.connect('d/lost')
  await client.subscribeAsync('d/lost/t', { qos: 1 })
  await backend.idle()
  await backend.remove('mqtt_sub', { clientid: { S: 'd/lost' }, topic: { S: 'd/lost/t' } })
  await backend.put('mqtt_client', { clientid: { S: 'd/ghost' }, connect_state: { N: '1' } })
  const { status, out } = await run('--clients', '100')
  expect(status).toBe(0)
  expect(out).toContain('LOOK   client "d/ghost": the table says online, IoT Core says not connected\n')
  expect(out).toContain('LOOK   client "d/lost": IoT Core has its subscription to "d/lost/t", mqtt_sub does not\n')
  await backend.remove('mqtt_client', { clientid: { S: 'd/ghost' } })
})

test('--fix switches time to live on', async () => {
  const client = new DynamoDBClient({
    endpoint: backend.dynamodbUrl,
    region: 'us-west-2',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  })
  const TimeToLiveSpecification = { AttributeName: 'expires_at', Enabled: false }
  await client.send(new UpdateTimeToLiveCommand({ TableName: 'mqtt_msg', TimeToLiveSpecification }))
  client.destroy()
  const off = await run('--clients', '0')
  expect(off.out).toContain('LOOK   expired rows of mqtt_msg stay: its time to live is off\n       doctor --fix switches it on')
  expect((await run('--clients', '0', '--fix')).out).toContain('good   time to live of mqtt_msg is on now (expires_at)\n')
  expect((await run('--clients', '0')).out).toContain('expired rows are deleted')
})

const ROLES = ['Rules', 'RulesErrors'].map((name) => `arn:aws:iam::111122223333:role/MqttBackend-${name}`)
const QUEUES = ['Events', 'Errors'].map((name) => `arn:aws:sqs:us-west-2:111122223333:MqttBackend-${name}`)
const LOW = [
  'publishes from devices a second, by default it is 20000',
  'publishes to devices a second, by default it is 20000',
  'rule evaluations a second, by default it is 20000',
  'connects a second, by default it is 500',
  'GetRetainedMessage a second, by default it is 500',
]

test('on AWS: bootstrap, concurrency, logging, mappings, roles of rules, quotas and who is told', async () => {
  planes.answers = ILL
  const ill = await onAws()
  const bad = ill.findings.filter(({ state }) => state !== 'good')
  expect(bad.filter(({ what }) => !what.startsWith('client')).map(({ state, what }) => `${state}: ${what}`)).toEqual([
    'look: no CDKToolkit in us-west-2',
    'wrong: Lambda runs 10 executions at a time, for everything in the region',
    'look: IoT Core does not log: no alarm tells of a rule whose SQL fails',
    'wrong: nothing reads queue MqttBackend-MessagePublishQueueEventsEA10D4A6-x: its mapping is Disabled',
    ...ROLES.map((role) => `wrong: IoT Core may not take role ${role} of the rules`),
    ...ROLES.map((role, i) => `wrong: role ${role} may not send to ${QUEUES[i]}: sqs:SendMessage is implicitDeny`),
    ...LOW.map((what) => `look: IoT Core: 100 ${what}`),
    'wrong: nobody is told of the alarms of stack MqttBackend',
  ])
  expect(bad.every(({ todo }) => todo !== undefined)).toBe(true)
  planes.answers = { ...WELL, ListSubscriptionsByTopic: [200, '<SubscriptionArn>PendingConfirmation</SubscriptionArn>'] }
  const waiting = await onAws()
  expect([waiting.status, waiting.findings.filter(({ state }) => state === 'wrong').map(({ what }) => what)]).toEqual([
    1,
    ['1 of 1 subscriptions of arn:aws:sns:us-west-2:111122223333:ops are not confirmed'],
  ])
  planes.answers = WELL
  const well = await onAws()
  expect([well.status, well.findings.filter(({ state }) => state === 'wrong')]).toEqual([0, []])
  expect(well.findings.filter(({ state }) => state === 'good').map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      '1 rules: their 2 roles may send to their queues',
      'IoT Core takes 20000 publishes a second, and no less of the rest than by default',
    ]),
  )
})

test('on AWS: a role that is gone, and what the operator may not ask', async () => {
  planes.answers = { ...WELL, GetRole: [404, '<Code>NoSuchEntity</Code>'], SimulatePrincipalPolicy: [404, '<Code>NoSuchEntity</Code>'] }
  const gone = (await onAws()).findings.filter(({ state }) => state === 'wrong').map(({ what }) => what)
  expect(gone).toEqual(ROLES.map((role) => `role ${role} of the rules is not there`))
  const refused: readonly [number, string] = [403, '{"Message":"not allowed"}']
  planes.answers = { ...WELL, GetRole: refused, SimulatePrincipalPolicy: refused, GetServiceQuota: refused }
  const open = (await onAws()).findings.filter(({ state }) => state === 'open').map(({ what }) => what)
  expect(open).toEqual([
    ...ROLES.map((role) => `who may take ${role} (iam:GetRole): not asked (403 not allowed)`),
    ...ROLES.map((role) => `what ${role} may do (iam:SimulatePrincipalPolicy): not asked (403 not allowed)`),
    "IoT Core's quotas (servicequotas:GetServiceQuota): not asked (403 not allowed)",
  ])
  planes.answers = { ...WELL, '/rules/MqttBackend_MessagePublish_RuleAll334359_18C235AE': refused }
  expect((await onAws()).findings.filter(({ state }) => state === 'open').map(({ what }) => what)).toEqual([
    'roles of rules (iot:GetTopicRule): not asked (403 not allowed)',
  ])
})

test('on AWS: each service is asked by the name that its signature must have', async () => {
  planes.asked.length = 0
  planes.answers = WELL
  await onAws()
  expect([...new Set(planes.asked)].sort()).toEqual([
    'cloudformation DescribeStacks',
    'iam GetRole',
    'iam SimulatePrincipalPolicy',
    'iot /rules',
    'iot /rules/MqttBackend_MessagePublish_RuleAll334359_18C235AE',
    'iot /v2LoggingOptions',
    'lambda /2015-03-31/event-source-mappings',
    'lambda /2016-08-19/account-settings',
    'monitoring DescribeAlarms',
    'servicequotas GetServiceQuota',
    'sns ListSubscriptionsByTopic',
  ])
})
