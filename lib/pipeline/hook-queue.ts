import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs'
import { Duration, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { type HookSettings, visibilitySeconds } from './hook-settings.ts'

/** Keeps messages for 14 days, SQS's maximum; encrypted at rest and in transit. */
export const HELD_QUEUE: QueueProps = { retentionPeriod: Duration.days(14), encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true }

/** The queue of a hook's events, and the dead-letter queue of the events that its function could not handle. */
export class HookQueue extends Construct {
  readonly events: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, settings: HookSettings) {
    super(scope, id)
    this.deadLetters = new Queue(this, 'DeadLetters', HELD_QUEUE)
    Validations.of(this.deadLetters).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'It is the dead-letter queue; mqtt-dynamodb dead-letters redrive empties it.',
    })
    this.events = new Queue(this, 'Events', {
      ...HELD_QUEUE,
      visibilityTimeout: Duration.seconds(visibilitySeconds(settings)),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: settings.maxReceives },
    })
  }
}
