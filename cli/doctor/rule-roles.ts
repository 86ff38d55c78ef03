/** Whether each rule's role may do what the rule needs: be taken by IoT Core, and send to the rule's queues. */
import { type Account, type Answer, ask, elementsOf, jsonOf, refusalIn } from '../operate/control-plane.ts'
import type { Finding } from '../operate/finding.ts'
import { rulesOf } from '../status/aws-findings.ts'

/** A role, and a queue that it is to send to. */
interface Sending {
  readonly role: string
  readonly queue: string
}

const TODO = 'deploy again: docs/deploy.md; until then the events are lost'

export async function ruleRoleFindings(account: Account, stack: string): Promise<Finding[]> {
  const { rules, refusal } = await rulesOf(account, stack)
  // Status says so, too.
  if (rules === undefined || rules.length === 0) return [{ state: 'open', what: `roles of rules: not asked (${refusal ?? 'no rule'})` }]
  const answers = await Promise.all(rules.map(({ ruleName }) => ask(account, 'iot', `/rules/${ruleName}`)))
  const refused = answers.find(({ status }) => status !== 200)
  if (refused !== undefined) return notAsked('roles of rules (iot:GetTopicRule)', refused)
  const sendings = distinct(answers.flatMap(sendingsOf))
  const roles = [...new Set(sendings.map(({ role }) => role))]
  const found = [
    ...(await Promise.all(roles.map((role) => trusts(account, role)))).flat(),
    ...(await Promise.all(sendings.map((sending) => maySend(account, sending)))).flat(),
  ]
  return found.length > 0 ? found : [{ state: 'good', what: `${rules.length} rules: their ${roles.length} roles may send to their queues` }]
}

const notAsked = (what: string, answer: Answer): Finding[] => [{ state: 'open', what: `${what}: not asked (${refusalIn(answer)})` }]

/** AWS IoT API reference, GetTopicRule and SqsAction. */
interface TopicRule {
  readonly rule?: { readonly actions?: readonly Action[]; readonly errorAction?: Action }
}
interface Action {
  readonly sqs?: { readonly roleArn?: string; readonly queueUrl?: string }
}

const sendingsOf = (answer: Answer): Sending[] => {
  const { rule: { actions = [], errorAction } = {} } = jsonOf<TopicRule>(answer) ?? {}
  return [...actions, ...(errorAction === undefined ? [] : [errorAction])].flatMap(({ sqs: { roleArn: role, queueUrl } = {} }) =>
    role === undefined || queueUrl === undefined ? [] : [{ role, queue: arnOf(queueUrl, role) }],
  )
}

/** `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME` in the partition of the role. */
const arnOf = (queueUrl: string, role: string): string => {
  const { hostname, pathname } = new URL(queueUrl)
  return `arn:${role.split(':')[1]}:sqs:${hostname.split('.')[1]}:${pathname.slice(1).replace('/', ':')}`
}

const distinct = (all: readonly Sending[]): Sending[] => [...new Map(all.map((one) => [`${one.role} ${one.queue}`, one])).values()]

/** AWS IAM API reference, GetRole: the policy that says who may take the role is URL-encoded. */
async function trusts(account: Account, role: string): Promise<Finding[]> {
  const query = new URLSearchParams({ Action: 'GetRole', RoleName: role.split('/').at(-1)!, Version: '2010-05-08' })
  const answer = await ask(account, 'iam', `/?${query}`)
  if (answer.text.includes('NoSuchEntity')) return [{ state: 'wrong', what: `role ${role} of the rules is not there`, todo: TODO }]
  if (answer.status !== 200) return notAsked(`who may take ${role} (iam:GetRole)`, answer)
  const [policy = ''] = elementsOf(answer.text, 'AssumeRolePolicyDocument')
  return decodeURIComponent(policy).includes('iot.amazonaws.com')
    ? []
    : [{ state: 'wrong', what: `IoT Core may not take role ${role} of the rules`, todo: TODO }]
}

/** AWS IAM API reference, SimulatePrincipalPolicy. */
async function maySend(account: Account, { role, queue }: Sending): Promise<Finding[]> {
  const asked = { PolicySourceArn: role, 'ActionNames.member.1': 'sqs:SendMessage', 'ResourceArns.member.1': queue }
  const query = new URLSearchParams({ Action: 'SimulatePrincipalPolicy', ...asked, Version: '2010-05-08' })
  const answer = await ask(account, 'iam', `/?${query}`)
  if (answer.text.includes('NoSuchEntity')) return []
  if (answer.status !== 200) return notAsked(`what ${role} may do (iam:SimulatePrincipalPolicy)`, answer)
  const decisions = elementsOf(answer.text, 'EvalDecision')
  return decisions.length > 0 && decisions.every((decision) => decision === 'allowed')
    ? []
    : [{ state: 'wrong', what: `role ${role} may not send to ${queue}: sqs:SendMessage is ${decisions[0] ?? 'not decided'}`, todo: TODO }]
}
