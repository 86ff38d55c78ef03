/** The redrive against the local SQS through the real SDK, with what can go wrong between receive, send and delete. */
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { BackendQueues } from '../../../cli/dead-letters/backend-queues.ts'
import { type RedriveOptions, redrive } from '../../../cli/dead-letters/redrive.ts'
import type { HookName } from '../../../lambda/core/hooks.ts'
import type { Queue } from '../../../local/sqs/queue.ts'
import { queueNamed, type SqsServer, startSqs } from '../../support/sqs-server.ts'

let server: SqsServer
let events: Queue
let dead: Queue
let errors: Queue
let queues: BackendQueues
/** What a request of this name may become: changed, refused, or nothing. */
let meddle: (name: string, input: Record<string, unknown>) => unknown

beforeEach(async () => {
  dead = queueNamed('dead')
  errors = queueNamed('errors')
  events = queueNamed('events', { redrivePolicy: { maxReceiveCount: 1, deadLetters: dead } })
  server = await startSqs([events, dead, errors])
  meddle = () => undefined
  interceptIn(server.client)
  const hooks = new Map([['message.publish' as HookName, { events: server.urlOf('events'), deadLetters: server.urlOf('dead') }]])
  queues = { hooks, ruleErrors: server.urlOf('errors') }
})
afterEach(async () => {
  await server.close()
  expect(server.warned).toEqual([])
})

function interceptIn(client: SQSClient) {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        // Here an empty receive is empty: no need to wait a second for it.
        if (commandName === 'ReceiveMessageCommand') Object.assign(args.input, { WaitTimeSeconds: 0 })
        await meddle(String(commandName).replace('Command', ''), args.input as Record<string, unknown>)
        return next(args)
      },
    { step: 'initialize' },
  )
}

const run = async (options: RedriveOptions = {}) => {
  const [letters, rules] = await redrive(server.client, queues, options)
  return { letters: letters!, rules: rules! }
}

let count = 0
const publish = (more: object = {}) => {
  const uuid = `00000000-0000-4000-8000-${`${++count}`.padStart(12, '0')}`
  return JSON.stringify({ topic: 't', clientid: 'c', timestamp: 1_764_000_000_000, uuid, payload: 'aGVsbG8=', ...more })
}
const POISON = '{"topic":"a/#"}'
const ruleError = (hook: string) =>
  JSON.stringify({ ruleName: `S_${hook}_Rule_1`, topic: 't', clientId: 'c', base64OriginalPayload: 'aGVsbG8=' })

const bodies = (queue: Queue) => queue.messages().map(({ body }) => body)
const fill = (queue: Queue, ...all: string[]) => all.forEach((body) => void queue.send(body))

test('I1, I8: what can succeed goes to its queue in order, however many; what cannot stays, seen again, with its reason', async () => {
  const good = Array.from({ length: 23 }, () => publish())
  fill(dead, POISON, ...good.slice(0, 12), 'no JSON', ...good.slice(12))
  const { letters, rules } = await run()
  expect(bodies(events)).toEqual(good)
  expect(letters).toMatchObject({
    name: 'message.publish',
    url: queues.hooks.get('message.publish')!.deadLetters,
    redriven: 23,
    invisible: 0,
  })
  expect(letters.stays).toEqual(
    dead
      .messages()
      .map(({ messageId, sentAt }) => ({ messageId, sentAt, hook: 'message.publish', code: 'bad-event', why: expect.any(String) })),
  )
  expect(bodies(dead)).toEqual([POISON, 'no JSON'])
  expect(dead.visible).toBe(2)
  expect(rules).toMatchObject({ name: 'rule errors', redriven: 0, stays: [] })
})

test('I2: of the letters that SQS shows at once, the oldest goes first', async () => {
  const [first, second, third] = [publish(), publish(), publish()]
  for (const [body, at] of [
    [third, 3],
    [first, 1],
    [second, 2],
  ] as const)
    dead.restore({ queue: 'dead', id: `${at}`, at, body, receives: 0 })
  await run()
  expect(events.receive(10).map(({ body }) => body)).toEqual([first, second, third])
})

