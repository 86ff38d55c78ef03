/** The six tables under a prefix, so that runs side by side each begin with empty ones. */
import { CreateTableCommand, type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb'
import { RETAIN_INDEX, TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../lambda/core/tables.ts'

export type Tables = Readonly<Record<TableName, string>>

const tablesNamed = (prefix: string): Tables =>
  Object.fromEntries(TABLE_NAMES.map((table) => [table, `${prefix}${table}`])) as Record<TableName, string>

export async function createTables(client: DynamoDBClient, prefix: string): Promise<Tables> {
  const names = tablesNamed(prefix)
  for (const table of TABLE_NAMES) await client.send(new CreateTableCommand(definition(table, names[table])))
  return names
}

/** How many rows each has. */
export async function rowsIn(client: DynamoDBClient, tables: Tables): Promise<Record<TableName, number>> {
  const counts = { ...tables } as unknown as Record<TableName, number>
  for (const table of TABLE_NAMES) {
    counts[table] = 0
    for await (const page of paginateScan({ client }, { TableName: tables[table], Select: 'COUNT' })) counts[table] += page.Count ?? 0
  }
  return counts
}

function definition(table: TableName, TableName: string) {
  const { hashKey, rangeKey }: TableDefinition = TABLES[table]
  const index = table === 'mqtt_retain' ? RETAIN_INDEX : undefined
  const attributes = new Set([hashKey, rangeKey, index?.hashKey, index?.rangeKey].filter((attribute) => attribute !== undefined))
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST' as const,
    KeySchema: keys(hashKey, rangeKey),
    AttributeDefinitions: [...attributes].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
    ...(index && {
      GlobalSecondaryIndexes: [
        { IndexName: index.name, KeySchema: keys(index.hashKey, index.rangeKey), Projection: { ProjectionType: 'KEYS_ONLY' as const } },
      ],
    }),
  }
}

const keys = (...names: (string | undefined)[]) =>
  names
    .filter((name) => name !== undefined)
    .map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? ('HASH' as const) : ('RANGE' as const) }))
