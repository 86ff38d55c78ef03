/** The local SQS, spoken to by the real SDK client; and what it refuses. */
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { Queue } from '../../../local/sqs/queue.ts'
import { eventually } from '../../support/mqtt-client.ts'
import { queueNamed, type SqsServer, startSqs } from '../../support/sqs-server.ts'

let server: SqsServer
let sqs: SQSClient
let events: Queue
let QueueUrl: string
const urlOf = (name: string) => server.urlOf(name)

beforeEach(async () => {
  const deadLetters = queueNamed('b-dead')
  events = queueNamed('b-events', { redrivePolicy: { maxReceiveCount: 3, deadLetters } })
  server = await startSqs([events, deadLetters])
  sqs = server.client
  QueueUrl = urlOf('b-events')
})
afterEach(async () => {
  await server.close()
  expect(server.warned).toEqual([])
})

const receive = async (options: { MaxNumberOfMessages?: number; VisibilityTimeout?: number; WaitTimeSeconds?: number } = {}) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['SentTimestamp'], ...options }))).Messages ?? []

test('queues by prefix, by name, with their attributes', async () => {
  expect((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'b-' }))).QueueUrls).toEqual([urlOf('b-events'), urlOf('b-dead')])
  expect((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'c' }))).QueueUrls).toBeUndefined()
  expect((await sqs.send(new GetQueueUrlCommand({ QueueName: 'b-dead' }))).QueueUrl).toBe(urlOf('b-dead'))
  events.send('x')
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
  const policy = '{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:000000000000:b-dead","maxReceiveCount":3}'
  expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: '1', RedrivePolicy: policy, QueueArn: events.options.arn })
  const some = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
  expect(some.Attributes).toEqual({ QueueArn: events.options.arn })
})

test('send, receive, delete: what was sent comes with its id and time, and is gone', async () => {
  const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"é":"\\u0000"}' }))
  const [message, ...more] = await receive()
  expect(message).toMatchObject({ MessageId, Body: '{"é":"\\u0000"}', Attributes: { SentTimestamp: expect.stringMatching(/^\d{13}$/) } })
  expect(more).toEqual([])
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message!.ReceiptHandle }))
  expect(events.depth).toBe(0)
  // Once more is no error, as in SQS.
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message!.ReceiptHandle }))
})

test('attributes come only when they are asked for', async () => {
  events.send('x')
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  expect(Messages).toHaveLength(1)
  expect(Messages![0]!.Attributes).toBeUndefined()
})

test('a batch is of ten at most, and what is received is invisible until its timeout', async () => {
  for (let i = 0; i < 12; i++) events.send(`${i}`)
  expect((await receive({ MaxNumberOfMessages: 10, VisibilityTimeout: 1 })).map(({ Body }) => Number(Body))).toEqual([...Array(10).keys()])
  expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(['10', '11'])
  expect(await receive()).toEqual([])
  await eventually('ten are visible again', () => events.visible === 10)
})

test('a long poll ends with the first message', async () => {
  const polled = receive({ WaitTimeSeconds: 20 })
  await new Promise((resolve) => setTimeout(resolve, 30))
  events.send('late')
  expect(await polled).toMatchObject([{ Body: 'late' }])
})

test('a long poll whose client goes away takes no message', async () => {
  const gone = new AbortController()
  const polled = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: gone.signal })
  setTimeout(() => gone.abort(), 50)
  await expect(polled).rejects.toThrow(/abort/i)
  await new Promise((resolve) => setTimeout(resolve, 50))
  events.send('x')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(events.visible).toBe(1)
})

test('the visibility of a message can be ended, alone and in a batch', async () => {
  for (const body of ['1', '2', '3']) events.send(body)
  const [first, ...others] = await receive({ MaxNumberOfMessages: 3 })
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: first!.ReceiptHandle, VisibilityTimeout: 0 }))
  expect(events.visible).toBe(1)
  const Entries = [...others, first!].map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle: ReceiptHandle!, VisibilityTimeout: 0 }))
  const { Successful, Failed } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))
  expect(Successful?.map(({ Id }) => Id)).toEqual(['0', '1'])
  expect(Failed).toMatchObject([{ Id: '2', Code: 'MessageNotInflight', SenderFault: true }])
  expect(events.visible).toBe(3)
})

test('a batch tells what of it failed, and does the rest', async () => {
  const bodies = ['a', 'b\uffff', 'c']
  const sent = await sqs.send(
    new SendMessageBatchCommand({ QueueUrl, Entries: bodies.map((MessageBody, i) => ({ Id: `${i}`, MessageBody })) }),
  )
  expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['0', '2'])
  expect(sent.Failed).toMatchObject([{ Id: '1', Code: 'InvalidMessageContents', SenderFault: true }])
  const handles = (await receive({ MaxNumberOfMessages: 10 })).map(({ ReceiptHandle }) => ReceiptHandle!)
  const Entries = [...handles, 'nonsense'].map((ReceiptHandle, i) => ({ Id: `${i}`, ReceiptHandle }))
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
  expect(deleted.Successful).toHaveLength(2)
  expect(deleted.Failed).toMatchObject([{ Id: '2', Code: 'ReceiptHandleIsInvalid' }])
  expect(events.depth).toBe(0)
})

