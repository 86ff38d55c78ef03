/** One invocation of a function as the wire sees it: its SDK calls in order, and whether it still lives. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { HookName } from '../../lambda/core/hooks.ts'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import type { Fault } from './fault-kinds.ts'

export type CallKind = 'read' | 'write' | 'batch-get' | 'batch-write' | 'query' | 'send' | 'connection' | 'retained'

/** One call of the SDK: `client.send(command)`, however often it is tried. */
export interface SdkCall {
  readonly index: number
  readonly kind: CallKind
  /** As grants.ts names it: `mqtt_msg:PutItem`, `SendDirectMessage`. */
  readonly name: string
  readonly input: object
  /** Keys or writes of a batch. */
  readonly size: number
  attempts: number
}

const KINDS: Readonly<Record<string, CallKind>> = {
  GetItem: 'read',
  PutItem: 'write',
  UpdateItem: 'write',
  DeleteItem: 'write',
  BatchGetItem: 'batch-get',
  BatchWriteItem: 'batch-write',
  Query: 'query',
  Scan: 'query',
  SendDirectMessage: 'send',
  GetConnection: 'connection',
  GetRetainedMessage: 'retained',
}

export class Process {
  readonly number: number
  readonly hook: HookName
  /** Milliseconds: Lambda ends it then. */
  readonly deadline: number
  readonly calls: SdkCall[] = []
  /** What goes wrong at which of its calls. */
  readonly faults: readonly { readonly fault: Fault; readonly at: number }[]
  alive = true
  readonly death: Promise<'died'>
  private dies: () => void = () => {}

  constructor(options: Pick<Process, 'number' | 'hook' | 'deadline' | 'faults'>) {
    this.number = options.number
    this.hook = options.hook
    this.deadline = options.deadline
    this.faults = options.faults
    this.death = new Promise((resolve) => {
      this.dies = () => resolve('died')
    })
  }

  /** From here on nothing of it happens any more. The call on which it died never ends. */
  die(): Promise<never> {
    this.alive = false
    this.dies()
    return new Promise(() => {})
  }

  begin(command: string, input: Record<string, unknown>): SdkCall {
    const operation = command.replace(/Command$/, '')
    const batch = Object.entries((input.RequestItems ?? {}) as Record<string, { Keys?: unknown[] } | unknown[]>)[0]
    const table = tableOf((input.TableName as string | undefined) ?? batch?.[0])
    const keys = batch && (Array.isArray(batch[1]) ? batch[1] : batch[1].Keys)
    const kind = KINDS[operation]
    if (kind === undefined) throw new Error(`${operation} is no call that this knows`)
    const call = {
      index: this.calls.length,
      kind,
      name: table === undefined ? operation : `${table}${input.IndexName === undefined ? '' : '/index'}:${operation}`,
      input,
      size: keys?.length ?? 1,
      attempts: 0,
    }
    this.calls.push(call)
    return call
  }
}

/** Our name of a table, whatever prefix it has. */
const tableOf = (name: string | undefined): string | undefined => TABLE_NAMES.find((table) => name?.endsWith(table))

/** Which process, and which of its calls, a request belongs to. */
export const processes = new AsyncLocalStorage<{ readonly process: Process; readonly call?: SdkCall }>()

/** A call in a line for a reader: the key or the client, and what is to be done where. */
export function described({ index, name, attempts, input }: SdkCall): string {
  const { Key, Item, RequestItems, UpdateExpression, ConditionExpression, ExpressionAttributeValues, clientId, topic } = input as Record<
    string,
    unknown
  >
  const said = [Key ?? Item ?? RequestItems ?? { clientId, topic }, ExpressionAttributeValues]
    .filter(Boolean)
    .map((one) => JSON.stringify(one))
  const text = [...said, UpdateExpression, ConditionExpression && `IF ${ConditionExpression}`].filter(Boolean).join(' ')
  const short = text.replaceAll('\\u0000', '|').replace(/\{"(?:S|N|SS|M)":([^{}]*)\}/g, '$1')
  return `${index} ${name}${attempts > 1 ? ` (attempt ${attempts})` : ''} ${short}`
}
