/** A record of the event that a queue's function gets (AWS Lambda developer guide, "Using Lambda with Amazon SQS"). */
import { createHash } from 'node:crypto'

export interface SqsRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly attributes: {
    readonly ApproximateReceiveCount: string
    readonly SentTimestamp: string
    readonly SenderId: string
    readonly ApproximateFirstReceiveTimestamp: string
  }
  readonly messageAttributes: Record<string, never>
  readonly md5OfBody: string
  readonly eventSource: 'aws:sqs'
  readonly eventSourceARN: string
  readonly awsRegion: string
}

interface Received {
  readonly messageId: string
  readonly body: string
  readonly sentAt: number
  readonly receives: number
  readonly firstReceivedAt?: number
}

/** @param arn of the queue */
export function recordOf(message: Received, receiptHandle: string, arn: string): SqsRecord {
  return {
    messageId: message.messageId,
    receiptHandle,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: `${message.receives}`,
      SentTimestamp: `${message.sentAt}`,
      SenderId: 'local',
      ApproximateFirstReceiveTimestamp: `${message.firstReceivedAt}`,
    },
    messageAttributes: {},
    md5OfBody: md5(message.body),
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: arn.split(':')[3] ?? '',
  }
}

export const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
