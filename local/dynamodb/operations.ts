/**
 * The operations of the embedded DynamoDB: dynalite's store, validations and actions, corrected where they differ from DynamoDB.
 * test/local/dynamodb/conformance.test.ts compares them with DynamoDB Local.
 */
import batchGetItem from 'dynalite/actions/batchGetItem.js'
import batchWriteItem from 'dynalite/actions/batchWriteItem.js'
import createTable from 'dynalite/actions/createTable.js'
import deleteItem from 'dynalite/actions/deleteItem.js'
import deleteTable from 'dynalite/actions/deleteTable.js'
import describeTable from 'dynalite/actions/describeTable.js'
import getItem from 'dynalite/actions/getItem.js'
import listTables from 'dynalite/actions/listTables.js'
import putItem from 'dynalite/actions/putItem.js'
import query from 'dynalite/actions/query.js'
import scan from 'dynalite/actions/scan.js'
import updateItem from 'dynalite/actions/updateItem.js'
import updateTable from 'dynalite/actions/updateTable.js'
import type { Store } from 'dynalite/db/index.js'
import batchGetItemRequest from 'dynalite/validations/batchGetItem.js'
import batchWriteItemRequest from 'dynalite/validations/batchWriteItem.js'
import createTableRequest from 'dynalite/validations/createTable.js'
import deleteItemRequest from 'dynalite/validations/deleteItem.js'
import deleteTableRequest from 'dynalite/validations/deleteTable.js'
import describeTableRequest from 'dynalite/validations/describeTable.js'
import getItemRequest from 'dynalite/validations/getItem.js'
import validations from 'dynalite/validations/index.js'
import listTablesRequest from 'dynalite/validations/listTables.js'
import putItemRequest from 'dynalite/validations/putItem.js'
import queryRequest from 'dynalite/validations/query.js'
import scanRequest from 'dynalite/validations/scan.js'
import updateItemRequest from 'dynalite/validations/updateItem.js'
import updateTableRequest from 'dynalite/validations/updateTable.js'
import { amendDynalite, RETURN_OLD } from './amendments.ts'
import { ApiError, type Operation, type Operations, unreadable } from './http.ts'

amendDynalite()

const VALIDATION = 'com.amazon.coral.validate#ValidationException'
/** Nested parentheses of an expression. Ours have three levels. */
const MAX_NESTING = 8

type Action = typeof getItem
type Validation = typeof getItemRequest

/** All operations on a store except those of time to live. */
export function operationsOn(store: Store): Operations {
  const on = (action: Action, validation: Validation) => operation(store, action, validation)
  return {
    BatchGetItem: withWholeUnprocessedKeys(operation(storeWithLargeBatches(store), batchGetItem, batchGetItemRequest)),
    BatchWriteItem: on(batchWriteItem, batchWriteItemRequest),
    CreateTable: once(on(createTable, createTableRequest), (table) => settled(store, table)),
    DeleteItem: returningOld(store, deleteItem, deleteItemRequest),
    DeleteTable: once(on(deleteTable, deleteTableRequest), (table) => settled(store, table)),
    DescribeTable: on(describeTable, describeTableRequest),
    GetItem: on(getItem, getItemRequest),
    ListTables: on(listTables, listTablesRequest),
    PutItem: returningOld(store, putItem, putItemRequest),
    Query: on(query, queryRequest),
    Scan: on(scan, scanRequest),
    UpdateItem: returningOld(store, updateItem, updateItemRequest),
    UpdateTable: once(on(updateTable, updateTableRequest), (table) => settled(store, table)),
  }
}

/** In dynalite's order: check the types of the request, then its rules, then run the action. Each fails with an error that can be sent. */
function operation(store: Store, action: Action, { types, custom }: Validation, keep: readonly string[] = []): Operation {
  return async (request) => {
    const extra = Object.fromEntries(Object.entries(request).filter(([name]) => keep.includes(name)))
    const checked = check(() => {
      checkNesting(request)
      const typed = validations.checkTypes(request, types)
      validations.checkValidations(typed, types, custom, store)
      return typed
    })
    return await new Promise((resolve, reject) => {
      action(store, { ...checked, ...extra }, (error, answer) => (error ? reject(error) : resolve(answer ?? {})))
    })
  }
}

/** dynalite throws a TypeError for some requests that DynamoDB refuses, such as a value of null. */
function check<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw (error as Partial<ApiError>).statusCode ? error : unreadable('a request that is not as this operation takes it')
  }
}

/** dynalite's time doubles with every nested parenthesis: twenty would hang it. */
function checkNesting(request: object): void {
  for (const [name, expression] of Object.entries(request)) {
    if (!name.endsWith('Expression') || typeof expression !== 'string' || depthOf(expression) <= MAX_NESTING) continue
    throw new ApiError(
      VALIDATION,
      `Invalid ${name}: parentheses of more than ${MAX_NESTING} levels, which the embedded DynamoDB cannot read`,
    )
  }
}

function depthOf(expression: string): number {
  let depth = 0
  let deepest = 0
  for (const char of expression) {
    if (char === '(') deepest = Math.max(deepest, ++depth)
    else if (char === ')') depth--
  }
  return deepest
}

/** dynalite drops `ReturnValuesOnConditionCheckFailure`; our own check of conditions needs it. */
const returningOld = (store: Store, action: Action, validation: Validation) => operation(store, action, validation, [RETURN_OLD])

/** dynalite stops a batch at 1 MB and one item; DynamoDB at 16 MB. */
function storeWithLargeBatches(store: Store): Store {
  const options = { ...store.options, maxItemSize: 15 * 1024 * 1024 }
  return Object.assign(Object.create(store) as Store, { options })
}

interface BatchGet {
  RequestItems?: Record<string, { Keys: object[] }>
  UnprocessedKeys?: Record<string, { Keys: object[] }>
}

/** An unprocessed key is returned with the request's projection and names, which dynalite leaves out. */
function withWholeUnprocessedKeys(batchGet: Operation): Operation {
  return async (request) => {
    const asked = structuredClone((request as BatchGet).RequestItems ?? {})
    const answer = (await batchGet(request)) as BatchGet
    for (const [table, { Keys }] of Object.entries(answer.UnprocessedKeys ?? {})) {
      answer.UnprocessedKeys = { ...answer.UnprocessedKeys, [table]: { ...asked[table], Keys } }
    }
    return answer
  }
}

/** Answers a change of a table only when it is complete, as DynamoDB Local does: the client need not wait. */
function once(change: Operation, rest: (table: string) => Promise<void>): Operation {
  return async (request) => {
    const answer = await change(request)
    await rest((answer as { TableDescription: { TableName: string } }).TableDescription.TableName)
    return answer
  }
}

async function settled(store: Store, table: string): Promise<void> {
  const status = () =>
    new Promise<string>((resolve) => store.getTable(table, false, (error, found) => resolve(error ? 'gone' : `${found?.TableStatus}`)))
  while (/ING$/.test(await status())) await new Promise((resolve) => setTimeout(resolve, 2))
}
