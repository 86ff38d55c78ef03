import { randomUUID } from 'node:crypto'
import {
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  type ReturnConsumedCapacity,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { systemClock } from '../lambda/adapters/environment.ts'
import { handlerOf } from '../lambda/adapters/lambda.ts'
import { portsOn } from '../lambda/adapters/ports.ts'
import { hookConfigs } from '../lambda/core/hooks.ts'
import { encodeMsgid } from '../lambda/core/msgid.ts'
import { TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../lambda/core/tables.ts'
import { messagePublish } from '../lambda/hooks/message-publish.ts'
import { startDynamoDbLocal } from '../local/dynamodb/local.ts'
import { atMost, type Block, type Figure } from './report.ts'

const PAYLOAD = 'x'.repeat(100)
const SAMPLE = 160
const BATCH = 10

/**
 * Write units per publish, payload 100 B, one topic nobody consumes, at two depths of its queue; and the access pattern of
 * EMQX's plugin (Put, then ADD to one growing set) at the depths it can bear. Capacity as DynamoDB Local counts it.
 */
export const writeUnits: Block = async ({ quick, progress }) => {
  const deep = quick ? 2_000 : 20_000
  const engine = await startDynamoDbLocal({ host: '127.0.0.1', port: 0, log: progress })
  const meter = meteredClient(engine.url)
  try {
    const publish = await publisher(meter.client)
    const ours: Record<number, number> = {}
    let depth = 0
    for (const target of [10, 1_000, deep]) {
      for (; depth < target; depth += BATCH) {
        await publish(BATCH)
        if (depth % 2_000 === 0) progress(`queue of ${depth} of ${deep}`)
      }
      meter.reset()
      for (let i = 0; i < SAMPLE; i++) await publish(1)
      depth += SAMPLE
      ours[target] = meter.units() / SAMPLE
    }
    const original = await originalAt(meter, 1_000)
    return [
      ...Object.entries(ours).map(
        ([at, units]): Figure => ({ name: `write units per publish, ${at} queued`, value: units, unit: '', ...atMost(2.5, units) }),
      ),
      {
        name: `the same at ${deep} against 10 queued`,
        value: ours[deep]!,
        unit: '',
        ratio: ours[deep]! / ours[10]!,
        ...atMost(1.05, ours[deep]! / ours[10]!),
      },
      { name: "EMQX's pattern, 1000 queued", value: original, unit: '', ratio: original / ours[1_000]!, against: 'ours at 1000' },
    ]
  } finally {
    meter.client.destroy()
    await engine.close()
  }
}

interface Meter {
  readonly client: DynamoDBClient
  reset(): void
  units(): number
}

/** Asks every write for its capacity. */
function meteredClient(endpoint: string): Meter {
  let units = 0
  const client = new DynamoDBClient({ endpoint, region: 'us-west-2', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } })
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const isWrite = /^(Put|Update|Delete)Item|^BatchWriteItem/.test(commandName ?? '')
        const input = isWrite ? { ...args.input, ReturnConsumedCapacity: 'TOTAL' satisfies ReturnConsumedCapacity } : args.input
        const result = await next({ ...args, input })
        const used = (result.output as { ConsumedCapacity?: { CapacityUnits?: number } }).ConsumedCapacity
        if (isWrite) units += used?.CapacityUnits ?? 0
        return result
      },
    { step: 'initialize' },
  )
  return { client, reset: () => (units = 0), units: () => units }
}

/** The deployed handler of message.publish with on_message_publish on every topic. */
async function publisher(client: DynamoDBClient): Promise<(count: number) => Promise<void>> {
  for (const table of TABLE_NAMES) await client.send(new CreateTableCommand(definition(table)))
  const rows = (['on_message_publish', 'on_message_acked_for_queue'] as const).map((action, i) => ({
    hook: i === 0 ? ('message.publish' as const) : ('message.acked' as const),
    label: '1',
    action,
    topic: '#',
    pool: 'pool1',
  }))
  const config = hookConfigs({ pools: { pool1: {} }, rows }).find(({ hook }) => hook === 'message.publish')!
  const tables = Object.fromEntries(TABLE_NAMES.map((table) => [table, table])) as Record<TableName, string>
  const iot = new IoTDataPlaneClient({ region: 'us-west-2' })
  const ports = portsOn({ dynamodb: client, iot, clock: systemClock, tables, region: 'us-west-2' })
  const handler = handlerOf(messagePublish, { config, ports, log: () => {} })
  let timestamp = Date.now()
  return async (count) => {
    const Records = Array.from({ length: count }, () => ({ messageId: randomUUID(), body: JSON.stringify(event(timestamp++)) }))
    const { batchItemFailures } = await handler({ Records }, { getRemainingTimeInMillis: () => 120_000 })
    if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} of ${count} publishes were refused`)
  }
}

const event = (timestamp: number) => ({
  topic: 'bench/units',
  clientid: 'mqttjs_231b962d5c',
  timestamp,
  traceid: randomUUID(),
  uuid: randomUUID(),
  payload: Buffer.from(PAYLOAD).toString('base64'),
})

/** What EMQX's plugin did: Put the message, then ADD its id to the topic's one set. */
async function originalAt({ client, reset, units }: Meter, depth: number): Promise<number> {
  const key = { topic: { S: 'bench/original' } }
  const idAt = (i: number) => encodeMsgid({ micros: BigInt(1_562_308_553_000_000 + i), node: 1n, sequence: 1 })
  const add = (ids: string[]) =>
    client.send(
      new UpdateItemCommand({
        TableName: 'mqtt_topic_msg_map',
        Key: key,
        UpdateExpression: 'ADD MsgId :ids',
        ExpressionAttributeValues: { ':ids': { SS: ids } },
      }),
    )
  await add(Array.from({ length: depth }, (_, i) => idAt(i)))
  reset()
  const sample = 20
  for (let i = depth; i < depth + sample; i++) {
    const Item = {
      msgid: { S: idAt(i) },
      topic: key.topic,
      sender: { S: 'mqttjs_231b962d5c' },
      qos: { N: '1' },
      retain: { N: '0' },
      payload: { S: PAYLOAD },
      arrived: { N: '1562308553' },
    }
    await client.send(new PutItemCommand({ TableName: 'mqtt_msg', Item }))
    await add([idAt(i)])
  }
  return units() / sample
}

function definition(table: TableName) {
  const { hashKey, rangeKey }: TableDefinition = TABLES[table]
  const keys = [hashKey, rangeKey].filter((key) => key !== undefined)
  return {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST' as const,
    KeySchema: keys.map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? ('HASH' as const) : ('RANGE' as const) })),
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
  }
}
