/** The actions' ports, on DynamoDB and the IoT data plane. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import type { Clock, Ports } from '../core/ports.ts'
import type { TableName } from '../core/tables.ts'
import { ackedTable } from './acked-table.ts'
import { clientTable } from './client-table.ts'
import { device } from './device.ts'
import type { Database } from './dynamodb.ts'
import { messageTable } from './message-table.ts'
import { retainTable } from './retain-table.ts'
import { subscriptionTable } from './subscription-table.ts'
import { topicTable } from './topic-table.ts'

export interface Platform {
  readonly dynamodb: DynamoDBClient
  readonly iot: IoTDataPlaneClient
  readonly clock: Clock
  readonly tables: Readonly<Record<TableName, string>>
  readonly retainIndex?: string | undefined
  readonly region: string
}

export function portsOn(platform: Platform): Ports {
  const db: Database = { client: platform.dynamodb, clock: platform.clock, tables: platform.tables, retainIndex: platform.retainIndex }
  const messages = messageTable(db)
  return {
    clients: clientTable(db, `aws-iot@${platform.region}`),
    subscriptions: subscriptionTable(db),
    messages,
    topics: topicTable(db, messages),
    acked: ackedTable(db),
    retained: retainTable(db),
    device: device(platform.iot, platform.clock),
    clock: platform.clock,
  }
}
