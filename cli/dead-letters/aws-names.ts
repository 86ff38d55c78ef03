/** Finds a stack's queues and rules by their names on AWS: CDK names the rules, CloudFormation names the queues. */
import { HOOKS, type HookName } from '../../lambda/core/hooks.ts'
import { pascalCase } from '../../lib/construct-ids.ts'

/** As bin/app.ts names it. */
export const DEFAULT_STACK = 'MqttBackend'

const HOOK_OF: ReadonlyMap<string, HookName> = new Map(HOOKS.map((hook) => [pascalCase(hook), hook]))
const ANY_HOOK = [...HOOK_OF.keys()].join('|')

/** `<construct path>_MessagePublish_RuleAll334359_18C235AE` */
const RULE_NAME = new RegExp(`(?:^|_)(${ANY_HOOK})_Rule`)
/** What follows `<stack>-`: logical id with CDK's hash, CloudFormation's letters: `MessagePublishQueueEventsEA10D4A6-JTbQ1dVz0aYq`. */
const HOOK_QUEUE = new RegExp(`^[A-Za-z0-9]*?(${ANY_HOOK})Queue(Events|DeadLetters)[0-9A-F]{8}-[A-Za-z0-9]+$`)
const ERRORS_QUEUE = /^[A-Za-z0-9]*?RulesErrors[0-9A-F]{8}-[A-Za-z0-9]+$/

export type QueueRole = { readonly hook: HookName; readonly role: 'events' | 'deadLetters' } | { readonly role: 'ruleErrors' }

export function hookOfRule(ruleName: string): HookName | undefined {
  return HOOK_OF.get(RULE_NAME.exec(ruleName)?.[1] ?? '')
}

/** What the stack uses the queue of this name for; undefined: the queue is not the stack's. */
export function roleOfQueue(queueName: string, stack: string): QueueRole | undefined {
  if (!queueName.startsWith(`${stack}-`)) return undefined
  const rest = queueName.slice(stack.length + 1)
  if (ERRORS_QUEUE.test(rest)) return { role: 'ruleErrors' }
  const [, hook, role] = HOOK_QUEUE.exec(rest) ?? []
  return hook === undefined ? undefined : { hook: HOOK_OF.get(hook)!, role: role === 'Events' ? 'events' : 'deadLetters' }
}

/** Which queue's URL an output of the stack holds; undefined: it holds something else. */
export function roleOfOutput(output: string): QueueRole | undefined {
  if (output === 'RuleErrorsQueueUrl') return { role: 'ruleErrors' }
  const [, name, dead] = /^([A-Za-z]+?)(DeadLetter)?QueueUrl$/.exec(output) ?? []
  const hook = HOOK_OF.get(name ?? '')
  return hook && { hook, role: dead ? 'deadLetters' : 'events' }
}
