/** What DynamoDB says of the six tables. */
import { DescribeTableCommand, DescribeTimeToLiveCommand, ResourceNotFoundException } from '@aws-sdk/client-dynamodb'
import { TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import type { OpenTables } from './operator-tables.ts'

export interface TableState {
  readonly table: TableName
  /** With the prefix. */
  readonly name: string
  /** `ACTIVE`; undefined: there is no such table. */
  readonly status?: string | undefined
  /** DynamoDB counts about every six hours. */
  readonly items: number
  readonly bytes: number
}

export const tableStates = (tables: OpenTables): Promise<TableState[]> => Promise.all(TABLE_NAMES.map((table) => stateOf(tables, table)))

async function stateOf({ dynamodb, tables }: OpenTables, table: TableName): Promise<TableState> {
  const name = tables[table]
  try {
    const { Table = {} } = await dynamodb.send(new DescribeTableCommand({ TableName: name }))
    return { table, name, status: Table.TableStatus, items: Table.ItemCount ?? 0, bytes: Table.TableSizeBytes ?? 0 }
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error
    return { table, name, items: 0, bytes: 0 }
  }
}

/** Tables whose rows expire, and whether DynamoDB deletes them. Tables that are missing are left out. */
export async function expiries({ dynamodb, tables }: OpenTables): Promise<{ table: TableName; attribute: string; on: boolean }[]> {
  const expiring = TABLE_NAMES.flatMap((table) => {
    const { ttl }: TableDefinition = TABLES[table]
    return ttl === undefined ? [] : [{ table, attribute: ttl }]
  })
  const asked = await Promise.all(
    expiring.map(async ({ table, attribute }) => {
      try {
        const { TimeToLiveDescription: said } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName: tables[table] }))
        return [{ table, attribute, on: /^ENABL/.test(said?.TimeToLiveStatus ?? '') && said?.AttributeName === attribute }]
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return []
        throw error
      }
    }),
  )
  return asked.flat()
}
