/** A stand-in for AWS's control planes: what each answers, by service and operation. */
import { createServer } from 'node:http'

/** Operation, or path without query -> status and text. */
export type Answers = Readonly<Record<string, readonly [status: number, text: string]>>

export interface ControlPlanes {
  readonly url: string
  answers: Answers
  /** `service operation` of each request, as its signature names the service. */
  readonly asked: string[]
  close(): Promise<unknown>
}

export async function startControlPlanes(): Promise<ControlPlanes> {
  const planes = { answers: {} as Answers, asked: [] as string[] }
  const server = createServer((message, response) => {
    const url = new URL(message.url!, 'http://localhost')
    const target = `${message.headers['x-amz-target'] ?? ''}`.split('.')[1]
    const operation = target ?? url.searchParams.get('Action') ?? url.pathname
    const [, service = 'unsigned'] = /\/([a-z]+)\/aws4_request/.exec(message.headers.authorization ?? '') ?? []
    planes.asked.push(`${service} ${operation}`)
    const [status, text] = planes.answers[operation] ?? [403, '{"Message":"not allowed"}']
    response.writeHead(status).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return Object.assign(planes, { url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(resolve)) })
}

const xml = (inner: string): readonly [number, string] => [200, `<Response>${inner}</Response>`]
const mapping = (State: string) => ({
  UUID: 'u-1',
  State,
  EventSourceArn: 'arn:aws:sqs:us-west-2:111122223333:MqttBackend-MessagePublishQueueEventsEA10D4A6-x',
})

const RULE = 'MqttBackend_MessagePublish_RuleAll334359_18C235AE'
const sqs = (role: string, queue: string) => ({
  sqs: { roleArn: `arn:aws:iam::111122223333:role/${role}`, queueUrl: `https://sqs.us-west-2.amazonaws.com/111122223333/${queue}` },
})
const trustOf = (service: string) =>
  xml(`<AssumeRolePolicyDocument>${encodeURIComponent(JSON.stringify({ Principal: { Service: service } }))}</AssumeRolePolicyDocument>`)

/** All is well. */
export const WELL: Answers = {
  [`/rules/${RULE}`]: [
    200,
    JSON.stringify({
      rule: {
        actions: [sqs('MqttBackend-Rules', 'MqttBackend-Events')],
        errorAction: sqs('MqttBackend-RulesErrors', 'MqttBackend-Errors'),
      },
    }),
  ],
  GetRole: trustOf('iot.amazonaws.com'),
  SimulatePrincipalPolicy: xml('<EvaluationResults><member><EvalDecision>allowed</EvalDecision></member></EvaluationResults>'),
  GetServiceQuota: [200, JSON.stringify({ Quota: { Value: 20_000 } })],
  '/rules': [
    200,
    JSON.stringify({
      rules: [
        { ruleName: RULE, ruleDisabled: false },
        { ruleName: 'other', ruleDisabled: true },
      ],
    }),
  ],
  '/2015-03-31/event-source-mappings': [200, JSON.stringify({ EventSourceMappings: [mapping('Enabled')] })],
  DescribeAlarms: xml('<AlarmActions><member>arn:aws:sns:us-west-2:111122223333:ops</member></AlarmActions>'),
  DescribeStacks: xml('<StackName>CDKToolkit</StackName>'),
  ListSubscriptionsByTopic: xml('<SubscriptionArn>arn:aws:sns:us-west-2:111122223333:ops:1</SubscriptionArn>'),
  '/2016-08-19/account-settings': [200, JSON.stringify({ AccountLimit: { ConcurrentExecutions: 1000 } })],
  '/v2LoggingOptions': [
    200,
    JSON.stringify({ roleArn: 'arn:aws:iam::111122223333:role/IoTLogging', defaultLogLevel: 'ERROR', disableAllLogs: false }),
  ],
}

/** Nothing is. */
export const ILL: Answers = {
  '/rules': [200, JSON.stringify({ rules: [{ ruleName: RULE, ruleDisabled: true }] })],
  [`/rules/${RULE}`]: WELL[`/rules/${RULE}`]!,
  GetRole: trustOf('lambda.amazonaws.com'),
  SimulatePrincipalPolicy: xml('<EvaluationResults><member><EvalDecision>implicitDeny</EvalDecision></member></EvaluationResults>'),
  GetServiceQuota: [400, '{"__type":"NoSuchResourceException"}'],
  GetAWSDefaultServiceQuota: [200, JSON.stringify({ Quota: { Value: 100 } })],
  '/2015-03-31/event-source-mappings': [200, JSON.stringify({ EventSourceMappings: [mapping('Disabled')] })],
  DescribeAlarms: xml('<AlarmDescription>Dead letters: message.publish. Read the log</AlarmDescription>'),
  DescribeStacks: [400, '<Message>Stack with id CDKToolkit does not exist</Message>'],
  '/2016-08-19/account-settings': [200, JSON.stringify({ AccountLimit: { ConcurrentExecutions: 10 } })],
  '/v2LoggingOptions': [404, '{"message":"NotConfiguredException"}'],
}
