/** The DynamoDB client and the few request shapes that the stores share. */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  type QueryCommandInput,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb'
import { BackendError } from '../../core/errors.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { TableName } from '../../core/tables.ts'
import type { Item } from './attributes.ts'

export interface Database {
  readonly client: DynamoDBClient
  readonly clock: Clock
  /** Real names of the tables. */
  readonly tables: Readonly<Record<TableName, string>>
  /** Name of the index of `mqtt_retain`, if there is one. */
  readonly retainIndex?: string | undefined
}

/** BatchGetItem and BatchWriteItem limits. */
const KEYS_PER_GET = 100
export const ITEMS_PER_WRITE = 25
const ROUNDS = 8

/** Runs a conditional write; `undefined` where its condition did not hold. Everything else is thrown. */
export async function ifHolds<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined
    throw error
  }
}

export async function getItem(db: Database, table: TableName, key: Item, { consistent } = { consistent: true }): Promise<Item | undefined> {
  const got = await db.client.send(new GetItemCommand({ TableName: db.tables[table], Key: key, ConsistentRead: consistent }))
  return got.Item
}

export interface BatchGetOptions {
  readonly consistent: boolean
  /** Attribute names; absent: all. */
  readonly only?: readonly string[]
}

/** All items of the keys that exist, in no order. UnprocessedKeys are asked for again: the SDK does not. */
export async function batchGet(db: Database, table: TableName, keys: readonly Item[], options: BatchGetOptions): Promise<Item[]> {
  const batches = await Promise.all(chunks(keys, KEYS_PER_GET).map((some) => batchGetSome(db, table, some, options)))
  return batches.flat()
}

async function batchGetSome(db: Database, table: TableName, keys: readonly Item[], options: BatchGetOptions): Promise<Item[]> {
  const name = db.tables[table]
  const projection = options.only && {
    ProjectionExpression: options.only.map((_, i) => `#p${i}`).join(', '),
    ExpressionAttributeNames: Object.fromEntries(options.only.map((attribute, i) => [`#p${i}`, attribute])),
  }
  const items: Item[] = []
  let missing = [...keys]
  for (let round = 0; missing.length > 0; round++) {
    await pause(db.clock, table, round)
    const request = { Keys: missing, ConsistentRead: options.consistent, ...projection }
    const got = await db.client.send(new BatchGetItemCommand({ RequestItems: { [name]: request } }))
    const found = got.Responses?.[name] ?? []
    items.push(...found)
    missing = got.UnprocessedKeys?.[name]?.Keys ?? []
    if (found.length > 0) round = 0
  }
  return items
}

/** Deletes items by key. */
export async function batchDelete(db: Database, table: TableName, keys: readonly Item[]): Promise<void> {
  const writes = keys.map((Key) => ({ DeleteRequest: { Key } }))
  await Promise.all(chunks(writes, ITEMS_PER_WRITE).map((some) => batchWriteSome(db, table, some)))
}

/** Puts items, whatever was there; one result for each, in order. DynamoDB refuses a batch that has a key twice. */
export async function batchPut(db: Database, table: TableName, items: readonly Item[]): Promise<PromiseSettledResult<void>[]> {
  const batches = chunks(items, ITEMS_PER_WRITE)
  const results = await Promise.allSettled(
    batches.map((some) =>
      batchWriteSome(
        db,
        table,
        some.map((Item) => ({ PutRequest: { Item } })),
      ),
    ),
  )
  return batches.flatMap((some, i) => some.map(() => results[i]!))
}

/** UnprocessedItems are sent again: the SDK does not. */
async function batchWriteSome(db: Database, table: TableName, all: readonly WriteRequest[]): Promise<void> {
  const name = db.tables[table]
  let writes = [...all]
  for (let round = 0; writes.length > 0; round++) {
    await pause(db.clock, table, round)
    const done = await db.client.send(new BatchWriteItemCommand({ RequestItems: { [name]: writes } }))
    const left = done.UnprocessedItems?.[name] ?? []
    if (left.length < writes.length) round = 0
    writes = left
  }
}

async function pause(clock: Clock, table: TableName, round: number): Promise<void> {
  if (round >= ROUNDS) throw new BackendError('throttled', `${table}: still unprocessed after ${ROUNDS} rounds: table throttled`)
  if (round > 0) await clock.sleep(25 * 2 ** round)
}

export async function queryAll(db: Database, table: TableName, query: Omit<QueryCommandInput, 'TableName'>): Promise<Item[]> {
  const items: Item[] = []
  for await (const page of paginateQuery({ client: db.client }, { TableName: db.tables[table], ...query }))
    items.push(...(page.Items ?? []))
  return items
}

export function chunks<T>(all: readonly T[], size: number): T[][] {
  const parts: T[][] = []
  for (let i = 0; i < all.length; i += size) parts.push(all.slice(i, i + size))
  return parts
}
