/** Reads of a whole table: they say before they begin what they will read, and read no faster than they were told. */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import type { Clock } from '../../lambda/core/model/ports.ts'
import type { TableName } from '../../lambda/core/tables.ts'
import type { OpenTables } from './operator-tables.ts'
import type { Page } from './table-reads.ts'

/** A scan that is not consistent: half a unit for 4 KB (DynamoDB developer guide, "Read/write capacity"). */
const BYTES_A_UNIT = 8 * 1024
/** Rows of a page of a scan that is paced. */
const ROWS = 100

export interface Pace {
  /** Read units a second. */
  readonly rate: number
  /** Units that are read for each one of the scan itself. */
  readonly times: number
}

/** DynamoDB counts items and bytes about every six hours. */
export async function tellCost({ dynamodb, tables }: OpenTables, table: TableName, { rate, times }: Pace): Promise<void> {
  const { Table: { ItemCount: items = 0, TableSizeBytes: bytes = 0 } = {} } = await dynamodb.send(
    new DescribeTableCommand({ TableName: tables[table] }),
  )
  const units = Math.ceil((bytes / BYTES_A_UNIT) * times)
  const time = units > rate ? `, ${Math.ceil(units / rate)} s at ${rate} a second` : ''
  process.stderr.write(`reads all of ${tables[table]}: about ${items} rows, ${units} read units${time}\n`)
}

/** The pages of a table. After each it pauses for as long as its units, which DynamoDB tells, take at the rate. */
export async function* pacedPages<T>(
  page: (after: string | undefined, limit: number) => Promise<Page<T>>,
  { rate, times, clock }: Pace & { readonly clock: Clock },
): AsyncGenerator<readonly T[]> {
  let after: string | undefined
  do {
    const { rows, next, units = 0 } = await page(after, ROWS)
    yield rows
    after = next
    if (after !== undefined) await clock.sleep(((units * times) / rate) * 1000)
  } while (after !== undefined)
}
