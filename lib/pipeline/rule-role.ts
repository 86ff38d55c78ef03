import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { CfnTopicRule } from 'aws-cdk-lib/aws-iot'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { ArnFormat, Lazy, Names, Stack } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import { SEND_KEY_ACTIONS, useThrough } from './key-use.ts'

export interface RuleRoleProps {
  readonly description: string
  /** ARNs of the queues, read when the template is written. */
  readonly queueArns: () => readonly string[]
  /** Encrypts these queues. */
  readonly key?: IKey | undefined
}

/**
 * A role for the stack's IoT rules, which may send to some queues. It trusts the rules by a pattern: a list of names would grow with
 * the filters over IAM's 2,048 characters, and a new rule could not assume a role that has changed a moment before.
 */
export const ruleRole = (scope: Construct, id: string, { description, queueArns, key }: RuleRoleProps): Role =>
  new Role(scope, id, {
    description,
    assumedBy: new ServicePrincipal('iot.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(scope).account },
        ArnLike: { 'aws:SourceArn': ruleArns(scope) },
      },
    }),
    inlinePolicies: {
      SendEvents: new PolicyDocument({
        statements: [
          new PolicyStatement({ actions: ['sqs:SendMessage'], resources: Lazy.list({ produce: () => [...queueArns()] }) }),
          ...useThrough('sqs', key, SEND_KEY_ACTIONS),
        ],
      }),
    },
  })

/** AWS IoT: letters, digits and `_`. */
const MAX_RULE_NAME = 128

/** `MqttBackend_MessagePublish_RuleAll334359_18C235AE`: stack, hook, filter and a hash. The role's pattern and `hookOfRule` of cli/dead-letters read it. */
export const ruleNameOf = (rule: CfnTopicRule): string => Names.uniqueResourceName(rule, { maxLength: MAX_RULE_NAME, separator: '_' })

/** CDK cuts a name that is too long in its middle: this many characters of the stack's name stay in any case. */
const STACK_PART = 48

/** `rule/MqttBackend_*`: the ARNs of the stack's rules. Names of CloudFormation stacks have no `_`. */
function ruleArns(scope: Construct): string {
  const name = topStackOf(scope).stackName.replaceAll(/[^A-Za-z0-9]/g, '')
  const resourceName = name.length <= STACK_PART ? `${name}_*` : `${name.slice(0, STACK_PART)}*`
  return Stack.of(scope).formatArn({ service: 'iot', resource: 'rule', resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME })
}

/** The name of a nested stack is not known before it is deployed; CDK names rules in it after the outermost stack. */
function topStackOf(scope: Construct): Stack {
  const stack = Stack.of(scope)
  return stack.nestedStackParent === undefined ? stack : topStackOf(stack.nestedStackParent)
}
