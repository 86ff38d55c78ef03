/** The actions' ports, on DynamoDB and the IoT data plane. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import type { Clock, DeliveryQueue, Ports } from '../core/model/ports.ts'
import type { TableName } from '../core/tables.ts'
import { device, type OnRepeat } from './data-plane.ts'
import type { Database } from './tables/dynamodb.ts'
import { ackedTable } from './tables/mqtt_acked.ts'
import { clientTable } from './tables/mqtt_client.ts'
import { messageTable } from './tables/mqtt_msg.ts'
import { retainTable } from './tables/mqtt_retain.ts'
import { subscriptionTable } from './tables/mqtt_sub.ts'
import { topicTable } from './tables/mqtt_topic_msg_map.ts'

export interface Platform {
  readonly dynamodb: DynamoDBClient
  readonly iot: IoTDataPlaneClient
  readonly deliveries: DeliveryQueue
  readonly clock: Clock
  readonly tables: Readonly<Record<TableName, string>>
  readonly retainIndex?: string | undefined
  readonly region: string
  readonly onRepeat?: OnRepeat
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
    device: device(platform.iot, platform.clock, platform.onRepeat),
    deliveries: platform.deliveries,
    clock: platform.clock,
  }
}
