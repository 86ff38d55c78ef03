/** SQS's operations on the local queues, each named as the service names it, with the fields that its API reference lists. */
import type { Fields } from '../../lambda/core/events/fields.ts'
import type { Queue } from './queue.ts'
import { md5, type SqsRecord } from './record.ts'
import { SqsError } from './sqs-error.ts'
import { type Entry, entriesOf, messageBody, names, text, visibilityOf, whole } from './sqs-fields.ts'

/** The client of a request: the address that it used, and a signal for when it goes away. */
export interface Caller {
  /** `http://host:port` */
  readonly origin: string
  readonly signal: AbortSignal
}

type Operation = (fields: Fields, caller: Caller) => object | Promise<object>

const ACCOUNT_PATH = '/000000000000/'
const DEFAULT_VISIBILITY_SECONDS = 30
const POLL_MS = 10
const RECEIPT_HANDLE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export class SqsOperations {
  readonly #queues: readonly Queue[]

  constructor(queues: readonly Queue[]) {
    this.#queues = queues
  }

  /** The operation of a name; undefined for one that is not known here. */
  of(name: string): Operation | undefined {
    const operations: Record<string, Operation> = {
      ListQueues: (fields, caller) => this.#listQueues(fields, caller),
      GetQueueUrl: (fields, { origin }) => ({ QueueUrl: urlOf(this.#named(text(fields, 'QueueName')), origin) }),
      GetQueueAttributes: (fields) => getQueueAttributes(this.#queue(fields), names(fields, 'AttributeNames')),
      ReceiveMessage: (fields, { signal }) => receiveMessage(this.#queue(fields), fields, signal),
      SendMessage: (fields) => sendMessage(this.#queue(fields), fields),
      SendMessageBatch: (fields) => batch(this.#queue(fields), fields, sendMessage),
      DeleteMessage: (fields) => deleteMessage(this.#queue(fields), fields),
      DeleteMessageBatch: (fields) => batch(this.#queue(fields), fields, deleteMessage),
      ChangeMessageVisibility: (fields) => changeMessageVisibility(this.#queue(fields), fields),
      ChangeMessageVisibilityBatch: (fields) => batch(this.#queue(fields), fields, changeMessageVisibility),
    }
    return Object.hasOwn(operations, name) ? operations[name] : undefined
  }

  #listQueues(fields: Fields, { origin }: Caller): object {
    const prefix = fields.QueueNamePrefix === undefined ? '' : text(fields, 'QueueNamePrefix')
    const found = this.#queues.filter(({ queueName }) => queueName.startsWith(prefix))
    return found.length === 0 ? {} : { QueueUrls: found.map((queue) => urlOf(queue, origin)) }
  }

  #queue(fields: Fields): Queue {
    return this.#named(text(fields, 'QueueUrl').split('/').at(-1)!)
  }

  #named(name: string): Queue {
    const queue = this.#queues.find(({ queueName }) => queueName === name)
    if (!queue) throw new SqsError('QueueDoesNotExist', 'The specified queue does not exist.')
    return queue
  }
}

const urlOf = ({ queueName }: Queue, origin: string): string => origin + ACCOUNT_PATH + queueName

function getQueueAttributes(queue: Queue, wanted: readonly string[]): object {
  const policy = queue.options.redrivePolicy
  const redrivePolicy = policy && { deadLetterTargetArn: policy.deadLetters.options.arn, maxReceiveCount: policy.maxReceiveCount }
  const attributes = {
    QueueArn: queue.options.arn,
    ApproximateNumberOfMessages: `${queue.visible}`,
    ApproximateNumberOfMessagesNotVisible: `${queue.inFlight}`,
    ApproximateNumberOfMessagesDelayed: `${queue.delayed}`,
    VisibilityTimeout: `${DEFAULT_VISIBILITY_SECONDS}`,
    ...(redrivePolicy ? { RedrivePolicy: JSON.stringify(redrivePolicy) } : {}),
  }
  return { Attributes: chosen(attributes, wanted) }
}

const chosen = (attributes: Readonly<Record<string, string>>, wanted: readonly string[]) =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted.includes('All') || wanted.includes(name)))

async function receiveMessage(queue: Queue, fields: Fields, signal: AbortSignal): Promise<object> {
  const most = whole(fields, 'MaxNumberOfMessages', { least: 1, most: 10, otherwise: 1 })
  const visibility = visibilityOf(fields, DEFAULT_VISIBILITY_SECONDS)
  const wait = whole(fields, 'WaitTimeSeconds', { least: 0, most: 20, otherwise: 0 })
  const wanted = [...names(fields, 'AttributeNames'), ...names(fields, 'MessageSystemAttributeNames')]
  const deadline = Date.now() + wait * 1000
  while (queue.visible === 0 && Date.now() < deadline && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  if (signal.aborted || queue.visible === 0) return {}
  return { Messages: queue.receive(most, visibility * 1000).map((record) => messageOf(record, wanted)) }
}

function messageOf({ messageId, receiptHandle, body, md5OfBody, attributes }: SqsRecord, wanted: readonly string[]): object {
  const told = chosen(attributes, wanted)
  const message = { MessageId: messageId, ReceiptHandle: receiptHandle, MD5OfBody: md5OfBody, Body: body }
  return Object.keys(told).length > 0 ? { ...message, Attributes: told } : message
}

function sendMessage(queue: Queue, fields: Fields): object {
  const body = messageBody(fields)
  if (!queue.hasRoom(body)) throw new SqsError('RequestThrottled', 'the local queue is full: it holds at most 128 MB')
  const delay = whole(fields, 'DelaySeconds', { least: 0, most: 900, otherwise: 0 })
  return { MessageId: queue.send(body, delay * 1000), MD5OfMessageBody: md5(body) }
}

/** A handle that is no longer good is no error, as in SQS. */
function deleteMessage(queue: Queue, fields: Fields): object {
  queue.done(receiptHandle(fields))
  return {}
}

function changeMessageVisibility(queue: Queue, fields: Fields): object {
  const seconds = visibilityOf(fields, Number.NaN)
  if (!queue.changeVisibility(receiptHandle(fields), seconds * 1000))
    throw new SqsError('MessageNotInflight', 'The specified message is not in flight.')
  return {}
}

function receiptHandle(fields: Fields): string {
  const handle = text(fields, 'ReceiptHandle')
  if (!RECEIPT_HANDLE.test(handle)) throw new SqsError('ReceiptHandleIsInvalid', 'The specified receipt handle is not valid.')
  return handle
}

/** Each entry by itself: those that fail are told beside those that do not. */
function batch(queue: Queue, fields: Fields, one: (queue: Queue, fields: Fields) => object): object {
  const results = entriesOf(fields).map((entry) => resultOf(entry, () => one(queue, entry.fields)))
  return { Successful: results.filter((result) => !('Code' in result)), Failed: results.filter((result) => 'Code' in result) }
}

function resultOf({ Id }: Entry, run: () => object): object {
  try {
    return { Id, ...run() }
  } catch (error) {
    if (!(error instanceof SqsError)) throw error
    return { Id, SenderFault: true, Code: error.type, Message: error.message }
  }
}
