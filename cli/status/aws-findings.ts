/** What AWS says of a stack's rules, event source mappings and alarms. */
import { DEFAULT_STACK } from '../dead-letters/aws-names.ts'
import type { StackFlags } from '../operate/account.ts'
import { type Account, ask, elementsOf, jsonOf, refusalIn } from '../operate/control-plane.ts'
import type { Finding } from '../operate/finding.ts'

export async function awsFindings(account: Account, { stack = DEFAULT_STACK }: StackFlags): Promise<{ readonly findings: Finding[] }> {
  const parts = await Promise.all([ofRules(account, stack), ofMappings(account, stack), ofAlarms(account, stack)])
  return { findings: parts.flat() }
}

const notAsked = (what: string, why: string): Finding[] => [
  {
    state: 'open',
    what: `${what}: not asked (${why})`,
    todo: 'the operator who runs status lacks a permission, or the service does not answer',
  },
]

interface Rule {
  readonly ruleName?: string
  readonly ruleDisabled?: boolean
}

/**
 * The rules of the stack, which CDK names after it; with none of them and `refusal`: why they are not known.
 * AWS IoT API reference, ListTopicRules.
 */
export async function rulesOf(
  account: Account,
  stack: string,
): Promise<{ readonly rules: Rule[]; readonly refusal?: undefined } | { readonly rules?: undefined; readonly refusal: string }> {
  const answer = await ask(account, 'iot', '/rules?maxResults=1000')
  const { rules, nextToken } = jsonOf<{ rules?: Rule[]; nextToken?: string | null }>(answer) ?? {}
  if (rules === undefined) return { refusal: refusalIn(answer) }
  const ours = rules.filter(({ ruleName = '' }) => ruleName.startsWith(`${stack.replaceAll('-', '_')}_`))
  return ours.length === 0 && nextToken ? { refusal: 'the account has more than a page of them' } : { rules: ours }
}

async function ofRules(account: Account, stack: string): Promise<Finding[]> {
  const { rules: ours, refusal } = await rulesOf(account, stack)
  if (ours === undefined) return notAsked('rules (iot:ListTopicRules)', refusal)
  if (ours.length === 0) return [{ state: 'wrong', what: `no rule of stack ${stack}`, todo: 'another --stack or --region? Else deploy' }]
  return ours
    .filter(({ ruleDisabled }) => ruleDisabled)
    .map(({ ruleName }) => ({
      state: 'wrong',
      what: `rule ${ruleName} is disabled: its events are lost`,
      todo: `aws iot enable-topic-rule --rule-name ${ruleName}`,
    }))
}

/** AWS Lambda API reference, ListEventSourceMappings. */
export async function ofMappings(account: Account, stack: string): Promise<Finding[]> {
  const answer = await ask(account, 'lambda', '/2015-03-31/event-source-mappings?MaxItems=100')
  const { EventSourceMappings: all, NextMarker } =
    jsonOf<{ EventSourceMappings?: { UUID?: string; State?: string; EventSourceArn?: string }[]; NextMarker?: string | null }>(answer) ?? {}
  if (all === undefined) return notAsked('event source mappings (lambda:ListEventSourceMappings)', refusalIn(answer))
  const ours = all.filter(({ EventSourceArn: arn = '' }) => arn.split(':')[5]?.startsWith(`${stack}-`))
  if (ours.length === 0 && NextMarker) return notAsked('event source mappings', 'the account has more than a page of them')
  if (ours.length === 0)
    return [{ state: 'wrong', what: `no function reads a queue of stack ${stack}`, todo: 'deploy again: docs/deploy.md' }]
  return ours
    .filter(({ State }) => State !== 'Enabled')
    .map(({ UUID, State, EventSourceArn: arn = '' }) => ({
      state: 'wrong',
      what: `nothing reads queue ${arn.split(':')[5]}: its mapping is ${State}`,
      todo: `aws lambda update-event-source-mapping --uuid ${UUID} --enabled`,
    }))
}

/** Amazon CloudWatch API reference, DescribeAlarms. */
async function ofAlarms(account: Account, stack: string): Promise<Finding[]> {
  const query = new URLSearchParams({ Action: 'DescribeAlarms', AlarmNamePrefix: `${stack}-`, StateValue: 'ALARM', Version: '2010-08-01' })
  const answer = await ask(account, 'monitoring', `/?${query}`)
  if (answer.status !== 200) return notAsked('alarms (cloudwatch:DescribeAlarms)', refusalIn(answer))
  return elementsOf(answer.text, 'AlarmDescription').map((what) => ({ state: 'wrong', what: `alarm: ${what}` }))
}
