/** DynamoDB behind the wire: every operation of the stores on the simulation's rows in Maps, JSON in and JSON out. */
import { RETAIN_INDEX, TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import { ConditionFailed, type ItemAnswer, type ItemOperation, type ItemRequest, MapDynamoDb } from '../simulation/dynamodb.ts'
import { copy, type Row } from '../simulation/rows.ts'
import { type Answer, failure, success } from './http.ts'

/** Rows by table: what stands at some moment. */
export type Snapshot = Readonly<Record<TableName, readonly Row[]>>

export interface Database {
  /** One DynamoDB request as it came over the wire: the operation's name and its body. */
  perform(operation: string, input: Record<string, unknown>): Promise<Answer>
  rows(): Promise<Snapshot>
}

const ITEM_OPERATIONS = new Set<string>(['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'] satisfies ItemOperation[])

export class MapDatabase implements Database {
  private readonly dynamodb = new MapDynamoDb()

  constructor(snapshot?: Snapshot) {
    for (const table of TABLE_NAMES) for (const Item of snapshot?.[table] ?? []) this.item('PutItem', { TableName: table, Item })
  }

  async rows(): Promise<Snapshot> {
    return Object.fromEntries(TABLE_NAMES.map((table) => [table, this.dynamodb.rows(table).map(copy)])) as unknown as Snapshot
  }

  async perform(operation: string, input: Record<string, unknown>): Promise<Answer> {
    try {
      return success(this.answer(operation, input))
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
      return failure('ConditionalCheckFailedException', 400, error.row && { Item: error.row })
    }
  }

  private answer(operation: string, input: Record<string, unknown>): object {
    if (ITEM_OPERATIONS.has(operation)) return this.item(operation as ItemOperation, input as unknown as ItemRequest)
    if (operation === 'BatchGetItem') return this.batchGet(input)
    if (operation === 'BatchWriteItem') return this.batchWrite(input)
    if (operation === 'Query') return this.query(input)
    if (operation === 'Scan') return page(this.dynamodb.rows(input.TableName as TableName), input, TABLES[input.TableName as TableName])
    throw new Error(`${operation} is not here`)
  }

  private item = (operation: ItemOperation, request: ItemRequest): ItemAnswer => this.dynamodb.perform(operation, request)

  private batchGet(input: Record<string, unknown>): object {
    const [[table, { Keys, ...how }]] = Object.entries(input.RequestItems as Record<string, { Keys: Row[] }>) as [[string, { Keys: Row[] }]]
    const items = Keys.map((Key) => this.item('GetItem', { TableName: table, Key, ...how }).Item).filter((item) => item !== undefined)
    // In no order that anybody asked for.
    return { Responses: { [table]: items.reverse() }, UnprocessedKeys: {} }
  }

  private batchWrite(input: Record<string, unknown>): object {
    type Write = { DeleteRequest: { Key: Row } } | { PutRequest: { Item: Row } }
    for (const [TableName, writes] of Object.entries(input.RequestItems as Record<string, Write[]>)) {
      for (const write of writes) {
        if ('PutRequest' in write) this.item('PutItem', { TableName, ...write.PutRequest })
        else this.item('DeleteItem', { TableName, ...write.DeleteRequest })
      }
    }
    return { UnprocessedItems: {} }
  }

  /** All rows of a hash key, on the index also with a prefix of the range key: the stores ask for nothing else. */
  private query(input: Record<string, unknown>): object {
    const table = input.TableName as TableName
    const keys: TableDefinition = input.IndexName === RETAIN_INDEX.name ? RETAIN_INDEX : TABLES[table]
    const values = input.ExpressionAttributeValues as Row
    const [hash, prefix] = `${input.KeyConditionExpression}`.split(' AND ')
    const [, name, placeholder] = /^(\w+) = (:\w+)$/.exec(hash ?? '') ?? []
    const [, range, begin] = /^begins_with\((\w+), (:\w+)\)$/.exec(prefix ?? '') ?? []
    if (name !== keys.hashKey || (prefix !== undefined && range !== keys.rangeKey))
      throw new Error(`cannot read ${input.KeyConditionExpression}`)
    const found = this.dynamodb
      .rows(table)
      .filter((row) => row[name]?.S === values[placeholder!]?.S)
      .filter((row) => begin === undefined || row[range!]?.S?.startsWith(values[begin]?.S ?? ''))
    return page(found, input, keys)
  }
}

/** Sorted by key; `Limit` and `ExclusiveStartKey` as DynamoDB pages an answer that is too large. */
function page(rows: readonly Row[], input: Record<string, unknown>, { hashKey, rangeKey }: TableDefinition): object {
  const key = (row: Row) => JSON.stringify([row[hashKey]?.S, rangeKey && row[rangeKey]?.S])
  const sorted = [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1))
  const start = input.ExclusiveStartKey === undefined ? sorted : sorted.filter((row) => key(row) > key(input.ExclusiveStartKey as Row))
  const Items = start.slice(0, (input.Limit as number | undefined) ?? start.length).map(copy)
  const last = Items.at(-1)
  const LastEvaluatedKey =
    last && Items.length < start.length && Object.fromEntries([hashKey, rangeKey].flatMap((name) => (name ? [[name, last[name]]] : [])))
  return { Items, Count: Items.length, ...(LastEvaluatedKey && { LastEvaluatedKey }) }
}
