/**
 * DynamoDB for the simulation: dynalite's validations and actions (held to DynamoDB Local by test/local) on rows in plain Maps,
 * so that an operation takes effect at once, in one piece, when it is called.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Store } from 'dynalite/db/index.js'
import { operationsOn } from '../../local/dynamodb-operations.ts'
import { TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'

export type Row = Record<string, AttributeValue>
type Callback = (error: Error | null, value?: unknown) => void

/** An error as DynamoDB answers it: `name` is the exception's. */
export class DynamoDbError extends Error {
  constructor(name: string, message: string) {
    super(message)
    this.name = name
  }
}

export class MapDynamoDb {
  /** Table -> dynalite's key -> row. */
  private readonly rowsOf = new Map<string, Map<string, Row>>(TABLE_NAMES.map((name) => [name, new Map()]))
  private readonly operations = operationsOn(this.store())

  /** One item operation, done when this returns. The answer is nobody else's to change. @throws DynamoDbError (rejects) */
  async perform(name: 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem', request: object): Promise<object> {
    try {
      return plain(await this.operations[name]!(plain(request)))
    } catch (error) {
      const { body } = error as { body?: { __type: string; message: string } }
      throw body === undefined ? error : new DynamoDbError(body.__type.split('#').at(-1)!, body.message)
    }
  }

  rows(table: TableName): Row[] {
    return [...this.rowsOf.get(table)!.values()]
  }

  private store(): Store {
    const store = {
      options: { maxItemSize: 400 * 1024 },
      getTable: (name: string, second: unknown, third?: Callback) => (third ?? (second as Callback))(null, description(name as TableName)),
      getItemDb: (name: string) => this.items(name),
    }
    return store as unknown as Store
  }

  private items(name: string) {
    const rows = this.rowsOf.get(name)!
    return {
      // Operations are synchronous here: nobody ever waits for a row.
      lock: (_key: string, run: (release: (callback: Callback) => Callback) => void) => run((callback) => callback),
      get: (key: string, callback: Callback) => callback(null, rows.get(key)),
      put: (key: string, row: Row, callback: Callback) => {
        rows.set(key, row)
        callback(null)
      },
      del: (key: string, callback: Callback) => {
        rows.delete(key)
        callback(null)
      },
    }
  }
}

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value))

const descriptions = new Map(
  TABLE_NAMES.map((name) => {
    const { hashKey, rangeKey }: TableDefinition = TABLES[name]
    const keys = rangeKey === undefined ? [hashKey] : [hashKey, rangeKey]
    return [
      name,
      {
        TableName: name,
        TableStatus: 'ACTIVE',
        KeySchema: keys.map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
        AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      },
    ]
  }),
)
const description = (name: TableName) => descriptions.get(name)
