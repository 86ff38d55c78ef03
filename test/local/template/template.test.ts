import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTemplate } from '../../../local/template/template.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'template-'))
  writeFileSync(
    join(directory, 'manifest.json'),
    JSON.stringify({ artifacts: { MqttBackend: { environment: 'aws://unknown-account/eu-west-1' } } }),
  )
})
afterEach(() => rmSync(directory, { recursive: true }))

const RESOURCES = {
  MqttMsg: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's, not ours
      TableName: { 'Fn::Sub': 'p-${AWS::Region}-mqtt_msg' },
      KeySchema: [{ AttributeName: 'msgid', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'msgid', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
    },
  },
  EventsAAAAAAAA: {
    Type: 'AWS::SQS::Queue',
    Properties: { RedrivePolicy: { maxReceiveCount: 5, deadLetterTargetArn: { 'Fn::GetAtt': ['DeadBBBBBBBB', 'Arn'] } } },
  },
  DeadBBBBBBBB: { Type: 'AWS::SQS::Queue' },
  ErrorsDDDDDDDD: { Type: 'AWS::SQS::Queue' },
  Rule: {
    Type: 'AWS::IoT::TopicRule',
    Properties: {
      RuleName: 'all',
      TopicRulePayload: {
        Sql: "SELECT * FROM '#'",
        Actions: [{ Sqs: { QueueUrl: { Ref: 'EventsAAAAAAAA' }, RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] }, UseBase64: false } }],
        ErrorAction: { Sqs: { QueueUrl: { Ref: 'ErrorsDDDDDDDD' }, RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] }, UseBase64: false } },
      },
    },
  },
  HookCCCCCCCC: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Handler: 'index.handler',
      Timeout: 30,
      MemorySize: 256,
      Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
      Environment: { Variables: { TABLE: { Ref: 'MqttMsg' }, ENDPOINT: { 'Fn::GetAtt': ['Endpoint', 'endpointAddress'] } } },
    },
    Metadata: { 'aws:asset:path': 'asset.1' },
  },
  Endpoint: { Type: 'Custom::IotDataEndpoint' },
  Source: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      BatchSize: 7,
      ScalingConfig: { MaximumConcurrency: 100 },
      EventSourceArn: { 'Fn::GetAtt': ['EventsAAAAAAAA', 'Arn'] },
      FunctionName: { Ref: 'HookCCCCCCCC' },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    },
  },
}

const write = (resources: object) => writeFileSync(join(directory, 'MqttBackend.template.json'), JSON.stringify({ Resources: resources }))

test('rule -> queue -> function, tables and environment, with references resolved', () => {
  write(RESOURCES)
  const template = readTemplate(directory)
  const arnOf = (id: string) => `arn:aws:sqs:eu-west-1:000000000000:MqttBackend-${id}-LOCAL`
  const arn = arnOf('EventsAAAAAAAA')
  expect(template.region).toBe('eu-west-1')
  expect(template.queues).toEqual([
    { name: 'Events', arn, redrivePolicy: { maxReceiveCount: 5, deadLetters: arnOf('DeadBBBBBBBB') } },
    { name: 'Dead', arn: arnOf('DeadBBBBBBBB') },
    { name: 'Errors', arn: arnOf('ErrorsDDDDDDDD') },
  ])
  expect(template.rules).toEqual([{ name: 'all', sql: "SELECT * FROM '#'", queue: arn, errors: arnOf('ErrorsDDDDDDDD') }])
  expect(template.tables).toEqual([
    {
      create: {
        TableName: 'p-eu-west-1-mqtt_msg',
        KeySchema: [{ AttributeName: 'msgid', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'msgid', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      },
      ttl: 'expires_at',
    },
  ])
  const [source] = template.sources('http://127.0.0.1:1')
  expect(source).toEqual({
    queue: arn,
    batchSize: 7,
    partialResponses: true,
    maxConcurrency: 100,
    function: {
      name: 'Hook',
      code: join(directory, 'asset.1'),
      handler: 'index.handler',
      timeoutMs: 30_000,
      memoryMegabytes: 256,
      environment: { TABLE: 'p-eu-west-1-mqtt_msg', ENDPOINT: 'http://127.0.0.1:1' },
    },
  })
})

test.each([
  ['an intrinsic function that is not known', { MqttMsg: { ...RESOURCES.MqttMsg, Properties: { TableName: { 'Fn::If': [] } } } }, 'Fn::If'],
  ['a reference to nothing', { MqttMsg: { ...RESOURCES.MqttMsg, Properties: { TableName: { Ref: 'Gone' } } } }, 'refers to Gone'],
  [
    'a rule whose action is no queue',
    { Rule: { Type: 'AWS::IoT::TopicRule', Properties: { RuleName: 'r', TopicRulePayload: { Sql: '', Actions: [{ Lambda: {} }] } } } },
    'rule r has an action',
  ],
])('refuses %s', (_, resources, text) => {
  write(resources)
  expect(() => readTemplate(directory)).toThrow(text)
})
