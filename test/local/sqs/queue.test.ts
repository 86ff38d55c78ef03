import { EventSource, type Invocable } from '../../../local/functions/event-source.ts'
import { Backlog } from '../../../local/mqtt/backlog.ts'
import { Queue } from '../../../local/sqs/queue.ts'
import type { SqsRecord } from '../../../local/sqs/record.ts'
import { eventually, pause } from '../../support/mqtt-client.ts'

const queueOf = (options: Partial<Queue['options']> = {}) =>
  new Queue({ name: 'q', arn: 'arn:aws:sqs:eu-west-1:0:q', retryAfterMs: 20, ...options })

const dying = (maxReceiveCount: number) => queueOf({ redrivePolicy: { maxReceiveCount, deadLetters: queueOf() } })

type Handler = (bodies: string[], records: readonly SqsRecord[]) => unknown

/** Connects a handler to a queue and notes each batch that it got. */
function attach(queue: Queue, handler: Handler, partialResponses = true, more: { readonly maxConcurrency?: number } = {}) {
  const batches: string[][] = []
  const target: Invocable = {
    name: 'f',
    invoke: async ({ Records }) => {
      const bodies = Records.map(({ body }) => body)
      batches.push(bodies)
      return await handler(bodies, Records)
    },
  }
  const source = new EventSource(queue, target, { batchSize: 3, partialResponses, warn: () => undefined, ...more })
  queue.onVisible = () => source.wake()
  return { batches, source }
}

const done = (queue: Queue) => eventually('empty queue', () => queue.depth === 0)

test('a burst is handled in batches, in order, one at a time', async () => {
  const queue = queueOf()
  let running = 0
  const { batches } = attach(queue, async () => {
    expect(++running).toBe(1)
    await pause(5)
    running--
  })
  for (const body of ['1', '2', '3', '4', '5']) queue.send(body)
  await done(queue)
  expect(batches).toEqual([
    ['1', '2', '3'],
    ['4', '5'],
  ])
})

test('a record says what SQS says', async () => {
  const queue = queueOf()
  let seen: SqsRecord | undefined
  attach(queue, (_, [record]) => {
    seen = record
  })
  queue.send('{"a":1}')
  await done(queue)
  expect(seen).toEqual({
    messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    receiptHandle: expect.any(String),
    body: '{"a":1}',
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: expect.stringMatching(/^\d{13}$/),
      SenderId: 'local',
      ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
    },
    messageAttributes: {},
    md5OfBody: 'bb6cb5c68df4652941caf652a366f2d8',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:0:q',
    awsRegion: 'eu-west-1',
  })
})

test('I8: a reported record comes again, its neighbours do not, and it ends as a dead letter', async () => {
  const queue = dying(3)
  const counts: string[] = []
  const { batches } = attach(queue, (_, records) => {
    const poison = records.filter(({ body }) => body === 'poison')
    counts.push(...poison.map(({ attributes }) => attributes.ApproximateReceiveCount))
    return { batchItemFailures: poison.map(({ messageId }) => ({ itemIdentifier: messageId })) }
  })
  for (const body of ['1', 'poison', '2']) queue.send(body)
  await done(queue)
  expect(batches).toEqual([['1', 'poison', '2'], ['poison'], ['poison']])
  expect(counts).toEqual(['1', '2', '3'])
  expect(queue.deadLetters).toMatchObject([{ body: 'poison', receives: 3, reason: 'reported by the function' }])
})

test('a dead letter keeps its message id and when it was sent, as in SQS', async () => {
  const queue = dying(1)
  const messageId = queue.send('x')
  const [{ sentAt } = { sentAt: 0 }] = queue.messages()
  await pause(5)
  queue.failed(queue.receive(1)[0]!.receiptHandle, 'boom')
  expect(queue.depth).toBe(0)
  const { deadLetters } = queue.options.redrivePolicy!
  expect(deadLetters.receive(1)).toMatchObject([{ messageId, body: 'x', attributes: { SentTimestamp: `${sentAt}` } }])
})

test('a message that was received with a visibility timeout is there again after it; what is done is not', async () => {
  const queue = queueOf()
  queue.send('late')
  queue.send('done')
  const [late, handled] = queue.receive(2, 30)
  queue.done(handled!.receiptHandle)
  expect(queue.receive(2)).toEqual([])
  await eventually('late is visible again', () => queue.visible === 1)
  expect(queue.receive(2)).toMatchObject([{ messageId: late!.messageId, attributes: { ApproximateReceiveCount: '2' } }])
})

test('its visibility can be ended and prolonged', async () => {
  const queue = queueOf()
  queue.send('x')
  const [first] = queue.receive(1, 60_000)
  expect(queue.changeVisibility(first!.receiptHandle, 0)).toBe(true)
  expect(queue.changeVisibility(first!.receiptHandle, 0)).toBe(false)
  const [second] = queue.receive(1, 20)
  expect(queue.changeVisibility(second!.receiptHandle, 60_000)).toBe(true)
  await pause(40)
  expect([queue.visible, queue.inFlight]).toEqual([0, 1])
  queue.close()
})

