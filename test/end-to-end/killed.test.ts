/**
 * A run with --data-dir that is killed outright (SIGKILL) has lost nothing that it acknowledged.
 *
 * @seconds 25
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AttributeValue, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { type StackProcess, startStackProcess } from '../soak/stack-process.ts'
import { connect, endClients, eventually } from '../support/mqtt-client.ts'

let dataDir: string
let stack: StackProcess
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'killed-'))
})
afterEach(async () => {
  await endClients()
  await stack.kill()
  rmSync(dataDir, { recursive: true })
})

async function rows(TableName: string): Promise<Record<string, AttributeValue>[]> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new DynamoDBClient({ endpoint: stack.urls.dynamodb, region: 'us-west-2', credentials })
  const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }))
  client.destroy()
  return Items
}

test('I1, I6: events that nobody had handled, retained messages and who was connected', async () => {
  stack = await startStackProcess(['--data-dir', dataDir, '--delay', '1'])
  const { client } = await connect(stack.urls.mqtt, 'sender')
  await client.publishAsync('r', 'kept', { qos: 1, retain: true })
  await Promise.all(Array.from({ length: 200 }, (_, i) => client.publishAsync('t', `${i}`, { qos: 1 })))
  await stack.kill()

  stack = await startStackProcess(['--data-dir', dataDir])
  await eventually('201 messages', async () => (await rows('mqtt_msg')).length === 201, 20_000)
  expect(new Set((await rows('mqtt_msg')).map(({ payload }) => payload?.S)).size).toBe(201)
  await eventually('a retained row', async () => (await rows('mqtt_retain'))[0]?.payload?.S === 'kept')
  await eventually('sender is offline', async () => (await rows('mqtt_client'))[0]?.connect_state?.N === '0')
  const { client: again } = await connect(stack.urls.mqtt, 'sender')
  await eventually('sender is online: its versions have gone on', async () => (await rows('mqtt_client'))[0]?.connect_state?.N === '1')
  await again.endAsync()
}, 60_000)
