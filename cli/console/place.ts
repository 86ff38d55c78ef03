/** The backend that the console looks at: a run on this machine. */
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { portsOn } from '../../lambda/adapters/on-aws.ts'
import type { Ports } from '../../lambda/core/model/ports.ts'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import { DEFAULT_CONF } from '../../lib/conf/conf-file.ts'
import { localCredentials } from '../dead-letters/sqs-client.ts'

export interface PlaceUrls {
  /** Of the data plane, which is SQS and `/local` as well. */
  readonly dataUrl: string
  readonly dynamodbUrl: string
  readonly mqttUrl: string
  /** The conf that it runs with; default the app's own. */
  readonly conf?: string
}

export interface Place extends Required<PlaceUrls> {
  readonly dynamodb: DynamoDBClient
  readonly iot: IoTDataPlaneClient
  readonly tables: Readonly<Record<TableName, string>>
  readonly ports: Ports
  close(): void
}

export const OUR_CONF = join(import.meta.dirname, '..', '..', DEFAULT_CONF)
const REGION = 'us-west-2'
const tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, name])) as Record<TableName, string>

export function placeAt(urls: PlaceUrls): Place {
  const { dataUrl, dynamodbUrl } = urls
  const shared = { region: REGION, maxAttempts: 2 }
  const dynamodb = new DynamoDBClient({ ...shared, endpoint: dynamodbUrl, ...localCredentials(dynamodbUrl) })
  const iot = new IoTDataPlaneClient({ ...shared, endpoint: dataUrl, ...localCredentials(dataUrl) })
  const clock = { now: Date.now, sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) }
  const deliveries = { request: () => Promise.reject(new Error('the console requests no delivery')) }
  const close = () => {
    dynamodb.destroy()
    iot.destroy()
  }
  const ports = portsOn({ dynamodb, iot, deliveries, clock, tables, region: REGION })
  return { conf: OUR_CONF, ...urls, dynamodb, iot, tables, ports, close }
}
