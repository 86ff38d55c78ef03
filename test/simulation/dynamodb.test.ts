/** The simulated DynamoDB against dynalite (which test/local holds to DynamoDB Local): every operation of some histories, answer by answer. */
import db from 'dynalite/db/index.js'
import { TABLE_NAMES, TABLES, type TableDefinition } from '../../lambda/core/tables.ts'
import { operationsOn } from '../../local/dynamodb/operations.ts'
import { CASTS, STEERED } from './casts.ts'
import type { ItemAnswer, ItemOperation, ItemRequest } from './dynamodb.ts'
import { runHistory } from './history.ts'

interface Observed {
  readonly operation: ItemOperation
  readonly request: ItemRequest
  /** `undefined`: refused by its condition. */
  readonly answer: ItemAnswer | undefined
}

async function dynalite() {
  const store = db.create({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 })
  await store.db.open()
  const operations = operationsOn(store)
  for (const TableName of TABLE_NAMES) {
    const { hashKey, rangeKey }: TableDefinition = TABLES[TableName]
    const keys = [hashKey, ...(rangeKey === undefined ? [] : [rangeKey])]
    await operations.CreateTable!({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keys.map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
    })
  }
  return operations
}

/** Sets in one order, maps without prototypes. */
const comparable = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, inner) => (key === 'SS' ? [...inner].sort() : inner))

it.each([...CASTS, ...STEERED].map((cast, i) => [cast.name, cast, 1_000 + i] as const))(
  'answers as dynalite does: all operations of a history of %j',
  async (_name, cast, seed) => {
    const observed: Observed[] = []
    await runHistory(seed, {
      cast,
      observe: (_owner, operation, request, answer) => observed.push(structuredClone({ operation, request, answer })),
    })
    const operations = await dynalite()
    // What stood in the tables before the first operation: the operators' rows.
    for (const [clientid, filters] of Object.entries(cast.operators)) {
      for (const topic of filters) {
        await operations.PutItem!({ TableName: 'mqtt_sub', Item: { clientid: { S: clientid }, topic: { S: topic }, qos: { N: '1' } } })
      }
    }
    expect(observed.length).toBeGreaterThan(40)
    for (const { operation, request, answer } of observed) {
      const theirs = await operations[operation]!(JSON.parse(JSON.stringify(request))).catch(
        (error: Error & { body?: { __type: string } }) => {
          if (!`${error.body?.__type}`.endsWith('ConditionalCheckFailedException'))
            throw new Error(`${operation} ${JSON.stringify(request)}: ${error.message}`)
          return undefined
        },
      )
      expect({ operation, request, answer: comparable(theirs ?? null) }).toEqual({ operation, request, answer: comparable(answer ?? null) })
    }
  },
  60_000,
)
