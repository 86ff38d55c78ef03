/** All six tables of a world, to be compared and to be emptied. */
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import { TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import { startEmbedded } from '../../local/dynamodb/embedded.ts'
import type { EngineName } from '../support/engine-names.ts'
import { clientFor, createTables, type Engine, type Tables } from '../support/engines.ts'
import { mapsClient } from '../support/maps-engine.ts'
import { type Item, type Row, World } from '../support/world.ts'

export type Dump = Readonly<Record<TableName, readonly string[]>>

/** Every row of every table as sorted JSON. */
export async function dump(world: World): Promise<Dump> {
  const tables = await Promise.all(TABLE_NAMES.map(async (table) => [table, (await world.scan(table)).map(written).sort()] as const))
  return Object.fromEntries(tables) as unknown as Dump
}

/** Keys in order, bytes in base64. */
export const written = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => {
    if (one instanceof Uint8Array) return Buffer.from(one).toString('base64')
    if (one instanceof Set || Array.isArray(one)) return [...one]
    if (typeof one !== 'object' || one === null) return one
    return Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
  })

/** Deletes every row. */
export async function empty({ engine, tables }: World, items: Dump): Promise<void> {
  for (const table of TABLE_NAMES) {
    const rows = items[table].map((row) => JSON.parse(row) as Item)
    for (let i = 0; i < rows.length; i += 25) {
      const requests = rows.slice(i, i + 25).map((row) => ({ DeleteRequest: { Key: keyOf(table, row) } }))
      await engine.client.send(new BatchWriteItemCommand({ RequestItems: { [tables[table]]: requests } }))
    }
  }
}

function keyOf(table: TableName, row: Item): Item {
  const { hashKey, rangeKey }: TableDefinition = TABLES[table]
  return { [hashKey]: row[hashKey]!, ...(rangeKey === undefined ? {} : { [rangeKey]: row[rangeKey]! }) }
}

/** An engine and tables of one's own, outside of jest too. */
export async function ownEngine(): Promise<{ engine: Engine; tables: Tables; close(): Promise<void> }> {
  const { url, close } = await startEmbedded({ host: '127.0.0.1', port: 0 })
  const client = clientFor(url)
  const engine: Engine = { name: 'embedded', url, client }
  const tables = await createTables(engine)
  return {
    engine,
    tables,
    async close() {
      client.destroy()
      await close()
    },
  }
}

/** Rows in Maps take a tenth of the time, behind the same SDK client; one run in twenty is on the engine of the local run. */
export const mostlyMaps: fc.Arbitrary<EngineName> = fc.oneof(
  { arbitrary: fc.constant('maps' as const), weight: 19 },
  { arbitrary: fc.constant('embedded' as const), weight: 1 },
)

/** Worlds on two engines of one's own. */
export async function ownWorlds(rows: readonly Row[]): Promise<{ worldOn(engine: EngineName): World; close(): Promise<void> }> {
  const { engine: embedded, tables, close } = await ownEngine()
  const maps: Engine = { name: 'maps', url: '', client: mapsClient() }
  const ofMaps = await createTables(maps)
  const worldOn = (name: EngineName) => (name === 'maps' ? new World(maps, ofMaps, { rows }) : new World(embedded, tables, { rows }))
  return { worldOn, close }
}