test('I4: once more, nothing happens', async () => {
  fill(dead, POISON, publish())
  await run()
  const { letters } = await run()
  expect(letters).toMatchObject({ redriven: 0, stays: [{ code: 'bad-event' }] })
  expect(events.depth).toBe(1)
})

test('I4: a rule error becomes the same event each time it is redriven', async () => {
  fill(errors, ruleError('MessagePublish'))
  meddle = (name) => name === 'DeleteMessageBatch' && Promise.reject(new Error('killed'))
  await run()
  meddle = () => undefined
  const [{ messageId, sentAt } = { messageId: '', sentAt: 0 }] = errors.messages()
  expect((await run()).rules).toMatchObject({ redriven: 1, stays: [] })
  const event = { topic: 't', clientid: 'c', timestamp: sentAt, payload: 'aGVsbG8=', time_in_doubt: true, uuid: messageId }
  expect(bodies(events).map((body) => JSON.parse(body))).toEqual([event, event])
  expect(errors.depth).toBe(0)
})

test('I1: killed between send and delete, the letters are in both queues; the next run sends them again and empties the first', async () => {
  const good = [publish(), publish()]
  fill(dead, ...good)
  meddle = (name) => name === 'DeleteMessageBatch' && Promise.reject(new Error('killed'))
  await run()
  expect([bodies(events), bodies(dead)]).toEqual([good, good])
  meddle = () => undefined
  expect((await run()).letters).toMatchObject({ redriven: 2, stays: [] })
  expect([bodies(events), bodies(dead)]).toEqual([[...good, ...good], []])
})

test('I1: a send that fails deletes nothing, and leaves what it had in hand to be seen', async () => {
  fill(dead, publish(), publish())
  meddle = (name) => name === 'SendMessageBatch' && Promise.reject(new Error('refused'))
  expect((await run()).letters).toMatchObject({ redriven: 0, stays: [], failure: new Error('refused') })
  expect([dead.visible, dead.inFlight, events.depth]).toEqual([2, 0, 0])
})

test('what was redriven before a failure is told beside it', async () => {
  fill(dead, ...Array.from({ length: 15 }, () => publish()))
  let receives = 0
  meddle = (name, { QueueUrl }) =>
    name === 'ReceiveMessage' && QueueUrl === server.urlOf('dead') && ++receives === 2 && Promise.reject(new Error('cut off'))
  expect((await run()).letters).toMatchObject({ redriven: 10, stays: [], failure: new Error('cut off') })
})

test('what SQS does not take of a batch stays with its code, the rest goes', async () => {
  const [first, odd, last] = [publish(), publish({ topic: 't/\uffff' }), publish()]
  fill(dead, first, odd, last)
  const { letters } = await run()
  expect(letters).toMatchObject({ redriven: 2, stays: [{ code: 'InvalidMessageContents', why: 'SQS refused the message' }] })
  expect([bodies(events), bodies(dead)]).toEqual([[first, last], [odd]])
})

test('what SQS does not delete of a batch stays, as sent', async () => {
  fill(dead, publish(), publish())
  meddle = (name, { Entries }) => {
    if (name === 'DeleteMessageBatch') (Entries as { ReceiptHandle: string }[])[0]!.ReceiptHandle = 'nonsense'
  }
  const { letters } = await run()
  expect(letters.stays).toMatchObject([{ code: 'not-deleted', why: 'it was sent, but SQS did not delete it (ReceiptHandleIsInvalid)' }])
  expect([letters.redriven, events.depth, dead.visible]).toEqual([1, 2, 1])
})

