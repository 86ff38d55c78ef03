/** The same cases on a DynamoDB engine: the SDK's requests go on over real HTTP, and its retries wait as they do. */
import { DeleteItemCommand, type DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb'
import { TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import type { Row } from '../simulation/rows.ts'
import type { Tables } from '../support/engines.ts'
import type { Database, Snapshot } from './database.ts'
import type { Answer } from './http.ts'
import type { Ground } from './run-case.ts'
import { clientsOnWire } from './wire.ts'

/** `client`: for the tables' preparation and inspection, undisturbed. */
export function onEngine({ url, client, tables }: { url: string; client: DynamoDBClient; tables: Tables }): Ground {
  const database = new EngineDatabase(url, client, tables)
  return {
    clients: clientsOnWire({ hasty: false }),
    async fresh({ snapshot }) {
      await database.become(snapshot)
      return { database, tables }
    },
  }
}

class EngineDatabase implements Database {
  private readonly url: string
  private readonly client: DynamoDBClient
  private readonly tables: Tables

  constructor(url: string, client: DynamoDBClient, tables: Tables) {
    this.url = url
    this.client = client
    this.tables = tables
  }

  async perform(operation: string, input: Record<string, unknown>): Promise<Answer> {
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      'x-amz-date': '20260101T000000Z',
    }
    const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify(input) })
    return { statusCode: response.status, headers: {}, body: Buffer.from(await response.arrayBuffer()) }
  }

  async rows(): Promise<Snapshot> {
    return Object.fromEntries(await Promise.all(TABLE_NAMES.map(async (table) => [table, await this.scan(table)]))) as unknown as Snapshot
  }

  async become(snapshot: Snapshot): Promise<void> {
    for (const table of TABLE_NAMES) {
      const { hashKey, rangeKey }: TableDefinition = TABLES[table]
      const TableName = this.tables[table]
      for (const row of await this.scan(table)) {
        const Key = { [hashKey]: row[hashKey]!, ...(rangeKey && { [rangeKey]: row[rangeKey]! }) }
        await this.client.send(new DeleteItemCommand({ TableName, Key }))
      }
      for (const Item of snapshot[table]) await this.client.send(new PutItemCommand({ TableName, Item }))
    }
  }

  private async scan(table: TableName): Promise<Row[]> {
    const rows: Row[] = []
    for await (const page of paginateScan({ client: this.client }, { TableName: this.tables[table], ConsistentRead: true })) {
      rows.push(...(page.Items ?? []))
    }
    return rows
  }
}
