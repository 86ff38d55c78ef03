import * as dynamodb from '@aws-sdk/client-dynamodb'
import * as dataPlane from '@aws-sdk/client-iot-data-plane'
import { HOOKS, type HookName, hookConfigs } from '../../lambda/core/hooks.ts'
import { DELIVERING_HOOKS } from '../../lambda/core/metrics.ts'
import { TABLE_NAMES, type TableName, tableVariable } from '../../lambda/core/tables.ts'
import { topicMatches } from '../../lambda/core/topic.ts'
import { pascalCase } from '../../lib/construct-ids.ts'
import type { BackendOptions } from '../../lib/options/options.ts'
import { grantsOf } from '../../lib/pipeline/grants.ts'
import { HOOK_SETTINGS } from '../../lib/pipeline/hook-settings.ts'
import { compileRule } from '../../local/rules/rule-evaluator.ts'
import type { RuleMessage } from '../../local/rules/rule-message.ts'
import { backend, EVERY_HOOK, type Properties, type Resource, row, type SynthesizedTemplate, tableOf } from '../support/synthesized.ts'

const RULE = 'AWS::IoT::TopicRule'
const QUEUE = 'AWS::SQS::Queue'
const FUNCTION = 'AWS::Lambda::Function'
const MAPPING = 'AWS::Lambda::EventSourceMapping'
const ENDPOINT = { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }

const everyHook = backend(EVERY_HOOK, ENDPOINT)
const indexed = backend(EVERY_HOOK, { ...ENDPOINT, retainIndex: true })
const KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const encrypted = backend(EVERY_HOOK, { ...ENDPOINT, keyArn: KEY_ARN })

const statementsOf = (template: SynthesizedTemplate, hook: HookName): Properties[] =>
  template.one('AWS::IAM::Role', pascalCase(hook)).Properties.Policies.flatMap((policy: Properties) => policy.PolicyDocument.Statement)
const actionsOf = ({ Action }: Properties): string[] => [Action].flat()
const environmentOf = (template: SynthesizedTemplate, hook: HookName): Properties =>
  template.one(FUNCTION, pascalCase(hook)).Properties.Environment.Variables
const rulesOf = (template: SynthesizedTemplate) => template.ofType(RULE).map(([, rule]) => rule.Properties)

/** The ARN with the account and partition as CloudFormation will fill them in. */
const arnText = (arn: Properties): string => {
  const text = (part: Properties | string): string => (typeof part === 'string' ? part : `<${part.Ref}>`)
  return arn['Fn::Join'][1].map(text).join('')
}
const message = (topic: string): RuleMessage => ({ topic, clientid: 'c1', payload: Buffer.from('{}'), at: 1, uuid: 'u' })

