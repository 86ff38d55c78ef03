/** Reads of a whole table: they say before they begin what they will read, and read no faster than they were told. */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import type { TableName } from '../../lambda/core/tables.ts'
import type { OpenTables } from './operator-tables.ts'
import { type ReadRate, usualRate } from './read-rate.ts'
import type { Page } from './table-reads.ts'

/** A scan that is not consistent: half a unit for 4 KB (DynamoDB developer guide, "Read/write capacity"). */
const BYTES_A_UNIT = 8 * 1024
/** Rows of a page of a scan that is paced. */
const ROWS = 100
/** Units a second of a local run, which nobody pays. */
const LOCAL_RATE = 100

export interface Pace {
  /** Read units a second; absent: on AWS a tenth of what is read anyway. */
  readonly rate?: number | undefined
  readonly aws?: true | undefined
}

/** The pages of a table. After each it pauses for as long as its units, which DynamoDB tells, take at the rate. */
export async function* wholeTable<T>(
  tables: OpenTables,
  /** `times`: units that are read for each one of the scan itself. */
  { table, times }: { readonly table: TableName; readonly times: number },
  pace: Pace,
  page: (after: string | undefined, limit: number) => Promise<Page<T>>,
): AsyncGenerator<readonly T[]> {
  const rate = await begin(tables, { table, times }, pace)
  let after: string | undefined
  do {
    const { rows, next, units = 0 } = await page(after, ROWS)
    yield rows
    after = next
    if (after !== undefined) await tables.ports.clock.sleep(((units * times) / rate) * 1000)
  } while (after !== undefined)
}

/** Says what it costs; DynamoDB counts items and bytes about every six hours. */
async function begin(
  tables: OpenTables,
  { table, times }: { table: TableName; times: number },
  { rate: told, aws }: Pace,
): Promise<number> {
  const name = tables.tables[table]
  const { Table = {} } = await tables.dynamodb.send(new DescribeTableCommand({ TableName: name }))
  const { ItemCount: items = 0, TableSizeBytes: bytes = 0 } = Table
  const units = Math.ceil((bytes / BYTES_A_UNIT) * times)
  const { rate, because }: Partial<ReadRate> & { rate: number } =
    told !== undefined || !aws ? { rate: told ?? LOCAL_RATE } : await usualRate(tables, Table)
  const why = because === undefined ? '' : ` (${because}; --rate says another)`
  const time = units > rate || because !== undefined ? `, ${Math.ceil(units / rate)} s at ${rate} a second${why}` : ''
  process.stderr.write(`reads all of ${name}: about ${items} rows, ${units} read units${time}\n`)
  return rate
}
