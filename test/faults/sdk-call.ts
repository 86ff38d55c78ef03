/** A call of the SDK as the wire sees it. */
import { TABLE_NAMES } from '../../lambda/core/tables.ts'

export type CallKind = 'read' | 'write' | 'batch-get' | 'batch-write' | 'query' | 'send' | 'connection' | 'retained' | 'delivery-request'

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
  ListSubscriptions: 'connection',
  GetRetainedMessage: 'retained',
  SendMessage: 'delivery-request',
}

/** @throws Error if the product makes calls of which this knows nothing */
export function sdkCall(index: number, command: string, input: Record<string, unknown>): SdkCall {
  const operation = command.replace(/Command$/, '')
  const batch = Object.entries((input.RequestItems ?? {}) as Record<string, { Keys?: unknown[] } | unknown[]>)[0]
  const table = tableOf((input.TableName as string | undefined) ?? batch?.[0])
  const keys = batch && (Array.isArray(batch[1]) ? batch[1] : batch[1].Keys)
  const kind = KINDS[operation]
  if (kind === undefined) throw new Error(`${operation} is no call that this knows`)
  const name = table === undefined ? operation : `${table}${input.IndexName === undefined ? '' : '/index'}:${operation}`
  return { index, kind, name, input, size: keys?.length ?? 1, attempts: 0 }
}

/** Our name of a table, whatever prefix it has. */
const tableOf = (name: string | undefined): string | undefined => TABLE_NAMES.find((table) => name?.endsWith(table))

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