describe('a hook of the conf', () => {
  test.each(HOOKS)('%s has rules, a queue with dead letters and a function', (hook) => {
    const id = pascalCase(hook)
    const target = { Ref: idOf(everyHook, QUEUE, `${id}QueueEvents`) }
    const rules = everyHook.ofType(RULE).filter(([ruleId]) => ruleId.startsWith(id))
    expect(rules.map(([, { Properties }]) => Properties.TopicRulePayload.Actions.map((action: Properties) => action.Sqs.QueueUrl))).toEqual(
      [[target]],
    )
    expect(everyHook.one(QUEUE, `${id}QueueEvents`).Properties.RedrivePolicy.deadLetterTargetArn).toEqual(
      arnOf(everyHook, QUEUE, `${id}QueueDeadLetters`),
    )
    expect(everyHook.one(MAPPING, id).Properties).toEqual({
      BatchSize: 10,
      EventSourceArn: arnOf(everyHook, QUEUE, `${id}QueueEvents`),
      FunctionName: { Ref: idOf(everyHook, FUNCTION, id) },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      // Deliveries wait for clients: they leave most of an account's 1,000 concurrent executions to those that store (I15).
      ...(DELIVERING_HOOKS.includes(hook) ? { ScalingConfig: { MaximumConcurrency: 100 } } : {}),
    })
  })

  test.each(HOOKS)('%s alone makes no other hook', (hook) => {
    const rows = EVERY_HOOK.rows.filter((each) => each.hook === hook)
    const template = backend(tableOf(...rows), ENDPOINT)
    for (const type of [RULE, FUNCTION, MAPPING, 'AWS::Logs::LogGroup'])
      expect(template.ofType(type).filter(([id]) => !id.startsWith(pascalCase(hook)))).toEqual([])
    expect(template.ofType(QUEUE)).toHaveLength(3)
    expect(template.ofType(FUNCTION)).toHaveLength(1)
  })

  test('refuses a hook table without any', () => {
    expect(() => backend(tableOf())).toThrow(/^the hook table has no hook at all, wanted at least one row \(/)
  })

  test('is sized as chosen, and others as by default', () => {
    const template = backend(EVERY_HOOK, {
      ...ENDPOINT,
      memory: { 'message.publish': 1024 },
      timeout: 60,
      concurrency: { 'message.publish': 50 },
      batchSize: { 'message.publish': 100 },
      batchWindow: { 'message.publish': 5 },
    })
    expect(template.one(FUNCTION, 'MessagePublish').Properties).toMatchObject({ MemorySize: 1024, Timeout: 60 })
    expect(template.one(FUNCTION, 'MessageAcked').Properties).toMatchObject({ MemorySize: 256, Timeout: 60 })
    expect(template.one(MAPPING, 'MessagePublish').Properties).toMatchObject({
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 5,
      ScalingConfig: { MaximumConcurrency: 50 },
    })
    expect(template.one(MAPPING, 'MessageAcked').Properties).toMatchObject({ BatchSize: 10 })
    expect(template.one(MAPPING, 'MessageAcked').Properties).not.toHaveProperty('ScalingConfig')
    // An event that came at the window's begin is not shown again before its invocation has ended.
    expect(template.one(QUEUE, 'MessagePublishQueueEvents').Properties.VisibilityTimeout).toBe(75)
  })

  test('keeps its logs as long as chosen', () => {
    const days = backend(EVERY_HOOK, { logRetention: 7 })
      .ofType('AWS::Logs::LogGroup')
      .map(([, { Properties }]) => Properties.RetentionInDays)
    expect(days).toEqual(Array(8).fill(7))
  })

  test.each<[HookName, number, number]>([
    ['client.connected', 120, 28],
    ['session.created', 120, 28],
    ['client.disconnected', 30, 90],
    ['session.subscribed', 120, 28],
    ['session.unsubscribed', 30, 90],
    ['message.publish', 15, 144],
    ['message.acked', 30, 90],
  ])('%s has %i s, is shown again only later, and is a dead letter after %i receives', (hook, seconds, receives) => {
    const queue = everyHook.one(QUEUE, `${pascalCase(hook)}QueueEvents`).Properties
    expect(everyHook.one(FUNCTION, pascalCase(hook)).Properties.Timeout).toBe(seconds)
    expect(queue).toMatchObject({ VisibilityTimeout: seconds + 10, RedrivePolicy: { maxReceiveCount: receives } })
  })

  test('runs on Node 24 and arm64, and says its rows', () => {
    const { Properties } = everyHook.one(FUNCTION, 'MessagePublish')
    expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' })
    expect(Properties.Description).toBe(
      'message.publish: on_message_publish #, on_message_store history/#, on_message_retain #, on_retain_delete #',
    )
  })

  test('with too many rows for a description names the first ones', () => {
    const many = Array.from({ length: 20 }, (_, i) => row('message.publish', 'on_message_publish', `site/${i}/state`))
    const { Description } = backend(tableOf(...many), ENDPOINT).one(FUNCTION, 'MessagePublish').Properties
    expect(Description).toHaveLength(256)
    expect(Description).toMatch(/^message\.publish: on_message_publish site\/0\/state, .*\.\.\.$/)
  })
})

const idOf = (template: SynthesizedTemplate, type: string, start: string): string =>
  template.ofType(type).find(([id]) => id.startsWith(start))![0]
const arnOf = (template: SynthesizedTemplate, type: string, start: string) => ({ 'Fn::GetAtt': [idOf(template, type, start), 'Arn'] })

describe('the rules', () => {
  const filters = ['sensor/#', 'sensor/+/state', '+/alarm', 'sensor/1/alarm']
  const several = backend(
    tableOf(
      ...filters.map((filter) => row('message.publish', 'on_message_publish', filter)),
      row('message.acked', 'on_message_acked_for_queue', '#'),
    ),
    ENDPOINT,
  )

  test.each([
    'sensor',
    'sensor/1',
    'sensor/1/state',
    'sensor/alarm',
    'pump/alarm',
    'acked/alarm',
    'acked/c1',
    '$aws/events/x',
    'other',
    '$x/alarm',
  ])('take %s once, and as what it is (I1)', (topic) => {
    const queues = rulesOf(several)
      .filter(({ TopicRulePayload }) => compileRule(TopicRulePayload.Sql).evaluate(message(topic)) !== undefined)
      .map(({ TopicRulePayload }) => TopicRulePayload.Actions[0].Sqs.QueueUrl.Ref)
    const wanted = topic.startsWith('acked/')
      ? ['MessageAcked']
      : filters.some((each) => topicMatches(each, topic))
        ? ['MessagePublish']
        : []
    expect(queues.map((id) => /^[A-Z][a-z]+[A-Z][a-z]+/.exec(id)?.[0])).toEqual(wanted)
  })

  test.each([
    ['$aws/events/presence/connected/a/b', ['ClientConnected', 'SessionCreated']],
    ['$aws/events/presence/disconnected/c', ['ClientDisconnected']],
    ['$aws/events/subscriptions/subscribed/c', ['SessionSubscribed']],
    ['$aws/events/subscriptions/unsubscribed/c', ['SessionUnsubscribed']],
    ['$aws/events/presence/connect_failed/c', []],
    ['$aws/things/c/shadow/update', []],
    ['room/1', ['MessagePublish']],
    ['acked/c', ['MessageAcked']],
  ])('of the whole table bring %s to %j', (topic, wanted) => {
    const takers = everyHook
      .ofType(RULE)
      .filter(([, { Properties }]) => compileRule(Properties.TopicRulePayload.Sql).evaluate(message(topic)))
    expect(takers.map(([id]) => /^[A-Z][a-z]+[A-Z][a-z]+/.exec(id)?.[0]).map((id) => id?.replace('Rule', ''))).toEqual(wanted)
  })

  test('are in SQL of 2016-03-23, enabled, with legal names of their own', () => {
    const names = rulesOf(several).map(({ RuleName }) => RuleName)
    expect(new Set(names).size).toBe(names.length)
    for (const { RuleName, TopicRulePayload } of [...rulesOf(several), ...rulesOf(everyHook)]) {
      expect(RuleName).toMatch(/^MqttBackend_\w{1,116}$/)
      expect(TopicRulePayload).toMatchObject({ AwsIotSqlVersion: '2016-03-23', RuleDisabled: false })
    }
  })

  test('keep their names while other filters come and go', () => {
    const names = (template: SynthesizedTemplate) => rulesOf(template).map(({ RuleName }) => RuleName)
    const before = names(backend(tableOf(row('message.publish', 'on_message_publish', 'b/+')), ENDPOINT))
    const rows = ['a/+', 'b/+', 'c'].map((filter) => row('message.publish', 'on_message_publish', filter))
    expect(names(backend(tableOf(...rows), ENDPOINT))).toEqual(expect.arrayContaining(before))
  })

  const roleOf = ({ RoleArn }: Properties) => several.resources[RoleArn['Fn::GetAtt'][0]]!.Properties
  const trustOf = (role: Properties) => role.AssumeRolePolicyDocument.Statement

  test('send with one role that rules of this stack may assume, to their queues only', () => {
    const roles = new Set(rulesOf(several).map(({ TopicRulePayload }) => roleOf(TopicRulePayload.Actions[0].Sqs)))
    const [role, ...others] = [...roles]
    expect(others).toEqual([])
    const [trust, ...more] = trustOf(role!)
    expect(more).toEqual([])
    expect(trust.Principal).toEqual({ Service: 'iot.amazonaws.com' })
    expect(trust.Condition).toEqual({
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
      ArnLike: { 'aws:SourceArn': expect.anything() },
    })
    expect(arnText(trust.Condition.ArnLike['aws:SourceArn'])).toBe('arn:<AWS::Partition>:iot:eu-west-1:<AWS::AccountId>:rule/MqttBackend_*')
    for (const { RuleName } of rulesOf(several)) expect(RuleName).toMatch(/^MqttBackend_/)
    expect(role!.Policies.flatMap(({ PolicyDocument }: Properties) => PolicyDocument.Statement)).toEqual([
      {
        Effect: 'Allow',
        Action: 'sqs:SendMessage',
        Resource: ['MessagePublishQueueEvents', 'MessageAckedQueueEvents'].map((start) => arnOf(several, QUEUE, start)),
      },
    ])
  })

  test('send their errors with another role, which may do nothing else: what stops the first does not stop it', () => {
    const [role, ...others] = new Set(rulesOf(several).map(({ TopicRulePayload }) => roleOf(TopicRulePayload.ErrorAction.Sqs)))
    expect(others).toEqual([])
    expect(role).not.toBe(roleOf(rulesOf(several)[0]!.TopicRulePayload.Actions[0].Sqs))
    expect(trustOf(role!)).toEqual(trustOf(several.one('AWS::IAM::Role', 'RulesRole').Properties))
    expect(role!.Policies.flatMap(({ PolicyDocument }: Properties) => PolicyDocument.Statement)).toEqual([
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: [arnOf(several, QUEUE, 'RulesErrors')] },
    ])
  })

  test('put what they could not send on a queue of its own', () => {
    const errors = { Ref: idOf(everyHook, QUEUE, 'RulesErrors') }
    for (const { TopicRulePayload } of rulesOf(everyHook)) expect(TopicRulePayload.ErrorAction.Sqs.QueueUrl).toEqual(errors)
  })
})

