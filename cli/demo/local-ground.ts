/** The local stack of the demo. Nobody else uses it, so it has the names of EMQX's page, and a step may scan its tables. */
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import mqtt from 'mqtt'
import type { Ground } from './demo-stage.ts'

const PATIENCE_MS = 15_000
const REGION = 'us-west-2'

export function localGround({ mqttUrl, dynamodbUrl }: { readonly mqttUrl: string; readonly dynamodbUrl: string }): Ground {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const database = new DynamoDBClient({ endpoint: dynamodbUrl, region: REGION, credentials })
  return {
    database,
    patienceMs: PATIENCE_MS,
    clientName: (name) => name,
    topicName: (name) => name,
    tableName: (table) => table,
    connect: (clientId, options) => mqtt.connectAsync(mqttUrl, { ...options, clientId }),
    rows: async (table) => (await database.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Items ?? [],
    command: (table) => `aws dynamodb scan --table-name ${table} --region ${REGION} --endpoint-url ${dynamodbUrl}`,
  }
}
