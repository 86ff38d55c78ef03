import type { Role } from 'aws-cdk-lib/aws-iam'
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { type IQueue, Queue } from 'aws-cdk-lib/aws-sqs'
import { Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { HELD_QUEUE } from './hook-queue.ts'
import { ruleNameOf, ruleRole } from './rule-role.ts'
import { type RuleStatement, SQL_VERSION } from './rule-sql.ts'

export interface RuleProps {
  readonly statement: RuleStatement
  readonly queue: IQueue
  /** What must be there before the rule sends to the queue. */
  readonly after: Construct
}

/** What all rules of a backend share: a role that may send to the hooks' queues, a queue of rule errors, and a role that may send to that queue only. */
export class RuleTarget extends Construct {
  /** Errors of rule actions, each with the event that failed. */
  readonly errors: Queue
  private readonly role: Role
  /** An error action must not fail for the reason for which the action failed. */
  private readonly errorsRole: Role
  private readonly queueArns = new Set<string>()
  private readonly rules: { readonly rule: CfnTopicRule; readonly statement: RuleStatement }[] = []

  /** `key`: of the hooks' queues. The queue of rule errors has SQS's own, so that an event that the key keeps out of its queue is not lost (I1). */
  constructor(scope: Construct, id: string, { key }: { key: IKey | undefined }) {
    super(scope, id)
    this.errors = new Queue(this, 'Errors', HELD_QUEUE)
    const reason = 'Nothing consumes it but mqtt-dynamodb dead-letters redrive, which leaves there what it cannot bring back.'
    Validations.of(this.errors).acknowledge({ id: 'AwsSolutions-SQS3', reason }, { id: 'Serverless-SQSRedrivePolicy', reason })
    this.role = ruleRole(this, 'Role', {
      description: 'IoT rules send events to the queues of their hooks',
      queueArns: () => [...this.queueArns],
      key,
    })
    this.errorsRole = ruleRole(this, 'ErrorsRole', {
      description: 'Error actions of IoT rules send to the queue of rule errors',
      queueArns: () => [this.errors.queueArn],
    })
  }

  /** A rule that sends the events that its statement selects to the queue. */
  rule(scope: Construct, { statement, queue, after }: RuleProps): CfnTopicRule {
    const rule = new CfnTopicRule(scope, statement.id, {
      topicRulePayload: {
        sql: statement.sql,
        awsIotSqlVersion: SQL_VERSION,
        ruleDisabled: false,
        actions: [{ sqs: sendTo(queue, this.role) }],
        errorAction: { sqs: sendTo(this.errors, this.errorsRole) },
      },
    })
    // Set here and not by CloudFormation: the roles trust names that begin with the stack's.
    rule.ruleName = ruleNameOf(rule)
    rule.node.addDependency(after)
    this.queueArns.add(queue.queueArn)
    this.rules.push({ rule, statement })
    return rule
  }

  /**
   * Lets a rule wait for the rules whose topics it excludes. Otherwise a deployment that changes filters could narrow one rule before
   * it has made the rule that takes over: a publish between the two would be seen by no rule (I1). Call it once, after all rules are made.
   */
  orderRules(): void {
    const ruleOf = new Map(this.rules.map(({ rule, statement }) => [statement.from, rule]))
    for (const { rule, statement } of this.rules) for (const filter of statement.excludes) rule.addResourceDependency(ruleOf.get(filter)!)
  }
}

const sendTo = (queue: IQueue, role: Role) => ({ queueUrl: queue.queueUrl, roleArn: role.roleArn, useBase64: false })
