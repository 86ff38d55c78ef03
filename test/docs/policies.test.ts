/** The policies that the pages show: for a device, a service, a reader, an operator, for a redrive, for a trial of a deployed stack. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { actionsOf, grammarProblems } from '../support/iam-grammar.ts'
import type { Properties } from '../support/synthesized.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))]
const policiesIn = (page: string): Properties[] =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/```json\n(\{ "Version"[\s\S]*?)```/g)].map(([, text]) => JSON.parse(text!))
const [device = {}, backend = {}] = policiesIn('docs/devices.md')
const [redriver = {}, smoke = {}] = policiesIn('docs/operations.md')
const [reader = {}, operator = {}] = policiesIn('docs/security.md')
const [durable = {}] = policiesIn('docs/durable.md')
const all = { device, backend, redriver, smoke, reader, operator, durable }

/** AWS IoT developer guide, "Basic AWS IoT Core policy variables" and "Thing policy variables". */
const VARIABLES: Readonly<Record<string, string>> = { 'iot:Connection.Thing.ThingName': 'c1', 'iot:ClientId': 'c1' }
const filledIn = (resource: string) => resource.replaceAll(/\$\{([^}]*)\}/g, (_, name) => VARIABLES[name] ?? `:no variable ${name}:`)
const resourcesOf = ({ Resource }: Properties): string[] => [Resource].flat().map(filledIn)

async function problems(policy: Properties): Promise<string[]> {
  const found = await Promise.all(policy.Statement.map((each: Properties) => grammarProblems(each, resourcesOf(each))))
  return found.flat()
}

/** IoT Core takes `*` in a resource for any characters, and `+` and `#` for themselves. */
function allows(policy: Properties, action: string, resource: string): boolean {
  const matches = (wanted: string) => new RegExp(`^${wanted.replaceAll(/[.$+()|^]/g, '\\$&').replaceAll('*', '.*')}$`).test(resource)
  return policy.Statement.some((each: Properties) => actionsOf(each).includes(action) && resourcesOf(each).some(matches))
}
const byText = (a: Properties, b: Properties) => JSON.stringify(a).localeCompare(JSON.stringify(b))
const arn = (resource: string) => `arn:aws:iot:REGION:ACCOUNT:${resource}`

test('they are all of the pages', () => {
  expect(PAGES.flatMap(policiesIn).sort(byText)).toEqual(Object.values(all).sort(byText))
})

test.each(Object.entries(all))('%s: in the grammar of IAM', async (_, policy) => {
  expect(policy.Version).toBe('2012-10-17')
  expect(await problems(policy)).toEqual([])
  // Only the durable one forbids: to publish below the prefix.
  const effects = policy === durable ? ['Allow', 'Allow', 'Deny'] : policy.Statement.map(() => 'Allow')
  expect(policy.Statement.map(({ Effect }: Properties) => Effect)).toEqual(effects)
})

test.each([
  ['iot:Subscribe', 'topicfilter/durable/cmd/c1', ['Allow']],
  ['iot:Subscribe', 'topicfilter/durable/cmd/c2', []],
  ['iot:Receive', 'topic/durable/cmd/c1', ['Allow']],
  ['iot:Publish', 'topic/durable/cmd/c1', ['Deny']],
  ['iot:RetainPublish', 'topic/durable/x', ['Deny']],
])('durable: %s on %s: %p', (action, resource, effects) => {
  const found = durable.Statement.filter((one: Properties) => allows({ Statement: [one] }, action, arn(resource)))
  expect(found.map(({ Effect }: Properties) => Effect)).toEqual(effects)
})

test.each([device, backend])('it fits into IoT Core, which takes 2,048 characters without spaces', (policy) => {
  expect(JSON.stringify(policy).replaceAll(/\s/g, '').length).toBeLessThan(2048)
})

