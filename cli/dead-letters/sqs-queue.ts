/** A queue on SQS, with the operations of a redrive. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  paginateListQueues,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { BackendError } from '../../lambda/core/errors.ts'
import type { Letter } from './letter.ts'

/** The letters that a killed run had received are hidden for so long. */
const VISIBILITY_SECONDS = 120
/** Only a long poll asks all of SQS's servers, so only its empty answer means that the queue is empty. */
const WAIT_SECONDS = 1
const MAX_BATCH = 10
/** Bytes of all bodies of one request. AWS allows 1 MiB now, and allowed this for years. */
const MAX_BATCH_BYTES = 262_144

export type Sent = { readonly messageId: string } | { readonly code: string }

export class SqsQueue {
  readonly url: string
  readonly #client: SQSClient

  constructor(client: SQSClient, url: string) {
    this.#client = client
    this.url = url
  }

  /** About how many messages can be received, and how many other readers have received. @throws BackendError `no-queue` */
  async counts(): Promise<{ readonly visible: number; readonly invisible: number }> {
    const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
    try {
      const { Attributes } = await this.#client.send(
        new GetQueueAttributesCommand({ QueueUrl: this.url, AttributeNames: [...AttributeNames] }),
      )
      const [visible, invisible] = AttributeNames.map((name) => Number(Attributes?.[name] ?? 0))
      return { visible: visible!, invisible: invisible! }
    } catch (error) {
      if (error instanceof QueueDoesNotExist) throw new BackendError('no-queue', `there is no queue ${this.url}`)
      throw error
    }
  }

  /** At most ten letters, hidden from other readers for {@link VISIBILITY_SECONDS}. None: the queue is empty. */
  async receive(): Promise<Letter[]> {
    const { Messages = [] } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.url,
        MaxNumberOfMessages: MAX_BATCH,
        VisibilityTimeout: VISIBILITY_SECONDS,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    )
    return Messages.map(({ MessageId, Body, Attributes, ReceiptHandle }) => ({
      messageId: MessageId!,
      body: Body ?? '',
      sentAt: Number(Attributes?.SentTimestamp),
      receipt: ReceiptHandle!,
    }))
  }

  /** A result for each body, in order: its new message id, or SQS's error code. */
  async send(bodies: readonly string[]): Promise<Sent[]> {
    const results: Sent[] = []
    for (const some of batchesOf(bodies)) {
      const Entries = some.map((MessageBody, i) => ({ Id: `${i}`, MessageBody }))
      const { Successful = [], Failed = [] } = await this.#client.send(new SendMessageBatchCommand({ QueueUrl: this.url, Entries }))
      const codes = codesOf(Failed)
      const ids = new Map(Successful.map(({ Id, MessageId }) => [Id, MessageId]))
      results.push(...some.map((_, i) => sentOf(ids.get(`${i}`), codes.get(`${i}`))))
    }
    return results
  }

  /** A result for each of at most ten receipts: SQS's error code, or undefined if the message is deleted. */
  async remove(receipts: readonly string[]): Promise<(string | undefined)[]> {
    const Entries = receipts.map((ReceiptHandle, i) => ({ Id: `${i}`, ReceiptHandle }))
    const { Failed = [] } = await this.#client.send(new DeleteMessageBatchCommand({ QueueUrl: this.url, Entries }))
    const codes = codesOf(Failed)
    return receipts.map((_, i) => codes.get(`${i}`))
  }

  /** Makes letters visible to other readers now. A receipt that has expired does no harm. */
  async release(receipts: readonly string[]): Promise<void> {
    for (let i = 0; i < receipts.length; i += MAX_BATCH) {
      const some = receipts.slice(i, i + MAX_BATCH)
      const Entries = some.map((ReceiptHandle, n) => ({ Id: `${n}`, ReceiptHandle, VisibilityTimeout: 0 }))
      await this.#client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.url, Entries }))
    }
  }
}

const sentOf = (messageId: string | undefined, code = 'NotConfirmed'): Sent => (messageId === undefined ? { code } : { messageId })

const codesOf = (failed: readonly { Id?: string | undefined; Code?: string | undefined }[]): Map<string | undefined, string> =>
  new Map(failed.map(({ Id, Code = 'Unknown' }) => [Id, Code]))

/** The bodies in their order, as many in a batch as SQS allows. */
function batchesOf(bodies: readonly string[]): string[][] {
  const batches: string[][] = []
  let bytes = 0
  for (const body of bodies) {
    const size = Buffer.byteLength(body)
    const last = batches.at(-1)
    if (last && last.length < MAX_BATCH && bytes + size <= MAX_BATCH_BYTES) {
      last.push(body)
      bytes += size
    } else {
      batches.push([body])
      bytes = size
    }
  }
  return batches
}

/** URLs of the queues whose names start with the prefix. */
export async function queueUrls(client: SQSClient, prefix: string): Promise<string[]> {
  const urls: string[] = []
  for await (const page of paginateListQueues({ client, pageSize: 1000 }, { QueueNamePrefix: prefix })) urls.push(...(page.QueueUrls ?? []))
  return urls
}
