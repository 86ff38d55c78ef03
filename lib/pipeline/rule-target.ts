import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot'
import { type IQueue, Queue } from 'aws-cdk-lib/aws-sqs'
import { ArnFormat, Lazy, Names, Stack, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { HELD_QUEUE } from './hook-queue.ts'
import { SQL_VERSION } from './rule-sql.ts'

/** What all rules of a backend share: the role that lets them send to the hooks' queues, and the queue of what they could not send. */
export class RuleTarget extends Construct {
  /** Errors of rule actions, each with the event that failed. */
  readonly errors: Queue
  private readonly role: Role
  private readonly ruleArns: string[] = []
  private readonly queueArns: string[] = []

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.errors = new Queue(this, 'Errors', HELD_QUEUE)
    const reason = 'Nothing consumes it but npm run redrive, which leaves there what it cannot bring back.'
    Validations.of(this.errors).acknowledge({ id: 'AwsSolutions-SQS3', reason }, { id: 'Serverless-SQSRedrivePolicy', reason })
    this.queueArns.push(this.errors.queueArn)
    this.role = new Role(this, 'Role', {
      description: 'IoT rules send events to the queues of their hooks',
      assumedBy: new ServicePrincipal('iot.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnEquals: { 'aws:SourceArn': Lazy.list({ produce: () => this.ruleArns }) },
        },
      }),
      inlinePolicies: { SendEvents: new PolicyDocument({ statements: [this.sendStatement()] }) },
    })
  }

  /** A rule that puts what its statement selects on the queue. */
  rule(scope: Construct, id: string, { sql, queue }: { sql: string; queue: IQueue }): CfnTopicRule {
    const rule = new CfnTopicRule(scope, id, {
      topicRulePayload: {
        sql,
        awsIotSqlVersion: SQL_VERSION,
        ruleDisabled: false,
        actions: [{ sqs: this.sendTo(queue) }],
        errorAction: { sqs: this.sendTo(this.errors) },
      },
    })
    // Named here and not by CloudFormation, because the role must name the rules that may assume it.
    rule.ruleName = Names.uniqueResourceName(rule, { maxLength: 128, separator: '_' })
    this.ruleArns.push(ruleArn(rule))
    if (!this.queueArns.includes(queue.queueArn)) this.queueArns.push(queue.queueArn)
    return rule
  }

  private sendTo(queue: IQueue) {
    return { queueUrl: queue.queueUrl, roleArn: this.role.roleArn, useBase64: false }
  }

  private sendStatement(): PolicyStatement {
    return new PolicyStatement({ actions: ['sqs:SendMessage'], resources: Lazy.list({ produce: () => this.queueArns }) })
  }
}

/** By name: the rule's own attribute would make the role wait for the rule and the rule for the role. */
const ruleArn = (rule: CfnTopicRule): string =>
  Stack.of(rule).formatArn({ service: 'iot', resource: 'rule', resourceName: rule.ruleName!, arnFormat: ArnFormat.SLASH_RESOURCE_NAME })