test.each([
  ['iot:Connect', 'client/c1', true],
  ['iot:Connect', 'client/c2', false],
  ['iot:Publish', 'topic/sensors/c1/state', true],
  ['iot:RetainPublish', 'topic/sensors/c1/state', true],
  ['iot:Subscribe', 'topicfilter/sensors/c1/#', true],
  ['iot:Receive', 'topic/sensors/c1/state', true],
  ['iot:Publish', 'topic/sensors/c2/state', false],
  ['iot:Receive', 'topic/sensors/c2/state', false],
  ['iot:Subscribe', 'topicfilter/#', false],
  ['iot:Subscribe', 'topicfilter/cmd/c1', true],
  ['iot:Receive', 'topic/cmd/c1', true],
  ['iot:Publish', 'topic/cmd/c1', false],
  ['iot:Receive', 'topic/cmd/c2', false],
  ['iot:Subscribe', 'topicfilter/cmd/+', false],
  ['iot:Publish', 'topic/replies', true],
  ['iot:Publish', 'topic/acked/c1', true],
  ['iot:Publish', 'topic/acked/c2', false],
  ['iot:Publish', 'topic/acked/c1/x', false],
  ['iot:Publish', 'topic/$aws/events/presence/connected/c1', false],
])("a device's: %s on %s: %s", (action, resource, wanted) => {
  expect(allows(device, action, arn(resource))).toBe(wanted)
})

test.each([
  ['iot:Connect', 'client/backend-1', true],
  ['iot:Connect', 'client/c1', false],
  ['iot:Publish', 'topic/cmd/c1', true],
  ['iot:Publish', 'topic/acked/c1', false],
  ['iot:Subscribe', 'topicfilter/replies', true],
  ['iot:Receive', 'topic/replies', true],
  ['iot:Subscribe', 'topicfilter/#', false],
])("a backend service's: %s on %s: %s", (action, resource, wanted) => {
  expect(allows(backend, action, arn(resource))).toBe(wanted)
})

describe('who reads and changes rows by hand', () => {
  const READS = ['GetItem', 'Query', 'Scan']
  const OPERATION: Readonly<Record<string, string>> = {
    'get-item': 'GetItem',
    query: 'Query',
    scan: 'Scan',
    'put-item': 'PutItem',
    'delete-item': 'DeleteItem',
  }
  const table = (name: string) => `arn:aws:dynamodb:REGION:ACCOUNT:table/${name}`
  /** The `aws dynamodb` commands about items on the pages. */
  const typed = PAGES.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/aws dynamodb ([a-z-]+) --table-name (mqtt_\w+)/g)].flatMap(([, command, name]) =>
      OPERATION[command!] === undefined ? [] : [{ operation: OPERATION[command!]!, name: name! }],
    ),
  )
  const granted = (policy: Properties, service = 'dynamodb') =>
    [...new Set<string>(policy.Statement.flatMap(actionsOf))].filter((action) => action.startsWith(`${service}:`)).sort()
  /** What the commands call beside: test/cli/operate-calls.test.ts records their calls. */
  const OF_COMMANDS = ['dynamodb:BatchGetItem', 'dynamodb:DescribeTable']

  test('the operator may do what the pages let one type, and nothing that none lets', () => {
    const forbidden = typed.filter(({ operation, name }) => !allows(operator, `dynamodb:${operation}`, table(name)))
    expect(forbidden).toEqual([])
    expect(granted(operator)).toEqual([...new Set([...typed.map(({ operation }) => `dynamodb:${operation}`), ...OF_COMMANDS])].sort())
  })

  test('the reader may do of it what changes nothing', () => {
    expect(granted(reader)).toEqual([...READS.map((operation) => `dynamodb:${operation}`), ...OF_COMMANDS].sort())
    expect([...granted(reader, 'sqs'), ...granted(reader, 'iot')]).toEqual([])
    for (const { operation, name } of typed) expect(allows(reader, `dynamodb:${operation}`, table(name))).toBe(READS.includes(operation))
  })

  test.each([
    ['iot:Publish', arn('topic/cmd/c1'), true],
    ['iot:SendDirectMessage', arn('client/c1'), true],
    ['iot:Connect', arn('client/c1'), false],
    ['sqs:SendMessage', 'arn:aws:sqs:REGION:ACCOUNT:MqttBackend-SessionCreatedQueueEventsEA10D4A6-JTbQ1dVz0aYq', true],
    ['sqs:SendMessage', 'arn:aws:sqs:REGION:ACCOUNT:MqttBackend-MessagePublishQueueEventsEA10D4A6-JTbQ1dVz0aYq', false],
    ['sqs:ReceiveMessage', 'arn:aws:sqs:REGION:ACCOUNT:MqttBackend-SessionCreatedQueueEventsEA10D4A6-JTbQ1dVz0aYq', false],
  ])("an operator's: %s on %s: %s", (action, resource, wanted) => {
    expect(allows(operator, action, resource)).toBe(wanted)
  })

  test.each(TABLE_NAMES)('%s by hand: what docs/tables.md allows', (name) => {
    const rows = ['mqtt_msg', 'mqtt_sub', 'mqtt_acked', 'mqtt_client']
    expect(allows(operator, 'dynamodb:DeleteItem', table(name))).toBe(rows.includes(name))
    expect(allows(operator, 'dynamodb:PutItem', table(name))).toBe(name === 'mqtt_sub')
  })
})

