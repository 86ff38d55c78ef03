/**
 * What the engine does otherwise than AWS. Our template does not bend to it; a gap that is closed fails the trial, so that this list and
 * the page that has it (docs/testing.md) stay true.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { ACCOUNT, type Engine, elements, query, REGION } from './aws-engine.ts'
import type { Ground } from './ground.ts'

export interface Gap {
  /** As the page words it. */
  readonly gap: string
  /** Whether it is there. */
  isThere(ground: Ground): Promise<boolean>
}

export const GAPS: readonly Gap[] = [
  {
    gap: 'It refuses alarms of metric math: they are taken out of the copy that is tried.',
    async isThere({ engine }) {
      const stat = { Metric: { Namespace: 'N', MetricName: 'M' }, Period: 60, Stat: 'Sum' }
      const Metrics = [
        { Id: 'm', MetricStat: stat, ReturnData: false },
        { Id: 'e', Expression: 'FILL(m, 0)' },
      ]
      const alarm = { ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 1, Threshold: 0, Metrics }
      return (await created(engine, { A: { Type: 'AWS::CloudWatch::Alarm', Properties: alarm } })).includes('CREATE_FAILED')
    },
  },
  {
    gap: 'Its functions find no AWS SDK, so the custom resource that looks up the data endpoint fails: the option `dataEndpoint` is given.',
    async isThere({ engine }) {
      const ZipFile = "exports.handler = async () => { require('@aws-sdk/client-iot') }"
      const Role = `arn:aws:iam::${ACCOUNT}:role/nobody`
      const Properties = { FunctionName: 'gap-sdk', Runtime: 'nodejs24.x', Handler: 'index.handler', Role, Code: { ZipFile } }
      await created(engine, { F: { Type: 'AWS::Lambda::Function', Properties } })
      const { headers, text } = await engine.request('lambda', '/2015-03-31/functions/gap-sdk/invocations', { body: '{}' })
      return headers.get('x-amz-function-error') !== null && text.includes('@aws-sdk/client-iot')
    },
  },
  {
    gap: 'Its rules know neither `startswith` nor `get_user_properties` nor `get_mqtt_property`, so the rules of `message.publish` match nothing: its events are sent to their queue.',
    async isThere(ground) {
      const selected = "startswith(topic(), 'gap') AS a, get_user_properties() AS b, get_mqtt_property('content_type') AS c"
      const sent = await ruled(ground, `SELECT topic() AS topic, ${selected} FROM 'gap/sql'`, 'gap/sql')
      return JSON.stringify(JSON.parse(sent ?? '{}')) === '{"topic":"gap/sql"}'
    },
  },
  {
    gap: 'Its rules need no permission: a role need not even exist. (Functions do, on a second engine with `AUTH=true`; there it would refuse all rules, since it takes what they send for unencrypted.)',
    isThere: async (ground) => (await ruled(ground, "SELECT topic() AS topic FROM 'gap/role'", 'gap/role')) !== undefined,
  },
  {
    gap: 'Its data plane has no GetConnection and no SendDirectMessage: nothing is delivered.',
    async isThere({ engine }) {
      const asked = await engine.request('iotdata', '/connections/c', { method: 'GET' })
      const sent = await engine.request('iotdata', '/connections/c/messages?topic=t&confirmation=true', { body: 'x' })
      return asked.status === 400 && sent.status === 400 && /Unsupported/.test(asked.text) && /Unsupported/.test(sent.text)
    },
  },
  {
    gap: 'It creates a table over one that exists, and empties it, where AWS refuses.',
    async isThere({ engine }) {
      const Properties = {
        TableName: 'gap_table',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'k', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'k', KeyType: 'HASH' }],
      }
      const table = { T: { Type: 'AWS::DynamoDB::Table', Properties } }
      return [await created(engine, table), await created(engine, table)].every((status) => status.includes('CREATE_COMPLETE'))
    },
  },
  {
    gap: 'It does not count the characters of a trust policy (IAM: 2,048).',
    async isThere({ engine }) {
      const aws = Array.from({ length: 60 }, (_, i) => `arn:aws:iam::${ACCOUNT}:role/some-role-with-a-long-name-${i}`)
      const Statement = [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: aws } }]
      const document = JSON.stringify({ Version: '2012-10-17', Statement })
      const { status } = await query(engine, 'iam', 'CreateRole', { RoleName: 'gap-trust', AssumeRolePolicyDocument: document })
      return document.length > 2_048 && status === 200
    },
  },
]

/** A stack of these resources, and what became of it and of them. */
async function created(engine: Engine, Resources: object): Promise<string[]> {
  const StackName = `gap-${randomUUID()}`
  const parameters = { StackName, TemplateBody: JSON.stringify({ Resources }), 'Capabilities.member.1': 'CAPABILITY_IAM' }
  await query(engine, 'cloudformation', 'CreateStack', parameters)
  for (;;) {
    const stacks = await query(engine, 'cloudformation', 'DescribeStacks', { StackName })
    const [status = ''] = elements(stacks, 'StackStatus')
    const events = await query(engine, 'cloudformation', 'DescribeStackEvents', { StackName })
    if (!status.endsWith('IN_PROGRESS')) return [status, ...elements(events, 'ResourceStatus')]
    await sleep(100)
  }
}

/** What a rule of this statement sends to a queue for a publish on the topic; its role does not exist. */
async function ruled({ engine, sqs, queue }: Ground, sql: string, topic: string): Promise<string | undefined> {
  const url = await queue(topic.replace('/', '-'))
  const action = { sqs: { roleArn: `arn:aws:iam::${ACCOUNT}:role/nobody`, queueUrl: url, useBase64: false } }
  const body = JSON.stringify({ sql, awsIotSqlVersion: '2016-03-23', actions: [action] })
  const headers = { 'content-type': 'application/json' }
  await engine.request('iot', `/rules/${topic.replace('/', '_')}_${REGION.replaceAll('-', '_')}`, { body, headers })
  await engine.request('iotdata', `/topics/${encodeURIComponent(topic)}?qos=1`, { body: '{"x":1}' })
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 5 }))
  return Messages?.[0]?.Body
}