describe('a function may do exactly what its hook is granted (I9)', () => {
  const granted = (template: SynthesizedTemplate, hook: HookName, service: string) =>
    statementsOf(template, hook).filter((statement) => actionsOf(statement).every((action) => action.startsWith(`${service}:`)))
  const config = (hook: HookName) => hookConfigs(EVERY_HOOK).find((each) => each.hook === hook)!

  test.each(HOOKS.flatMap((hook) => [everyHook, indexed].map((template) => [hook, template === indexed, template] as const)))(
    '%s, retain index %s: tables',
    (hook, retainIndex, template) => {
      const grants = grantsOf(config(hook), { retainIndex })
      const arn = (name: string) => arnOf(template, 'AWS::DynamoDB::Table', `Tables${pascalCase(name)}`)
      const wanted = Object.entries(grants.tables).flatMap(([name, operations]) =>
        operations.map((each) => [`dynamodb:${each}`, arn(name)]),
      )
      if (grants.retainIndex)
        wanted.push(['dynamodb:Query', { 'Fn::Join': ['', [arn('mqtt_retain'), '/index/root-topic-index']] } as never])
      const got = granted(template, hook, 'dynamodb').flatMap((statement) =>
        actionsOf(statement).map((action) => [action, statement.Resource]),
      )
      expect(sorted(got)).toEqual(sorted(wanted))
    },
  )

  test.each(HOOKS)('%s: data plane', (hook) => {
    const { dataPlane: operations } = grantsOf(config(hook), { retainIndex: false })
    const wanted = operations.map((operation) => {
      const resource = operation === 'GetRetainedMessage' ? 'topic/*' : 'client/*'
      return [`iot:${operation}`, `arn:<AWS::Partition>:iot:eu-west-1:<AWS::AccountId>:${resource}`]
    })
    const got = granted(everyHook, hook, 'iot').flatMap((statement) =>
      actionsOf(statement).map((action) => [action, arnText(statement.Resource)]),
    )
    expect(sorted(got)).toEqual(sorted(wanted))
  })

  const requests = (hook: HookName) => grantsOf(config(hook), { retainIndex: false }).requestsDelivery
  test('who delivers, and who finds something to deliver, may request it', () => {
    expect(HOOKS.filter((hook) => !requests(hook))).toEqual(['client.disconnected', 'message.acked'])
  })

  test.each(HOOKS)('%s: its own queue, its own log group, and no other kind of action', (hook) => {
    const id = pascalCase(hook)
    const [queue, logs, ...others] = statementsOf(everyHook, hook)
    expect(queue).toEqual({
      Effect: 'Allow',
      Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      Resource: arnOf(everyHook, QUEUE, `${id}QueueEvents`),
    })
    expect(logs).toEqual({
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: arnOf(everyHook, 'AWS::Logs::LogGroup', id),
    })
    const beside = others.flatMap(actionsOf).filter((action) => !/^(?:dynamodb|iot):/.test(action))
    expect(beside).toEqual(requests(hook) ? ['sqs:SendMessage'] : [])
    expect(everyHook.one('AWS::IAM::Role', id).Properties.ManagedPolicyArns).toBeUndefined()
  })

  test('every action is an operation that the service has', () => {
    const clients: Record<string, object> = { dynamodb, iot: dataPlane }
    const checked = HOOKS.flatMap((hook) => statementsOf(indexed, hook)).flatMap(actionsOf)
    const unknown = checked.filter((action) => {
      const [service = '', operation] = action.split(':')
      return clients[service] !== undefined && !(`${operation}Command` in clients[service])
    })
    expect(unknown).toEqual([])
    expect(checked.filter((action) => action.startsWith('iot:')).length).toBeGreaterThan(0)
  })

  test.each(HOOKS)('%s: a customer-managed key is used through DynamoDB, and for the queues', (hook) => {
    expect(granted(encrypted, hook, 'kms')).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        Resource: KEY_ARN,
        Condition: { StringEquals: { 'kms:ViaService': 'dynamodb.eu-west-1.amazonaws.com' } },
      },
      {
        Effect: 'Allow',
        Action: requests(hook) ? ['kms:Decrypt', 'kms:GenerateDataKey'] : 'kms:Decrypt',
        Resource: KEY_ARN,
        Condition: { StringEquals: { 'kms:ViaService': 'sqs.eu-west-1.amazonaws.com' } },
      },
    ])
  })
})

