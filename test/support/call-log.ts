/** Records the SDK calls that handlers make, by hook: what grants.ts must allow (I9) and what a publish costs (I7). */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { HookConfig, HookName } from '../../lambda/core/hooks.ts'
import { type Grants, grantsOf } from '../../lib/pipeline/grants.ts'
import type { Engine, Tables } from './engines.ts'

export interface Call {
  readonly hook: HookName
  /** `mqtt_msg:PutItem`, `mqtt_retain/index:Query`, `SendDirectMessage`: as grants.ts names them. */
  readonly call: string
  /** Units that DynamoDB billed. */
  readonly writeUnits: number
  readonly readUnits: number
}

interface Recorder {
  readonly hook: HookName
  readonly tables: Tables
  readonly calls: Call[]
}

const recorders = new AsyncLocalStorage<Recorder>()
const watched = new WeakSet<DynamoDBClient>()

/** What `work` calls on watched clients, and on the data plane by {@link note}, is recorded. */
export const recording = <T>(recorder: Recorder, work: () => Promise<T>): Promise<T> => recorders.run(recorder, work)

/** What `work` calls is nobody's: not the handler's that runs meanwhile. */
export const unrecorded = <T>(work: () => Promise<T>): Promise<T> => recorders.exit(work)

export function note(call: string, { writeUnits = 0, readUnits = 0 } = {}): void {
  const recorder = recorders.getStore()
  recorder?.calls.push({ hook: recorder.hook, call, writeUnits, readUnits })
}

interface Named {
  TableName?: string
  IndexName?: string
  RequestItems?: Record<string, unknown>
}
interface Input extends Named {
  ConsistentRead?: boolean | undefined
  RequestItems?: Record<string, KeysAsked>
  ReturnConsumedCapacity?: string
}
interface KeysAsked {
  Keys?: unknown[]
  ConsistentRead?: boolean | undefined
}
interface Output {
  Responses?: Record<string, unknown[]>
  UnprocessedKeys?: Record<string, KeysAsked>
  ConsumedCapacity?: Capacity | Capacity[]
}
interface Capacity {
  CapacityUnits?: number
}

/**
 * Calls outside of {@link recording} (a test's own) are let through unseen. The engines leave out what AWS bills for nothing found
 * (developer guide, "Capacity unit consumption"): a row that a BatchGetItem misses (DynamoDB Local), a Query or Scan that is empty, a
 * write whose condition does not hold, at one unit or half of one.
 */
export function watch({ client, name }: Pick<Engine, 'client' | 'name'>): DynamoDBClient {
  if (watched.has(client)) return client
  watched.add(client)
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const recorder = recorders.getStore()
        if (recorder === undefined) return next(args)
        const input = args.input as Input
        const call = callOf(commandName.replace(/Command$/, ''), input, recorder.tables)
        try {
          const result = await next({ ...args, input: { ...input, ReturnConsumedCapacity: 'TOTAL' } as typeof args.input })
          const output = result.output as Output
          const counted = [output.ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)
          const absent = name === 'local' ? unitsOfAbsent(input, output) : 0
          const least = /^(Query|Scan)/.test(commandName) ? unitOf(input) : 0
          note(call, READS.test(commandName) ? { readUnits: Math.max(least, counted + absent) } : { writeUnits: counted })
          return result
        } catch (error) {
          // A condition that does not hold needs the right to ask, too.
          note(call, { writeUnits: error instanceof ConditionalCheckFailedException ? 1 : 0 })
          throw error
        }
      },
    { step: 'initialize', name: 'callLog' },
  )
  return client
}

/** Of a BatchGetItem: half a unit, or one, for each row that is not there. */
function unitsOfAbsent({ RequestItems = {} }: Input, { Responses, UnprocessedKeys = {} }: Output): number {
  if (Responses === undefined) return 0
  return Object.entries(RequestItems).reduce((sum, [table, { Keys = [], ConsistentRead }]) => {
    const absent = Keys.length - (Responses[table]?.length ?? 0) - (UnprocessedKeys[table]?.Keys?.length ?? 0)
    return sum + absent * unitOf({ ConsistentRead })
  }, 0)
}

const unitOf = ({ ConsistentRead }: Pick<KeysAsked, 'ConsistentRead'>): number => (ConsistentRead ? 1 : 0.5)

const READS = /^(Get|BatchGet|Query|Scan)/

/** @param operation of DynamoDB, as `PutItem` */
export function callOf(operation: string, { TableName, IndexName, RequestItems = {} }: Named, tables: Tables): string {
  const real = TableName ?? Object.keys(RequestItems)[0]
  const table = Object.entries(tables).find(([, name]) => name === real)?.[0] ?? `unknown table ${real}`
  return `${table}${IndexName === undefined ? '' : '/index'}:${operation}`
}

/** Everything that the hook's role allows, in the words of {@link Call}. */
export function allowedTo(config: HookConfig, retainIndex: boolean): string[] {
  const grants: Grants = grantsOf(config, { retainIndex })
  const onTables = Object.entries(grants.tables).flatMap(([table, operations]) => operations.map((operation) => `${table}:${operation}`))
  return [
    ...onTables,
    ...(grants.retainIndex ? ['mqtt_retain/index:Query'] : []),
    ...grants.dataPlane,
    ...(grants.requestsDelivery ? ['SendMessage'] : []),
  ].sort()
}
