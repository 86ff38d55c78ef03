import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Stack, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import type { BackendOptions } from '../options/options.ts'
import type { OwnResources } from '../options/own-resources.ts'

export interface AlarmTopicProps extends Pick<BackendOptions, 'alarmTopicArn' | 'alarmEmail'>, Pick<OwnResources, 'alarmTopic'> {
  /** Encrypts the topic of alarmEmail. */
  readonly key: IKey | undefined
}

/** The SNS topics that alarms notify: an existing one or the app's own, one for an e-mail address, both or none. */
export class AlarmTopic extends Construct {
  readonly actions: readonly IAlarmAction[]

  constructor(scope: Construct, id: string, { alarmTopicArn, alarmTopic, alarmEmail, key }: AlarmTopicProps) {
    super(scope, id)
    const topics: ITopic[] = [
      ...(alarmTopicArn === undefined ? [] : [Topic.fromTopicArn(this, 'Existing', alarmTopicArn)]),
      ...(alarmTopic === undefined ? [] : [alarmTopic]),
      ...(alarmEmail === undefined ? [] : [this.create(alarmEmail, key)]),
    ]
    this.actions = topics.map((topic) => new SnsAction(topic))
  }

  private create(address: string, key: IKey | undefined): Topic {
    const topic = new Topic(this, 'Topic', { displayName: 'MQTT backend alarms', enforceSSL: true, ...(key ? { masterKey: key } : {}) })
    topic.addSubscription(new EmailSubscription(address))
    Validations.of(topic).acknowledge({
      id: 'Serverless-SNSRedrivePolicy',
      reason: 'Nobody would read a queue of e-mails that did not arrive; the alarm itself stays on the dashboard.',
    })
    // enforceSSL gives the topic a policy, which replaces the default one that lets services of the account publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': Stack.of(this).formatArn({ service: 'cloudwatch', resource: 'alarm:*' }) },
        },
      }),
    )
    return topic
  }
}