describe('refuses, and goes on', () => {
  test.each([
    ['a queue that is not there', () => new ReceiveMessageCommand({ QueueUrl: urlOf('none') }), 'QueueDoesNotExist'],
    ['a name of none', () => new GetQueueUrlCommand({ QueueName: 'none' }), 'QueueDoesNotExist'],
    ['eleven messages', () => new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 }), 'InvalidParameterValue'],
    ['a wait of a minute', () => new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 60 }), 'InvalidParameterValue'],
    ['a body over 1 MiB', () => new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(1_048_577) }), 'InvalidParameterValue'],
    ['an empty batch', () => new SendMessageBatchCommand({ QueueUrl, Entries: [] }), 'EmptyBatchRequest'],
    [
      'one id twice',
      () => new SendMessageBatchCommand({ QueueUrl, Entries: [...'aa'].map((Id) => ({ Id, MessageBody: 'x' })) }),
      'BatchEntryIdsNotDistinct',
    ],
    [
      'eleven entries',
      () => new SendMessageBatchCommand({ QueueUrl, Entries: [...'abcdefghijk'].map((Id) => ({ Id, MessageBody: 'x' })) }),
      'TooManyEntriesInBatchRequest',
    ],
    ['a handle that is none', () => new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'x' }), 'ReceiptHandleIsInvalid'],
    ['an operation that it does not have', () => new PurgeQueueCommand({ QueueUrl }), 'UnsupportedOperation'],
  ])('%s', async (_, command, name) => {
    await expect(sqs.send(command() as never)).rejects.toMatchObject({ name, message: expect.any(String) })
    expect(events.depth).toBe(0)
  })

  const raw = async (target: string, body: string, method = 'POST') => {
    const answer = await fetch(server.url, { method, headers: { 'x-amz-target': target }, ...(method === 'POST' ? { body } : {}) })
    return [answer.status, await answer.json()] as const
  }
  const send = 'AmazonSQS.SendMessage'

  test.each([
    ['no JSON', send, 'x-secret', 'InvalidParameterValue'],
    ['an array', send, '["x-secret"]', 'InvalidParameterValue'],
    ['null', send, 'null', 'InvalidParameterValue'],
    ['no queue', send, '{"MessageBody":"x-secret"}', 'MissingParameter'],
    ['a queue that is a number', send, '{"QueueUrl":1,"MessageBody":"x-secret"}', 'InvalidParameterValue'],
    ['a body that is an object', send, '{"QueueUrl":"b-events","MessageBody":{"x-secret":1}}', 'InvalidParameterValue'],
    ['an empty body', send, '{"QueueUrl":"b-events","MessageBody":""}', 'InvalidParameterValue'],
    ['a wait in words', 'AmazonSQS.ReceiveMessage', '{"QueueUrl":"b-events","WaitTimeSeconds":"x-secret"}', 'InvalidParameterValue'],
    ['names that are none', 'AmazonSQS.ReceiveMessage', '{"QueueUrl":"b-events","AttributeNames":"x-secret"}', 'InvalidParameterValue'],
    ['entries that are none', 'AmazonSQS.SendMessageBatch', '{"QueueUrl":"b-events","Entries":[1]}', 'InvalidParameterValue'],
    ['an id that is none', 'AmazonSQS.SendMessageBatch', '{"QueueUrl":"b-events","Entries":[{"Id":"a b"}]}', 'InvalidBatchEntryId'],
    ['an operation from the prototype', 'AmazonSQS.constructor', '{}', 'UnsupportedOperation'],
    ['deep nesting', send, '['.repeat(100_000), 'InvalidParameterValue'],
  ])('%s, without repeating it', async (_, target, body, type) => {
    const [status, answer] = await raw(target, body)
    expect([status, answer]).toEqual([400, { __type: `com.amazonaws.sqs#${type}`, message: expect.any(String) }])
    expect(JSON.stringify(answer)).not.toContain('x-secret')
    expect(await raw('AmazonSQS.ListQueues', '{}')).toMatchObject([200, { QueueUrls: { length: 2 } }])
  })

  test('a GET', async () => {
    expect(await raw(send, '', 'GET')).toMatchObject([400, { __type: 'com.amazonaws.sqs#UnsupportedOperation' }])
  })

  test('a request of more than 4 MiB', async () => {
    expect((await raw(send, `"${'x'.repeat(5_000_000)}"`))[0]).toBe(413)
  })
})
