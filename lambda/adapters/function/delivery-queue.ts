/** The queue of the function that delivers. Only the bundle of a function that requests deliveries has a client of SQS: 30 KB. */
import { SendMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'
import type { DeliveryQueue } from '../../core/model/ports.ts'
import { deliveryRequestBody } from '../../core/queue/request-delivery.ts'
import { type DeliveriesTo, NOT_LOOKED_UP, ready } from './environment.ts'

/** Its client is made at the first use: most publishes request nothing. */
export const sqsDeliveries: DeliveriesTo = ({ region, url, endpoint }) =>
  deliveryQueue(() => sqsClient(region, endpoint === undefined ? {} : { endpoint, useQueueUrlAsEndpoint: false }), url)

export function deliveryQueue(client: () => SQSClient, url: string): DeliveryQueue {
  let made: SQSClient | undefined
  return {
    async request(delivery) {
      made ??= client()
      await made.send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(deliveryRequestBody(delivery)) }))
    },
  }
}

/** Its endpoint is the queue's URL. `more`: for tests. */
export const sqsClient = (region: string, more: SQSClientConfig = {}): SQSClient =>
  ready(
    new SQSClient({
      ...NOT_LOOKED_UP,
      region,
      maxAttempts: 3,
      cacheMiddleware: true,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
      ...more,
    }),
  )
