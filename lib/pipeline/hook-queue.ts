import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs'
import { Duration, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { type HookSettings, visibilitySeconds } from './hook-settings.ts'

/** Keeps messages for 14 days, SQS's maximum; encrypted at rest and in transit. */
export const HELD_QUEUE: QueueProps = { retentionPeriod: Duration.days(14), encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true }

/** SQS's own key, or the customer's. */
const encryptedBy = (key: IKey | undefined): QueueProps =>
  key === undefined ? {} : { encryption: QueueEncryption.KMS, encryptionMasterKey: key }

export interface HookQueueProps {
  readonly settings: HookSettings
  /** Encrypts both queues. */
  readonly key: IKey | undefined
}

/** The queue of a hook's events, and the dead-letter queue of the events that its function could not handle. */
export class HookQueue extends Construct {
  readonly events: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { settings, key }: HookQueueProps) {
    super(scope, id)
    const held = { ...HELD_QUEUE, ...encryptedBy(key) }
    this.deadLetters = new Queue(this, 'DeadLetters', held)
    Validations.of(this.deadLetters).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'It is the dead-letter queue; mqtt-dynamodb dead-letters redrive empties it.',
    })
    this.events = new Queue(this, 'Events', {
      ...held,
      visibilityTimeout: Duration.seconds(visibilitySeconds(settings)),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: settings.maxReceives },
    })
  }
}
