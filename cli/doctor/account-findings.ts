/** What AWS says of the account: what a first week needs there (docs/first-week.md). */
import { DEFAULT_STACK } from '../dead-letters/aws-names.ts'
import type { StackFlags } from '../operate/account.ts'
import { type Account, type Answer, ask, elementsOf, jsonOf, membersOf, refusalIn } from '../operate/control-plane.ts'
import type { Finding } from '../operate/finding.ts'
import { ofMappings } from '../status/aws-findings.ts'
import { quotaFindings } from './quota-findings.ts'
import { ruleRoleFindings } from './rule-roles.ts'

export async function accountFindings(account: Account, { stack = DEFAULT_STACK }: StackFlags): Promise<Finding[]> {
  const parts = await Promise.all([
    ofBootstrap(account),
    ofConcurrency(account),
    ofLogging(account),
    ofMappings(account, stack),
    ruleRoleFindings(account, stack),
    quotaFindings(account),
    ofWhoIsTold(account, stack),
  ])
  return parts.flat()
}

const notAsked = (what: string, answer: Answer): Finding[] => [{ state: 'open', what: `${what}: not asked (${refusalIn(answer)})` }]

/** AWS CloudFormation API reference, DescribeStacks: an unknown stack is a ValidationError. */
async function ofBootstrap(account: Account): Promise<Finding[]> {
  const query = new URLSearchParams({ Action: 'DescribeStacks', StackName: 'CDKToolkit', Version: '2010-05-15' })
  const answer = await ask(account, 'cloudformation', `/?${query}`)
  if (answer.status === 200) return [{ state: 'good', what: `the region is bootstrapped for CDK (${account.region})` }]
  const isMissing = answer.text.includes('does not exist')
  return isMissing
    ? [{ state: 'look', what: `no CDKToolkit in ${account.region}`, todo: 'npx cdk bootstrap, before the next deployment' }]
    : notAsked('bootstrap (cloudformation:DescribeStacks)', answer)
}

/** Seven hooks share them with all else in the region. */
const FEW_EXECUTIONS = 100

/** AWS Lambda API reference, GetAccountSettings. */
async function ofConcurrency(account: Account): Promise<Finding[]> {
  const answer = await ask(account, 'lambda', '/2016-08-19/account-settings')
  const limit = jsonOf<{ AccountLimit?: { ConcurrentExecutions?: number } }>(answer)?.AccountLimit?.ConcurrentExecutions
  if (limit === undefined) return notAsked("Lambda's concurrency (lambda:GetAccountSettings)", answer)
  if (limit >= FEW_EXECUTIONS) return [{ state: 'good', what: `Lambda runs ${limit} executions at a time` }]
  return [
    {
      state: 'wrong',
      what: `Lambda runs ${limit} executions at a time, for everything in the region`,
      todo: 'aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000; until then -c concurrency=2',
    },
  ]
}

/** AWS IoT API reference, GetV2LoggingOptions. */
async function ofLogging(account: Account): Promise<Finding[]> {
  const answer = await ask(account, 'iot', '/v2LoggingOptions')
  const options = jsonOf<{ roleArn?: string; defaultLogLevel?: string; disableAllLogs?: boolean }>(answer)
  const isOff =
    options !== undefined && (options.roleArn === undefined || options.disableAllLogs === true || options.defaultLogLevel === 'DISABLED')
  const off: Finding = {
    state: 'look',
    what: 'IoT Core does not log: no alarm tells of a rule whose SQL fails',
    todo: 'docs/first-week.md#day-1-let-iot-core-log',
  }
  if (isOff || answer.text.includes('NotConfigured')) return [off]
  return options === undefined
    ? notAsked("IoT Core's logging (iot:GetV2LoggingOptions)", answer)
    : [{ state: 'good', what: `IoT Core logs (${options.defaultLogLevel})` }]
}

/** Amazon CloudWatch API reference, DescribeAlarms; Amazon SNS API reference, ListSubscriptionsByTopic. */
async function ofWhoIsTold(account: Account, stack: string): Promise<Finding[]> {
  const query = new URLSearchParams({ Action: 'DescribeAlarms', AlarmNamePrefix: `${stack}-`, Version: '2010-08-01' })
  const answer = await ask(account, 'monitoring', `/?${query}`)
  if (answer.status !== 200) return notAsked('alarms (cloudwatch:DescribeAlarms)', answer)
  const topics = [...new Set(membersOf(answer.text, 'AlarmActions').filter((arn) => arn.includes(':sns:')))]
  if (topics.length === 0)
    return [
      {
        state: 'wrong',
        what: `nobody is told of the alarms of stack ${stack}`,
        todo: 'deploy with -c alarmEmail=... or -c alarmTopicArn=...',
      },
    ]
  return (await Promise.all(topics.map((topic) => ofTopic(account, topic)))).flat()
}

async function ofTopic(account: Account, topic: string): Promise<Finding[]> {
  const query = new URLSearchParams({ Action: 'ListSubscriptionsByTopic', TopicArn: topic, Version: '2010-03-31' })
  const answer = await ask(account, 'sns', `/?${query}`)
  if (answer.status !== 200) return notAsked(`who is told by ${topic} (sns:ListSubscriptionsByTopic)`, answer)
  const arns = elementsOf(answer.text, 'SubscriptionArn')
  const waiting = arns.filter((arn) => !arn.startsWith('arn:'))
  if (arns.length === 0)
    return [{ state: 'wrong', what: `nobody is subscribed to ${topic}: no alarm reaches anybody`, todo: 'subscribe an address to it' }]
  return waiting.length === 0
    ? [{ state: 'good', what: `${arns.length} subscribed to the alarms` }]
    : [
        {
          state: 'wrong',
          what: `${waiting.length} of ${arns.length} subscriptions of ${topic} are not confirmed`,
          todo: 'follow the link in the mail that AWS sent',
        },
      ]
}