describe('a customer-managed key', () => {
  const statementsOfRole = (template: SynthesizedTemplate, idStart: string): Properties[] =>
    template.one('AWS::IAM::Role', idStart).Properties.Policies.flatMap(({ PolicyDocument }: Properties) => PolicyDocument.Statement)

  test('encrypts the queues and dead letters of every hook', () => {
    for (const hook of HOOKS)
      for (const which of ['Events', 'DeadLetters']) {
        const { Properties } = encrypted.one(QUEUE, `${pascalCase(hook)}Queue${which}`)
        expect(Properties.KmsMasterKeyId).toBe(KEY_ARN)
        expect(Properties).not.toHaveProperty('SqsManagedSseEnabled')
      }
  })

  test('is used by the rules to send to these queues', () => {
    const [send, key, ...others] = statementsOfRole(encrypted, 'RulesRole')
    expect(send!.Action).toBe('sqs:SendMessage')
    expect(key).toEqual({
      Effect: 'Allow',
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: KEY_ARN,
      Condition: { StringEquals: { 'kms:ViaService': 'sqs.eu-west-1.amazonaws.com' } },
    })
    expect(others).toEqual([])
  })

  test('I1: is not that of the rule errors: what it keeps out of a queue is kept there', () => {
    const { Properties } = encrypted.one(QUEUE, 'RulesErrors')
    expect(Properties).toMatchObject({ SqsManagedSseEnabled: true })
    expect(Properties).not.toHaveProperty('KmsMasterKeyId')
    expect(JSON.stringify(statementsOfRole(encrypted, 'RulesErrorsRole'))).not.toContain('kms:')
  })

  test('without one nothing names KMS, and SQS encrypts all queues', () => {
    expect(JSON.stringify(everyHook.resources)).not.toMatch(/kms/i)
    for (const [, { Properties }] of everyHook.ofType(QUEUE)) expect(Properties).toMatchObject({ SqsManagedSseEnabled: true })
  })
})

