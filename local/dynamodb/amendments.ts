/** Replaces functions of dynalite that differ from DynamoDB. dynalite calls them through this one object, under its lock on the row. */
import db, { type CapacityRequest, type Expression, type Item } from 'dynalite/db/index.js'
import { meets } from './conditions.ts'
import { beyondAscii } from './item-size.ts'

/** A parameter of PutItem, UpdateItem and DeleteItem. */
export const RETURN_OLD = 'ReturnValuesOnConditionCheckFailure'

interface Conditional {
  _condition?: { expression: Expression }
  ReturnValuesOnConditionCheckFailure?: string
}

const KB = 1_024

/** Call it once: a second call would wrap the functions again. */
export function amendDynalite(): void {
  const { checkConditional, itemSize, mapPath } = db
  const refusal = (existing?: Item) => checkConditional({ Expected: { '': { Exists: true } } }, existing)

  db.itemSize = (item) => itemSize(item) + beyondAscii(item)

  db.addConsumedCapacity = (request, isRead, ...items) => {
    if (!['TOTAL', 'INDEXES'].includes(`${request.ReturnConsumedCapacity}`)) return undefined
    const CapacityUnits = Math.max(...items.map((item) => units(item, isRead, request)))
    return {
      CapacityUnits,
      TableName: request.TableName,
      ...(request.ReturnConsumedCapacity === 'INDEXES' && { Table: { CapacityUnits } }),
    }
  }

  db.checkConditional = (request, existing) => {
    const { _condition, ReturnValuesOnConditionCheckFailure } = request as Conditional
    const legacy = () => checkConditional(request, existing)
    const error = _condition ? (meets(existing ?? {}, _condition.expression) ? null : refusal(existing)) : legacy()
    if (error && existing && ReturnValuesOnConditionCheckFailure === 'ALL_OLD') error.body = { ...error.body, Item: existing }
    return error
  }

  // `SET a = b ADD b ...` would change a too: the set would be one object under two names.
  db.mapPath = (path, item) => {
    const value = mapPath(path, item)
    return value && !value.M && !value.L ? { ...value } : value
  }
}

/** Write units per KB; read units per 4 KB, half of that where eventual consistency will do. An absent row costs one. */
function units(item: Item | undefined, isRead: boolean, { ConsistentRead }: CapacityRequest): number {
  const blocks = item ? Math.ceil(db.itemSize(item) / (isRead ? 4 * KB : KB)) : 1
  return isRead && !ConsistentRead ? blocks / 2 : blocks
}
