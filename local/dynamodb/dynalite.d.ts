/** The parts of dynalite 4.0.0 that the embedded DynamoDB stands on. It has no types of its own. */

declare module 'dynalite/db/index.js' {
  type Callback<T> = (error: Error | null, value?: T) => void
  /** One type letter -> content: {S: 'x'}, {N: '1'}, {SS: [...]}, {M: Item}, {L: Value[]}. */
  type Value = Record<string, unknown>
  type Item = Record<string, Value>
  /** A path is an array of names and indexes. */
  interface Expression {
    type: string
    name?: string
    args: (Expression | Value | (string | number)[])[]
  }
  interface CapacityRequest {
    TableName: string
    ReturnConsumedCapacity?: string
    ConsistentRead?: boolean
  }
  interface SubDb {
    get(key: string, callback: Callback<unknown>): void
    put(key: string, value: unknown, callback: Callback<void>): void
    del(key: string, callback: Callback<void>): void
    createValueStream(options?: object): NodeJS.ReadableStream
  }
  interface Table {
    TableName: string
    TableStatus: string
    KeySchema: { AttributeName: string }[]
  }
  interface Store {
    options: { maxItemSize: number }
    db: { open(): Promise<void>; close(callback: Callback<void>): void; keys(range: object): AsyncIterable<string> }
    tableDb: SubDb & { awsAccountId: string; awsRegion: string }
    getItemDb(table: string): SubDb
    getTagDb(table: string): SubDb
    getTable(name: string, mustBeActive: boolean, callback: Callback<Table>): void
  }
  interface Db {
    create(options: { path?: string; createTableMs: number; updateTableMs: number; deleteTableMs: number }): Store
    createKey(item: Item, table: Table): string
    itemSize(item: Item): number
    addConsumedCapacity(request: CapacityRequest, isRead: boolean, item?: Item, otherItem?: Item): object | undefined
    checkConditional(request: object, existing: Item | undefined): (Error & { body: object }) | null | undefined
    mapPath(path: (string | number)[], item: Item): Value | null | undefined
    compare(comparison: string, value: Value | undefined, others: (Value | undefined)[]): boolean
  }
  const db: Db
  export default db
  export type { CapacityRequest, Expression, Item, Store, SubDb, Table, Value }
}

declare module 'dynalite/validations/index.js' {
  const validations: {
    checkTypes(request: object, types: object): object
    checkValidations(request: object, types: object, custom: unknown, store: object): void
  }
  export default validations
}

declare module 'dynalite/actions/*' {
  import type { Store } from 'dynalite/db/index.js'

  const action: (store: Store, request: object, callback: (error: Error | null, answer?: object) => void) => void
  export default action
}

declare module 'dynalite/validations/*' {
  const validation: { types: object; custom?: unknown }
  export default validation
}