describe('the environment of a function', () => {
  test.each(HOOKS.flatMap((hook) => [false, true].map((retainIndex) => [hook, retainIndex] as const)))(
    '%s, retain index %s: names what the hook is granted, and nothing else',
    (hook, retainIndex) => {
      const template = retainIndex ? indexed : everyHook
      const grants = grantsOf(hookConfigs(EVERY_HOOK).find((each) => each.hook === hook)!, { retainIndex })
      const tables = Object.keys(grants.tables) as TableName[]
      const wanted = {
        ...Object.fromEntries(
          tables.map((name) => [tableVariable(name), { Ref: idOf(template, 'AWS::DynamoDB::Table', `Tables${pascalCase(name)}`) }]),
        ),
        ...(grants.retainIndex ? { RETAIN_INDEX: 'root-topic-index' } : {}),
        ...(grants.dataPlane.length > 0 ? { IOT_DATA_ENDPOINT: ENDPOINT.dataEndpoint } : {}),
        ...(grants.requestsDelivery ? { DELIVERY_QUEUE_URL: { Ref: idOf(template, QUEUE, 'SessionSubscribedQueueEvents') } } : {}),
        METRICS_NAMESPACE: 'MqttBackend',
        MAX_RECEIVES: `${HOOK_SETTINGS[hook].maxReceives}`,
      }
      expect(environmentOf(template, hook)).toEqual(wanted)
    },
  )

  test('names the retain index where the hook looks retained messages up', () => {
    expect(environmentOf(indexed, 'session.subscribed').RETAIN_INDEX).toBe('root-topic-index')
    expect(environmentOf(indexed, 'message.acked').RETAIN_INDEX).toBeUndefined()
  })

  test('names existing tables as they are', () => {
    const template = backend(tableOf(row('client.connected', 'on_client_connected')), { ...ENDPOINT, existingTables: true, prefix: 'old_' })
    expect(environmentOf(template, 'client.connected')).toMatchObject({ MQTT_CLIENT_TABLE: 'old_mqtt_client' })
    expect(template.ofType('AWS::DynamoDB::Table')).toEqual([])
  })

  test('has the endpoint that IoT Core names at deployment, where none is given', () => {
    const template = backend(EVERY_HOOK)
    const lookup = template.one('Custom::IotDataEndpoint').Properties
    expect(JSON.parse(lookup.Create)).toMatchObject({
      service: 'IoT',
      action: 'describeEndpoint',
      parameters: { endpointType: 'iot:Data-ATS' },
    })
    expect(environmentOf(template, 'session.subscribed').IOT_DATA_ENDPOINT).toEqual({
      'Fn::GetAtt': [idOf(template, 'Custom::IotDataEndpoint', ''), 'endpointAddress'],
    })
    const lookupPolicy = template.one('AWS::IAM::Policy').Properties.PolicyDocument.Statement
    expect(lookupPolicy).toEqual([{ Effect: 'Allow', Action: 'iot:DescribeEndpoint', Resource: '*' }])
  })
})

