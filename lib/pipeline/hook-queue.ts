import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs'
import { Duration, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import type { HookSettings } from './hook-settings.ts'

/** As long as SQS keeps anything, encrypted at rest and on the way. */
export const HELD_QUEUE: QueueProps = { retentionPeriod: Duration.days(14), encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true }

/** A function gets its answer to SQS before the events are shown to another; those of a window's begin have waited for its end. */
const VISIBILITY_MARGIN_SECONDS = 10

/** A hook's events on their way to its function, and those that it could not handle. */
export class HookQueue extends Construct {
  readonly events: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { timeoutSeconds, batchWindowSeconds, maxReceives }: HookSettings) {
    super(scope, id)
    this.deadLetters = new Queue(this, 'DeadLetters', HELD_QUEUE)
    Validations.of(this.deadLetters).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'It is the dead-letter queue; npm run redrive empties it.',
    })
    this.events = new Queue(this, 'Events', {
      ...HELD_QUEUE,
      visibilityTimeout: Duration.seconds(batchWindowSeconds + timeoutSeconds + VISIBILITY_MARGIN_SECONDS),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: maxReceives },
    })
  }
}