describe('who tries a stack', () => {
  /** Commands of an SDK client that the sources name. */
  const sent = (client: string) => {
    const files = [...readdirSync(join(ROOT, 'cli', 'smoke')).map((name) => `cli/smoke/${name}`), 'cli/demo/demo-stage.ts']
    const imports = files.flatMap((file) => [
      ...readFileSync(join(ROOT, file), 'utf8').matchAll(new RegExp(`import \\{([^}]*)\\} from '@aws-sdk/${client}'`, 'g')),
    ])
    return new Set(imports.flatMap(([, names]) => [...names!.matchAll(/(\w+)Command/g)].map(([, name]) => name!)))
  }
  const granted = (service: string) =>
    smoke.Statement.flatMap(actionsOf)
      .filter((action: string) => action.startsWith(`${service}:`))
      .map((action: string) => action.split(':')[1])

  test('exactly what npm run smoke calls', () => {
    expect(granted('dynamodb').sort()).toEqual([...sent('client-dynamodb')].sort())
    // Queues are listed and counted, the probe's is read.
    expect(granted('sqs').sort()).toEqual(['DeleteMessage', 'GetQueueAttributes', 'ListQueues', 'ReceiveMessage'])
    const clients = ['Connect', 'Publish', 'RetainPublish', 'Receive', 'Subscribe', 'Subscribe', 'Receive']
    expect(granted('iot').sort()).toEqual(['DescribeEndpoint', ...sent('client-iot-data-plane'), ...clients].sort())
  })

  test.each([
    ['iot:Connect', 'client/smoke-1a-witness', true],
    ['iot:Connect', 'client/pump-7', false],
    ['iot:Publish', 'topic/smoke/1a/test', true],
    ['iot:Publish', 'topic/sensors/1', false],
    ['iot:Subscribe', 'topicfilter/smoke/1a/sensors/+/state', true],
    ['iot:Subscribe', 'topicfilter/$share/g/smoke/1a/shared', true],
    ['iot:Subscribe', 'topicfilter/$aws/events/subscriptions/subscribed/smoke-1a-sharer', true],
    ['iot:Receive', 'topic/sensors/1', false],
  ])('%s on %s: %s', (action, resource, wanted) => {
    expect(allows(smoke, action, arn(resource))).toBe(wanted)
  })
})

test('what is wrong would be found', async () => {
  const statement = (Action: string, resource: string) => ({ Statement: [{ Effect: 'Allow', Action, Resource: arn(resource) }] })
  expect(await problems(statement('iot:Recieve', 'topic/a'))).toEqual(['there is no action iot:Recieve'])
  expect(await problems(statement('iot:Subscribe', 'topic/a'))).toEqual([`iot:Subscribe is not for ${arn('topic/a')}`])
  expect(await problems(statement('iot:Publish', `topic/$${'{iot:ClientID}'}`))).toHaveLength(1)
})
