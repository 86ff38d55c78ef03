/** Rules and a queue by which `mqtt-dynamodb smoke` learns what AWS does not document. A stack has them only with `-c probe=true`. */
import type { Role } from 'aws-cdk-lib/aws-iam'
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { Duration, Names, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { HELD_QUEUE } from './pipeline/hook-queue.ts'
import { ruleRole } from './pipeline/rule-role.ts'
import { SQL_VERSION } from './pipeline/rule-sql.ts'
import { PROBE_SQL } from './probe-rules.ts'

/** How long the probe's events are kept. */
const KEPT = Duration.hours(1)

export class SmokeProbe extends Construct {
  private readonly role: Role
  private readonly events: Queue

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.events = new Queue(this, 'Events', { ...HELD_QUEUE, retentionPeriod: KEPT })
    const reason = 'mqtt-dynamodb smoke reads it, and what it leaves is of no use an hour later.'
    Validations.of(this).acknowledge({ id: 'AwsSolutions-SQS3', reason }, { id: 'Serverless-SQSRedrivePolicy', reason })
    this.role = ruleRole(this, 'Role', {
      description: 'The probe of mqtt-dynamodb smoke sends what its rules see to its queue',
      queueArns: () => [this.events.queueArn],
    })
    // The role may not send to this queue: the probe shows what a rule error looks like.
    const forbidden = new Queue(this, 'Forbidden', { ...HELD_QUEUE, retentionPeriod: KEPT })
    for (const [kind, sql] of Object.entries(PROBE_SQL)) this.rule(kind, sql, kind === 'error' ? forbidden : this.events)
  }

  private rule(kind: string, sql: string, to: Queue): void {
    const sendTo = (queue: Queue) => ({ sqs: { queueUrl: queue.queueUrl, roleArn: this.role.roleArn, useBase64: false } })
    const rule = new CfnTopicRule(this, `Rule-${kind}`, {
      ruleName: this.ruleName(kind),
      topicRulePayload: {
        sql,
        awsIotSqlVersion: SQL_VERSION,
        ruleDisabled: false,
        actions: [sendTo(to)],
        errorAction: sendTo(this.events),
      },
    })
    rule.node.addDependency(this.role)
  }

  private readonly ruleName = (kind: string): string => `${Names.uniqueResourceName(this, { maxLength: 100, separator: '_' })}_${kind}`
}
