import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue } from '../../local/functions/queue.ts'
import { RetainedMessages } from '../../local/mqtt/retained-messages.ts'
import { restoreState, saveState } from '../../local/saved-state.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'state-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const queueOf = (name: string) => new Queue({ name, arn: 'arn:aws:sqs:us-west-2:0:q', retryAfterMs: 1, maxReceiveCount: 1 })
const properties = { user: [['k', 'v']] as [string, string][], contentType: 'x/y' }
const message = { topic: 'r/1', payload: Buffer.from([0, 255]), qos: 1 as const, retain: true, properties }

test('I1: what waited, was in flight, was dead or retained is there again', () => {
  const retained = new RetainedMessages()
  retained.apply(message, 123)
  const queue = queueOf('q')
  for (const body of ['"dead"', '"in flight"', '"waiting"']) queue.send(body)
  queue.failed(queue.receive(1)[0]!.receiptHandle, 'boom')
  queue.receive(1)
  saveState(dataDir, retained, [queue])

  const [again, other, kept] = [queueOf('q'), queueOf('other'), new RetainedMessages()]
  restoreState(dataDir, kept, [again, other])
  expect(again.receive(10).map(({ body }) => body)).toEqual(['"in flight"', '"waiting"'])
  expect(again.deadLetters).toEqual(queue.deadLetters)
  expect(other.depth).toBe(0)
  expect(kept.of('r/1', 200)).toEqual({ message, lastModifiedTime: 123 })
})

test('an empty directory is a fresh start', () => {
  const queue = queueOf('q')
  restoreState(dataDir, new RetainedMessages(), [queue])
  expect(queue.depth).toBe(0)
})

test('refuses a file that it cannot read', () => {
  writeFileSync(join(dataDir, 'iot-core.json'), '{')
  expect(() => restoreState(dataDir, new RetainedMessages(), [])).toThrow(/cannot read .*iot-core\.json/)
})
