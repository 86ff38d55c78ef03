import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs'
import { Duration, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import type { HookSettings } from './hook-settings.ts'

/** Keeps messages for 14 days, SQS's maximum; encrypted at rest and in transit. */
export const HELD_QUEUE: QueueProps = { retentionPeriod: Duration.days(14), encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true }

/** Lambda deletes handled events within this time after an invocation, before SQS shows them to another one. */
const VISIBILITY_MARGIN_SECONDS = 10

/** The queue of a hook's events, and the dead-letter queue of the events that its function could not handle. */
export class HookQueue extends Construct {
  readonly events: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { timeoutSeconds, batchWindowSeconds, maxReceives }: HookSettings) {
    super(scope, id)
    this.deadLetters = new Queue(this, 'DeadLetters', HELD_QUEUE)
    Validations.of(this.deadLetters).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'It is the dead-letter queue; mqtt-dynamodb dead-letters redrive empties it.',
    })
    this.events = new Queue(this, 'Events', {
      ...HELD_QUEUE,
      visibilityTimeout: Duration.seconds(batchWindowSeconds + timeoutSeconds + VISIBILITY_MARGIN_SECONDS),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: maxReceives },
    })
  }
}