test.each<[string, Handler, boolean]>([
  ['a throw', () => Promise.reject(new Error('boom')), true],
  ['a report that names a stranger', () => ({ batchItemFailures: [{ itemIdentifier: 'who' }] }), true],
  ['a report that is none', () => ({ batchItemFailures: [{}] }), true],
])('%s fails the whole batch', async (_, handler, partialResponses) => {
  const queue = dying(1)
  attach(queue, handler, partialResponses)
  queue.send('1')
  queue.send('2')
  await done(queue)
  expect(queue.deadLetters.map(({ body }) => body)).toEqual(['1', '2'])
})

test('without ReportBatchItemFailures a report means nothing', async () => {
  const queue = dying(1)
  attach(queue, (_, records) => ({ batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })) }), false)
  queue.send('1')
  await done(queue)
  expect(queue.deadLetters).toEqual([])
})

test('a slow delivery blocks nobody: another invocation starts after 100 ms, ten at most', async () => {
  const queue = queueOf()
  const began = Date.now()
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { batches } = attach(queue, ([first]) => (first === 'slow' ? held : undefined))
  queue.send('slow')
  await eventually('slow is in flight', () => queue.inFlight === 1)
  queue.send('quick')
  await eventually('quick is handled', () => batches.length === 2 && queue.inFlight === 1)
  expect(Date.now() - began).toBeGreaterThanOrEqual(95)
  release()
  await done(queue)

  let most = 0
  let running = 0
  const busy = queueOf()
  attach(busy, async () => {
    most = Math.max(most, ++running)
    await pause(300)
    running--
  })
  for (let i = 0; i < 45; i++) busy.send(`${i}`)
  await done(busy)
  expect(most).toBe(10)
})

test('I15: deliveries that wait for clients leave their places to others, as many as the template allows', async () => {
  const queue = queueOf()
  const releases: (() => void)[] = []
  const wait = () => new Promise<void>((resolve) => releases.push(resolve))
  const { batches } = attach(queue, ([first]) => (first === 'quick' ? undefined : wait()), true, { maxConcurrency: 12 })
  // Each in an invocation of its own.
  for (let i = 0; i < 11; i++) {
    queue.send(`slow ${i}`)
    await eventually(`slow ${i} is in flight`, () => queue.inFlight === i + 1)
  }
  queue.send('quick')
  await eventually('quick is handled', () => batches.length === 12 && queue.inFlight === 11)
  queue.send('slow 11')
  await eventually('the last one that may run is in flight', () => queue.inFlight === 12)
  queue.send('quick')
  await pause(150)
  expect(queue.visible).toBe(1)
  for (const release of releases) release()
  await done(queue)
  expect(batches.flat().filter((body) => body === 'quick')).toHaveLength(2)
})

test('a restored message keeps its id: whoever began with it may go on', async () => {
  const queue = queueOf()
  const ids: string[] = []
  attach(queue, (_, records) => void ids.push(...records.map(({ messageId }) => messageId)))
  queue.restore({ queue: 'q', id: 'earlier', at: 1, body: '1', receives: 0 })
  await done(queue)
  expect(ids).toEqual(['earlier'])
})

describe('a queue that nobody reads is limited in bytes', () => {
  const body = `"${'x'.repeat(98)}"`
  const full = (warnings: string[] = []) =>
    new Queue({
      name: 'Errors',
      arn: 'arn:aws:sqs:us-west-2:0:e',
      retryAfterMs: 1,
      maxBytes: 250,
      warn: (text) => void warnings.push(text),
    })

  test('the oldest messages make room for new ones, and a line says so', () => {
    const warnings: string[] = []
    const queue = full(warnings)
    const ids = [queue.send(body), queue.send(body), queue.send(body)]
    expect(queue.messages().map(({ messageId }) => messageId)).toEqual(ids.slice(1))
    expect(warnings).toEqual(['Errors is full: 1 messages dropped, the oldest ones'])
  })

  test('dead letters too, and the queue that they leave has its bytes back', () => {
    const deadLetters = full()
    const entered: number[] = []
    const left: number[] = []
    const options = { name: 'q', arn: 'arn:aws:sqs:us-west-2:0:q', retryAfterMs: 1, redrivePolicy: { maxReceiveCount: 1, deadLetters } }
    const queue = new Queue({ ...options, onEntered: (bytes) => entered.push(bytes), onLeft: (bytes) => left.push(bytes) })
    for (let i = 0; i < 3; i++) {
      queue.send(body)
      queue.failed(queue.receive(1)[0]!.receiptHandle, 'boom')
    }
    expect(deadLetters.messages()).toHaveLength(2)
    expect([entered, left]).toEqual([
      [100, 100, 100],
      [100, 100, 100],
    ])
  })
})

test('publishes wait while the events that no function has handled are too many bytes', () => {
  const backlog = new Backlog(1000, 250)
  backlog.added(200)
  expect(backlog.full).toBe(false)
  backlog.added(100)
  expect(backlog.full).toBe(true)
  backlog.handled(200)
  expect(backlog.full).toBe(false)
})
