/**
 * What each hook's function may call: the least privilege its IAM role gives (I9).
 * A test records the calls of every handler and compares both ways.
 */
import type { HookConfig } from './hooks.ts'
import type { TableName } from './tables.ts'

export type DynamoOperation = 'GetItem' | 'BatchGetItem' | 'Query' | 'Scan' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchWriteItem'
export type DataPlaneOperation = 'SendDirectMessage' | 'GetConnection' | 'GetRetainedMessage'

export interface Grants {
  /** Table -> operations on the table (and, for Query, on the retain index). */
  readonly tables: Partial<Record<TableName, readonly DynamoOperation[]>>
  /** SendDirectMessage and GetConnection on `client/*`, GetRetainedMessage on `topic/*`. */
  readonly dataPlane: readonly DataPlaneOperation[]
}

/** The grants of one hook's function, from its actions; each list without repetition. */
export function grantsOf(config: HookConfig, options: { retainIndex: boolean }): Grants {
  throw new Error(`not written yet: ${config.hook} ${options.retainIndex}`)
}
