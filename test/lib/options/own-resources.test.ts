/** Resources that the app has as CDK objects, and what the construct shows of its own. */
import { AttributeType, Table, TableEncryption, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { type App, Stack } from 'aws-cdk-lib/core'
import { HOOKS, hookConfigs } from '../../../lambda/core/hooks.ts'
import { TABLE_NAMES } from '../../../lambda/core/tables.ts'
import { pascalCase } from '../../../lib/construct-ids.ts'
import { MqttBackend, type MqttBackendProps } from '../../../lib/mqtt-backend.ts'
import { grantsOf } from '../../../lib/pipeline/grants.ts'
import { EVERY_HOOK, type Properties, type SynthesizedTemplate, templateOf } from '../../support/synthesized.ts'

const KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const TOPIC_ARN = 'arn:aws:sns:eu-west-1:111122223333:alarms'
const BASE = { hookTable: EVERY_HOOK, dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }

type Own = Partial<MqttBackendProps>
let built: MqttBackend
const stackWith = (own: (stack: Stack) => Own) => (app: App) => {
  const stack = new Stack(app, 'Shop', { env: { region: 'eu-west-1' } })
  built = new MqttBackend(stack, 'Mqtt', { ...BASE, ...own(stack) })
  return stack
}
const shop = (own: (stack: Stack) => Own): SynthesizedTemplate => templateOf(stackWith(own))

/** A hook's statements about KMS, by the service through which they allow it: the key. */
const keysOf = (template: SynthesizedTemplate, hook: (typeof HOOKS)[number], service: string): unknown[] =>
  template
    .one('AWS::IAM::Role', `Mqtt${pascalCase(hook)}`)
    .Properties.Policies.flatMap((policy: Properties) => policy.PolicyDocument.Statement)
    .filter(({ Condition }: Properties) => JSON.stringify(Condition ?? {}).includes(`${service}.eu-west-1`))
    .map(({ Resource }: Properties) => Resource)
const idOf = (template: SynthesizedTemplate, type: string, start: string): string =>
  template.ofType(type).find(([id]) => id.startsWith(start))![0]

describe('what is imported gives the template that its ARN or name gives', () => {
  test.each<[string, Own, (stack: Stack) => Own]>([
    ['a key', { keyArn: KEY_ARN }, (stack) => ({ key: Key.fromKeyArn(stack, 'Key', KEY_ARN) })],
    ['a topic', { alarmTopicArn: TOPIC_ARN }, (stack) => ({ alarmTopic: Topic.fromTopicArn(stack, 'Topic', TOPIC_ARN) })],
    [
      'two tables',
      { existingTables: ['mqtt_msg', 'mqtt_sub'], keyArn: KEY_ARN },
      (stack) => ({
        keyArn: KEY_ARN,
        tables: { mqtt_msg: Table.fromTableName(stack, 'Msg', 'mqtt_msg'), mqtt_sub: Table.fromTableName(stack, 'Sub', 'mqtt_sub') },
      }),
    ],
  ])('%s', (_, named, own) => {
    expect(shop(own).resources).toEqual(shop(() => named).resources)
  })
})

test("tables of the app, each with a key of its own: who uses the table may use its key, nobody else's (I9)", () => {
  const template = shop((stack) => {
    const encryption = { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: new Key(stack, 'Secret') }
    const text = (name: string) => ({ name, type: AttributeType.STRING })
    return {
      tables: {
        mqtt_retain: new Table(stack, 'Kept', { partitionKey: text('topic'), ...encryption }),
        mqtt_acked: new TableV2(stack, 'Acked', { partitionKey: text('topic'), sortKey: text('clientid') }),
      },
    }
  })
  const secret = { 'Fn::GetAtt': [idOf(template, 'AWS::KMS::Key', 'Secret'), 'Arn'] }
  const uses = hookConfigs(EVERY_HOOK).filter((config) => grantsOf(config, { retainIndex: false }).tables.mqtt_retain !== undefined)
  expect(uses.length).toBeLessThan(HOOKS.length)
  for (const { hook } of uses) expect([hook, ...keysOf(template, hook, 'dynamodb')]).toEqual([hook, secret])
  for (const hook of HOOKS.filter((each) => !uses.some((config) => config.hook === each)))
    expect([hook, ...keysOf(template, hook, 'dynamodb')]).toEqual([hook])
  const { Variables } = template.one('AWS::Lambda::Function', 'MqttMessagePublish').Properties.Environment
  expect(Variables.MQTT_RETAIN_TABLE).toEqual({ Ref: idOf(template, 'AWS::DynamoDB::Table', 'Kept') })
  const made = template.ofType('AWS::DynamoDB::Table').flatMap(([, { Properties }]) => Properties.TableName ?? [])
  expect(made.toSorted()).toEqual(built.keptTables.toSorted())
  expect(built.keptTables).toEqual(TABLE_NAMES.filter((name) => name !== 'mqtt_retain' && name !== 'mqtt_acked'))
})

test('a key and a topic of the app', () => {
  const template = shop((stack) => ({ key: new Key(stack, 'Key'), alarmTopic: new Topic(stack, 'Alarms') }))
  const keyArn = { 'Fn::GetAtt': [idOf(template, 'AWS::KMS::Key', 'Key'), 'Arn'] }
  for (const hook of HOOKS) {
    expect([hook, ...keysOf(template, hook, 'dynamodb')]).toEqual([hook, keyArn])
    expect([hook, ...keysOf(template, hook, 'sqs')]).toEqual([hook, keyArn])
  }
  for (const [, { Properties }] of template.ofType('AWS::DynamoDB::Table'))
    expect(Properties.SSESpecification.KMSMasterKeyId).toEqual(keyArn)
  const topic = { Ref: idOf(template, 'AWS::SNS::Topic', 'Alarms') }
  for (const [, { Properties }] of template.ofType('AWS::CloudWatch::Alarm')) expect(Properties.AlarmActions).toEqual([topic])
})

describe('refuses', () => {
  const text = (name: string) => ({ name, type: AttributeType.STRING })
  const key = (stack: Stack) => Key.fromKeyArn(stack, 'Key', KEY_ARN)
  test.each<[string, (stack: Stack) => Own, string]>([
    ['a key twice', (stack) => ({ key: key(stack), keyArn: KEY_ARN }), 'options key and keyArn are both given, wanted one of the two'],
    [
      'a topic twice',
      (stack) => ({ alarmTopic: new Topic(stack, 'T'), alarmTopicArn: TOPIC_ARN }),
      'options alarmTopic and alarmTopicArn are both given, wanted one of the two',
    ],
    [
      'tables twice',
      (stack) => ({ existingTables: true, tables: { mqtt_msg: Table.fromTableName(stack, 'M', 'm') } }),
      'options tables and existingTables are both given, wanted one of the two',
    ],
    [
      'a table that EMQX has not',
      (stack) => ({ tables: { mqtt_message: Table.fromTableName(stack, 'M', 'm') } }) as Own,
      `option tables names mqtt_message, wanted one of ${TABLE_NAMES.join(', ')}`,
    ],
    [
      'another key',
      (stack) => ({ tables: { mqtt_acked: new Table(stack, 'A', { partitionKey: text('topic') }) } }),
      'option tables.mqtt_acked has the key topic (S), wanted topic (S), clientid (S)',
    ],
    [
      'a name for a table',
      () => ({ tables: { mqtt_msg: 'mqtt_msg' } }) as unknown as Own,
      'option tables.mqtt_msg is no construct with tableArn, wanted a table of aws-cdk-lib/aws-dynamodb',
    ],
    [
      'a topic for a key',
      (stack) => ({ key: new Topic(stack, 'T') }) as unknown as Own,
      'option key is no construct with keyArn, wanted a key of aws-cdk-lib/aws-kms',
    ],
    [
      'a key of another region',
      (stack) => ({ key: Key.fromKeyArn(stack, 'K', KEY_ARN.replace('eu-west-1', 'eu-west-2')) }),
      "option key is in eu-west-2, wanted one in eu-west-1, the stack's region",
    ],
    [
      'an option about tables that the stack makes, where it makes none',
      (stack) => ({
        retention: 'dev',
        tables: Object.fromEntries(TABLE_NAMES.map((name) => [name, Table.fromTableName(stack, name, name)])),
      }),
      'option retention is for tables that the stack makes, and with tables it makes none: wanted one of the two',
    ],
  ])('%s', (_, own, message) => {
    expect(() => shop(own)).toThrow(message)
  })
})

test('shows tables, functions, queues, alarms and the dashboard', () => {
  const template = shop(() => ({}))
  const stack = Stack.of(built)
  const typeOf = (value: string): string => template.resources[stack.resolve(value).Ref]!.Type
  expect(Object.keys(built.tables)).toEqual(TABLE_NAMES)
  for (const name of TABLE_NAMES) expect(typeOf(built.tables[name].tableName)).toBe('AWS::DynamoDB::Table')
  expect([...built.hooks.keys()].toSorted()).toEqual(HOOKS.toSorted())
  for (const { function: handler, events, deadLetters } of built.hooks.values()) {
    expect([handler.functionName, events.queueUrl, deadLetters.queueUrl].map(typeOf)).toEqual([
      'AWS::Lambda::Function',
      'AWS::SQS::Queue',
      'AWS::SQS::Queue',
    ])
  }
  expect([built.ruleErrors.queueUrl, built.dashboard.dashboardName, built.alarms[0]!.alarmName].map(typeOf)).toEqual([
    'AWS::SQS::Queue',
    'AWS::CloudWatch::Dashboard',
    'AWS::CloudWatch::Alarm',
  ])
  expect(built.keptTables).toEqual(TABLE_NAMES)
  expect(built.dataEndpoint).toBe(BASE.dataEndpoint)
})

test("grants a function of the app may have change no role of the hooks': those allow what the actions call (I9)", () => {
  const role = (template: SynthesizedTemplate) => template.one('AWS::IAM::Role', 'MqttMessagePublish')
  const plain = role(shop(() => ({})))
  const template = templateOf((app) => {
    const stack = stackWith(() => ({}))(app)
    new Table(stack, 'Other', { partitionKey: { name: 'id', type: AttributeType.STRING } }).grantReadData(
      built.hooks.get('message.publish')!.function,
    )
    return stack
  })
  expect(role(template)).toEqual(plain)
  expect(template.ofType('AWS::IAM::Policy').filter(([id]) => id.includes('MessagePublish'))).toEqual([])
})
