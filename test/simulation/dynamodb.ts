/** DynamoDB for the simulation: rows in Maps; an operation takes effect at once, in one piece, when it is called. */
import { TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import { conditionOf } from './conditions.ts'
import type { Bindings } from './expression-reader.ts'
import { copy, type Row } from './rows.ts'
import { updateOf } from './updates.ts'

export type ItemOperation = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem'

/** The parts of a request that the stores use. */
export interface ItemRequest {
  readonly TableName: string
  readonly Key?: Row
  readonly Item?: Row
  readonly ConditionExpression?: string
  readonly UpdateExpression?: string
  readonly ProjectionExpression?: string
  readonly ExpressionAttributeNames?: Record<string, string>
  readonly ExpressionAttributeValues?: Row
  readonly ReturnValues?: string
  readonly ReturnValuesOnConditionCheckFailure?: string
}
export interface ItemAnswer {
  readonly Item?: Row
  readonly Attributes?: Row
}

export class ConditionFailed extends Error {
  /** The row, where the request asks for it. */
  readonly row: Row | undefined
  constructor(row: Row | undefined) {
    super('The conditional request failed')
    this.row = row
  }
}

export class MapDynamoDb {
  private readonly tables = new Map<string, Map<string, Row>>(TABLE_NAMES.map((name) => [name, new Map()]))

  /** @throws ConditionFailed, InvalidExpression */
  perform(operation: ItemOperation, request: ItemRequest): ItemAnswer {
    const rows = this.tables.get(request.TableName)!
    const key = keyOf(request.TableName as TableName, request.Key ?? request.Item!)
    const before = rows.get(key)
    const bindings = { names: request.ExpressionAttributeNames ?? {}, values: request.ExpressionAttributeValues ?? {} }
    if (operation === 'GetItem') return before === undefined ? {} : { Item: projected(before, request, bindings) }
    const { ConditionExpression: condition } = request
    if (condition !== undefined && !conditionOf(condition)(before ?? {}, bindings)) {
      throw new ConditionFailed(request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && before ? copy(before) : undefined)
    }
    if (operation === 'DeleteItem') rows.delete(key)
    else if (operation === 'PutItem') rows.set(key, copy(request.Item!))
    else rows.set(key, updateOf(request.UpdateExpression!)(before ?? copy(request.Key!), bindings))
    const answer = request.ReturnValues === 'ALL_NEW' ? rows.get(key) : request.ReturnValues === 'ALL_OLD' ? before : undefined
    return answer === undefined ? {} : { Attributes: copy(answer) }
  }

  /** Time to live: deletes what has expired by `now` (ms). */
  expire(now: number): void {
    for (const rows of this.tables.values()) {
      for (const [key, row] of rows) if (Number(row.expires_at?.N ?? Number.POSITIVE_INFINITY) * 1000 <= now) rows.delete(key)
    }
  }

  /** Not to be changed. */
  rows(table: TableName): Row[] {
    return [...this.tables.get(table)!.values()]
  }
}

function keyOf(table: TableName, row: Row): string {
  const { hashKey, rangeKey }: TableDefinition = TABLES[table]
  return JSON.stringify([row[hashKey]!.S, rangeKey && row[rangeKey]!.S])
}

function projected(row: Row, { ProjectionExpression }: ItemRequest, { names }: Bindings): Row {
  if (ProjectionExpression === undefined) return copy(row)
  const wanted = ProjectionExpression.split(', ').map((name) => names[name] ?? name)
  return copy(Object.fromEntries(wanted.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]!]]))))
}