describe('the stack', () => {
  test('keeps what it holds encrypted, for as long as SQS does', () => {
    for (const [, { Properties }] of everyHook.ofType(QUEUE))
      expect(Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true })
    const queuesWithPolicy = everyHook.ofType('AWS::SQS::QueuePolicy').flatMap(([, { Properties }]) => Properties.Queues)
    expect(queuesWithPolicy).toHaveLength(everyHook.ofType(QUEUE).length)
  })

  test('tells queues, tables and the endpoint', () => {
    const hooks = HOOKS.map(pascalCase)
    const wanted = [
      ...hooks.flatMap((hook) => [`${hook}QueueUrl`, `${hook}DeadLetterQueueUrl`]),
      ...TABLE_NAMES.map((name) => `${pascalCase(name)}TableName`),
      'KeptWhenDestroyed',
      'RuleErrorsQueueUrl',
      'DashboardName',
      'DataEndpointAddress',
    ]
    expect(Object.keys(everyHook.outputs)).toEqual(wanted)
    expect(everyHook.outputs.MqttRetainTableName?.Value).toEqual({ Ref: idOf(everyHook, 'AWS::DynamoDB::Table', 'TablesMqttRetain') })
  })

  test.each<[string, BackendOptions, string]>([
    ['every table', {}, TABLE_NAMES.join(', ')],
    ['by their whole names', { prefix: 'a-' }, TABLE_NAMES.map((name) => `a-${name}`).join(', ')],
    ['nothing with retention=dev', { retention: 'dev' }, 'nothing'],
    ['adopted ones in any case', { retention: 'dev', existingTables: ['mqtt_sub'], prefix: 'a-' }, 'a-mqtt_sub'],
    ['adopted ones', { existingTables: true }, TABLE_NAMES.join(', ')],
  ])('says what is kept when it is destroyed: %s', (_, options, wanted) => {
    const template = backend(tableOf(row('client.connected', 'on_client_connected')), { ...ENDPOINT, ...options })
    expect(template.outputs.KeptWhenDestroyed?.Value).toBe(wanted)
    const removed = template.ofType('AWS::DynamoDB::Table').filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Retain')
    for (const [, { Properties }] of removed) expect(wanted.split(', ')).not.toContain(Properties.TableName)
  })

  test('has only table names that DynamoDB takes', () => {
    const tables: Resource[] = everyHook.ofType('AWS::DynamoDB::Table').map(([, table]) => table)
    for (const { Properties } of tables) expect(Properties.TableName).toMatch(/^[\w.-]{3,255}$/)
  })
})

const sorted = (pairs: readonly unknown[]) => pairs.map((pair) => JSON.stringify(pair)).sort()
