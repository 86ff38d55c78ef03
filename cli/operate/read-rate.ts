/** How fast a whole table of a stack is read where nobody says: a tenth of what else is read of it, so that its readers do not notice. */
import type { TableDescription } from '@aws-sdk/client-dynamodb'
import { type Account, ask, elementsOf, refusalIn } from './control-plane.ts'
import type { OpenTables } from './operator-tables.ts'

export interface ReadRate {
  /** Read units a second. */
  readonly rate: number
  /** Why it is that rate, for who waits. */
  readonly because: string
}

const SHARE = 0.1
const HOUR_SECONDS = 3_600
/** At least, of a table on demand: 200 KB a second, when such a new table takes 12,000 units (DynamoDB developer guide). */
const LEAST_ON_DEMAND = 25
/** At least, of a provisioned table, which may have five. */
const LEAST_PROVISIONED = 1

/** Amazon CloudWatch API reference, GetMetricStatistics. */
export async function usualRate({ dynamodb: { config } }: OpenTables, table: TableDescription): Promise<ReadRate> {
  const account: Account = {
    region: await config.region(),
    credentials: await config.credentials(),
    control: process.env.AWS_ENDPOINT_URL_CLOUDWATCH,
  }
  const now = Date.now()
  const query = new URLSearchParams({
    Action: 'GetMetricStatistics',
    Namespace: 'AWS/DynamoDB',
    MetricName: 'ConsumedReadCapacityUnits',
    'Dimensions.member.1.Name': 'TableName',
    'Dimensions.member.1.Value': table.TableName!,
    StartTime: new Date(now - HOUR_SECONDS * 1000).toISOString(),
    EndTime: new Date(now).toISOString(),
    Period: `${HOUR_SECONDS}`,
    'Statistics.member.1': 'Sum',
    Version: '2010-08-01',
  })
  const answer = await ask(account, 'monitoring', `/?${query}`)
  const least = table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST' ? LEAST_ON_DEMAND : LEAST_PROVISIONED
  if (answer.status !== 200) return { rate: least, because: `cloudwatch:GetMetricStatistics is refused: ${refusalIn(answer)}` }
  const units = elementsOf(answer.text, 'Sum').reduce((sum, each) => sum + Number(each), 0)
  const used = (units / HOUR_SECONDS) * SHARE
  return used > least
    ? { rate: Math.round(used), because: 'a tenth of what was read in the last hour' }
    : { rate: least, because: 'little was read in the last hour' }
}
