/** What it takes at least: raw requests, no logic. */
import { BatchGetItemCommand, BatchWriteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Room } from './capacity.ts'
import { type OriginalMessage, pageItem } from './original.ts'

type Place = Pick<Room, 'client' | 'tables'>

/** As a DynamoDBv2 rule action does: one row a publish, and nothing that delivers it. */
export async function plainRule({ client, tables }: Place, message: OriginalMessage): Promise<void> {
  await client.send(new PutItemCommand({ TableName: tables.mqtt_msg, Item: pageItem(message) }))
}

/** The fewest requests that store a message and name it on its topic: one Put, one Update of a small row. */
export async function storeAndName(place: Place, message: OriginalMessage): Promise<void> {
  await plainRule(place, message)
  const name = new UpdateItemCommand({
    TableName: place.tables.mqtt_topic_msg_map,
    Key: { topic: { S: message.topic } },
    UpdateExpression: 'SET MsgId = :id',
    ExpressionAttributeValues: { ':id': { SS: [message.msgid] } },
  })
  await place.client.send(name)
}

/** The fewest requests that read messages and take them away: at most 25, as many as one BatchWriteItem takes. */
export async function readAndDelete({ client, tables }: Place, msgids: readonly string[]): Promise<void> {
  const keys = msgids.map((msgid) => ({ msgid: { S: msgid } }))
  await client.send(new BatchGetItemCommand({ RequestItems: { [tables.mqtt_msg]: { Keys: keys } } }))
  const deletes = keys.map((Key) => ({ DeleteRequest: { Key } }))
  await client.send(new BatchWriteItemCommand({ RequestItems: { [tables.mqtt_msg]: deletes } }))
}