test('a letter that SQS shows again after it was sent is deleted, and not sent twice', async () => {
  fill(dead, publish())
  let shown = 0
  meddle = (name, input) => {
    // Not hidden at all the first time: it comes again at once, as SQS may do.
    if (name === 'ReceiveMessage' && `${input.QueueUrl}`.endsWith('dead') && shown++ === 0) input.VisibilityTimeout = 0
    if (name === 'DeleteMessageBatch') return new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect((await run()).letters).toMatchObject({ redriven: 1, stays: [] })
  expect([events.depth, dead.depth]).toEqual([1, 0])
})

test('ends, also when what stays is met again and again', async () => {
  fill(dead, ...Array.from({ length: 25 }, () => POISON))
  meddle = (name, input) => {
    if (name === 'ReceiveMessage') Object.assign(input, { VisibilityTimeout: 0, WaitTimeSeconds: 1 })
  }
  const { letters } = await run()
  expect([letters.redriven, letters.stays.length, dead.visible]).toEqual([0, 25, 25])
})

test('ends, also when what it redrives fails again at once: that stays', async () => {
  fill(dead, publish(), publish())
  events.onVisible = () => events.failed(events.receive(1)[0]!.receiptHandle, 'still broken')
  const { letters } = await run()
  expect(letters).toMatchObject({ redriven: 2, stays: [{ code: 'came-back' }, { code: 'came-back' }] })
  expect(dead.visible).toBe(2)
})

test('a dry run says the same, and does nothing', async () => {
  fill(dead, POISON, publish(), publish())
  fill(errors, ruleError('MessagePublish'))
  const { letters, rules } = await run({ dryRun: true })
  expect([letters, rules]).toMatchObject([
    { redriven: 2, stays: [{ code: 'bad-event' }] },
    { redriven: 1, stays: [] },
  ])
  expect([dead.visible, errors.visible, events.depth]).toEqual([3, 1, 0])
})

test('only the hooks that are asked for, also among rule errors; those of a hook that is no more stay', async () => {
  fill(errors, ruleError('MessagePublish'), ruleError('MessageAcked'))
  const { rules } = await run({ hooks: ['message.publish'] })
  expect([rules.redriven, rules.stays, errors.visible]).toEqual([1, [], 1])
  fill(errors, JSON.stringify({ ...JSON.parse(ruleError('ClientConnected')), base64OriginalPayload: 'e30=' }))
  const stays = (await run()).rules.stays.map(({ hook, code }) => [hook, code])
  expect(stays).toEqual([
    ['message.acked', 'bad-event'],
    ['client.connected', 'bad-event'],
  ])
  const connected = { clientId: 'c', sessionIdentifier: 's', versionNumber: 0, timestamp: 1 }
  const base64OriginalPayload = Buffer.from(JSON.stringify(connected)).toString('base64')
  fill(errors, JSON.stringify({ ...JSON.parse(ruleError('ClientConnected')), base64OriginalPayload }))
  expect((await run()).rules.stays.at(-1)).toMatchObject({ code: 'no-queue', why: 'client.connected has no queue here' })
})

test('tells what others have in hand', async () => {
  fill(dead, publish(), publish())
  dead.receive(1)
  expect((await run()).letters).toMatchObject({ redriven: 1, invisible: 1 })
})

test('large letters go in several requests', async () => {
  const large = Array.from({ length: 3 }, () => publish({ payload: 'A'.repeat(160_000) }))
  fill(dead, ...large)
  const sends: number[] = []
  meddle = (name, { Entries }) => name === 'SendMessageBatch' && sends.push((Entries as unknown[]).length)
  await run()
  expect([bodies(events), sends]).toEqual([large, [1, 1, 1]])
})

test('stopped, it leaves the rest where it is', async () => {
  fill(dead, ...Array.from({ length: 25 }, () => publish()))
  let steps = 0
  const { letters } = await run({ hooks: ['message.publish'], stopped: () => steps > 0, onProgress: () => void steps++ })
  expect([letters.redriven, events.depth, dead.visible]).toEqual([10, 10, 15])
})

test('refuses a queue that is not there, and goes on with the others', async () => {
  queues = { ...queues, ruleErrors: server.urlOf('none') }
  fill(dead, publish())
  const { letters, rules } = await run()
  expect(rules.failure).toMatchObject({ code: 'no-queue', message: `there is no queue ${server.urlOf('none')}` })
  expect(letters).toMatchObject({ redriven: 1 })
})
