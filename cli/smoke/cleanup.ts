/** Removes everything of a run: its rows, and its retained messages in IoT Core. */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb'
import { goneKey, retainTombstoneKey } from '../../lambda/core/model/topic-row.ts'
import { TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import type { Row, Stage } from '../demo/demo-stage.ts'
import type { SmokeGround } from './aws-ground.ts'

/**
 * First all clients must be offline and their events handled: a later event would write rows again.
 * @param isRetained whether IoT Core holds a retained message of the topic
 * @returns how many rows were removed
 */
export async function cleanUp(stage: Stage, ground: SmokeGround, isRetained: (topic: string) => Promise<boolean>): Promise<number> {
  for (const topic of ground.topics) if (await isRetained(topic)) await stage.publish(ground.nameOf(topic), '', { retain: true })
  await stage.eventually('nothing is retained', async () => (await stage.rows('mqtt_retain')).length === 0)
  await stage.close()
  await stage.eventually('all are offline', async () => {
    const clients = await stage.rows('mqtt_client')
    return clients.every(({ connect_state }) => connect_state?.N === '0')
  })
  const ended = async () => (await stage.rows('mqtt_sub')).every(({ origin }) => origin === undefined)
  await stage.eventually('their subscriptions have ended', ended)
  let removed = 0
  // mqtt_topic_msg_map names the messages, so it is emptied last.
  for (const table of [...TABLE_NAMES].sort(last('mqtt_topic_msg_map'))) removed += await removeAll(ground, table, await ground.rows(table))
  const { topics, clients } = ground
  const markers = [...topics].flatMap((topic) => [retainTombstoneKey(topic), ...[...clients].map((client) => goneKey(topic, client))])
  const keys = markers.map((S) => ({ topic: { S } }))
  return removed + (await removeAll(ground, 'mqtt_topic_msg_map', await ground.get('mqtt_topic_msg_map', keys)))
}

const last = (name: TableName) => (a: TableName, b: TableName) => Number(a === name) - Number(b === name)

async function removeAll(ground: SmokeGround, table: TableName, rows: readonly Row[]): Promise<number> {
  const { hashKey, rangeKey }: TableDefinition = TABLES[table]
  for (const row of rows) {
    const Key = Object.fromEntries([hashKey, rangeKey].flatMap((key) => (key === undefined ? [] : [[key, row[key]!]])))
    await ground.database.send(new DeleteItemCommand({ TableName: ground.tableName(table), Key }))
  }
  return rows.length
}
