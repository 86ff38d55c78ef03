/** What the SDK leaves to its caller: keys and items that DynamoDB did not process. */
import type { BatchGetItemCommandInput, BatchWriteItemCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { batchDelete, batchGet, batchPut, type Database, ifHolds } from '../../../lambda/adapters/tables/dynamodb.ts'
import { TABLE_NAMES, type TableName } from '../../../lambda/core/tables.ts'

const TABLES = Object.fromEntries(TABLE_NAMES.map((name) => [name, name])) as Record<TableName, string>

/** A DynamoDB that processes so many keys at a time, and notes what it was asked and how long the caller paused. */
function processing(perCall: number) {
  const asked: number[] = []
  const pauses: number[] = []
  const done: string[] = []
  const client = {
    async send({ input }: { input: BatchGetItemCommandInput | BatchWriteItemCommandInput }) {
      const request = input.RequestItems?.mqtt_msg ?? []
      if (Array.isArray(request)) {
        asked.push(request.length)
        done.push(
          ...request.slice(0, perCall).map(({ DeleteRequest, PutRequest }) => (DeleteRequest?.Key ?? PutRequest?.Item)?.msgid?.S ?? ''),
        )
        return { UnprocessedItems: request.length > perCall ? { mqtt_msg: request.slice(perCall) } : {} }
      }
      const keys = request.Keys ?? []
      asked.push(keys.length)
      const left = keys.slice(perCall)
      return { Responses: { mqtt_msg: keys.slice(0, perCall) }, UnprocessedKeys: left.length > 0 ? { mqtt_msg: { Keys: left } } : {} }
    },
  } as unknown as DynamoDBClient
  const clock = { now: () => 0, sleep: async (ms: number) => void pauses.push(ms) }
  return { db: { client, clock, tables: TABLES } satisfies Database, asked, pauses, done }
}
const keys = (count: number) => Array.from({ length: count }, (_, i) => ({ msgid: { S: `${i}` } }))

it.each([0, 1, 100, 101, 250])('batchGet: %d keys, a hundred at a time', async (count) => {
  const { db, asked } = processing(100)
  expect(await batchGet(db, 'mqtt_msg', keys(count), { consistent: true })).toHaveLength(count)
  expect(asked.every((some) => some <= 100)).toBe(true)
  expect(asked).toHaveLength(Math.ceil(count / 100))
})

it('batchGet asks again for unprocessed keys, with pauses, for as long as there is progress', async () => {
  const { db, asked, pauses } = processing(3)
  expect(await batchGet(db, 'mqtt_msg', keys(100), { consistent: true })).toHaveLength(100)
  expect([asked.length, pauses.length > 0]).toEqual([34, true])
})

it('batchDelete sends unprocessed items again, for as long as there is progress', async () => {
  const { db, done } = processing(2)
  await batchDelete(db, 'mqtt_msg', keys(60))
  expect(new Set(done).size).toBe(60)
})

it('batchPut sends unprocessed items again, 25 at a time', async () => {
  const { db, asked, done } = processing(10)
  expect(await batchPut(db, 'mqtt_msg', keys(60))).toEqual(Array(60).fill({ status: 'fulfilled', value: undefined }))
  expect([new Set(done).size, Math.max(...asked)]).toEqual([60, 25])
})

it('batchPut: a batch that is refused fails its own items, in order', async () => {
  const { db } = processing(25)
  const send = db.client.send.bind(db.client) as (command: unknown) => Promise<never>
  const refusing = async (command: { input: object }) => {
    if (JSON.stringify(command.input).includes('"S":"30"')) throw new Error('on fire')
    return send(command)
  }
  const client = { send: refusing } as unknown as DynamoDBClient
  const results = await batchPut({ ...db, client }, 'mqtt_msg', keys(60))
  expect(results.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual(Array.from({ length: 25 }, (_, i) => 25 + i))
})

it('refuses to wait for ever on a table that is throttled', async () => {
  const { db, pauses } = processing(0)
  await expect(batchGet(db, 'mqtt_msg', keys(5), { consistent: true })).rejects.toThrow('mqtt_msg: still unprocessed')
  await expect(batchDelete(db, 'mqtt_msg', keys(5))).rejects.toThrow('table throttled')
  expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(20_000)
})

describe('ifHolds', () => {
  it('is undefined where the condition failed', async () => {
    const failed = new ConditionalCheckFailedException({ message: 'no', $metadata: {} })
    expect(await ifHolds(Promise.reject(failed))).toBeUndefined()
  })

  it('refuses to swallow anything else', async () => {
    await expect(ifHolds(Promise.reject(new Error('on fire')))).rejects.toThrow('on fire')
  })
})
