/**
 * EMQX's `emqx_backend_dynamo` as it called DynamoDB, on the same tables: the baseline beside ours. One call after the other, each
 * topic's ids in one set, eventually consistent reads. Errors that the plugin only logged are thrown here: figures need work that is done.
 */
import {
  type AttributeValue,
  BatchGetItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { encodeMsgid } from '../lambda/core/msgid.ts'
import type { TableName } from '../lambda/core/tables.ts'

/** Of one BatchGetItem. */
const KEYS_PER_GET = 100

export interface OriginalMessage {
  readonly msgid: string
  readonly topic: string
  readonly sender: string
  readonly payload: string
}

export interface Original {
  /** on_message_publish: Put the message, then ADD its id to the topic's one set. */
  publish(message: OriginalMessage): Promise<void>
  /** on_message_fetch_for_queue: the set, then its messages, 100 a call, one call after the other. In no order, as in EMQX. */
  fetch(topic: string): Promise<OriginalMessage[]>
  /** on_message_acked_for_queue: Put mqtt_acked, Delete the message, DELETE its id from the set. */
  ack(topic: string, clientid: string, msgid: string): Promise<void>
  /** on_retain_lookup. */
  retained(topic: string): Promise<OriginalMessage | undefined>
  /** on_client_connected, then on_subscribe_lookup. */
  connected(clientid: string): Promise<void>
  disconnected(clientid: string): Promise<void>
}

export function original(client: DynamoDBClient, tables: Readonly<Record<TableName, string>>): Original {
  const update = async (topic: string, verb: 'ADD' | 'DELETE', msgid: string) => {
    await client.send(
      new UpdateItemCommand({
        TableName: tables.mqtt_topic_msg_map,
        Key: { topic: { S: topic } },
        UpdateExpression: `${verb} MsgId :id`,
        ExpressionAttributeValues: { ':id': { SS: [msgid] } },
      }),
    )
  }

  return {
    async publish(message) {
      await client.send(new PutItemCommand({ TableName: tables.mqtt_msg, Item: pageItem(message) }))
      await update(message.topic, 'ADD', message.msgid)
    },

    async fetch(topic) {
      const { Item } = await client.send(new GetItemCommand({ TableName: tables.mqtt_topic_msg_map, Key: { topic: { S: topic } } }))
      const ids = Item?.MsgId?.SS ?? []
      const messages: OriginalMessage[] = []
      for (let i = 0; i < ids.length; i += KEYS_PER_GET) {
        let keys: Record<string, AttributeValue>[] = ids.slice(i, i + KEYS_PER_GET).map((msgid) => ({ msgid: { S: msgid } }))
        while (keys.length > 0) {
          const { Responses, UnprocessedKeys } = await client.send(
            new BatchGetItemCommand({ RequestItems: { [tables.mqtt_msg]: { Keys: keys } } }),
          )
          messages.push(...(Responses?.[tables.mqtt_msg] ?? []).map(messageOf))
          keys = UnprocessedKeys?.[tables.mqtt_msg]?.Keys ?? []
        }
      }
      return messages
    },

    async ack(topic, clientid, msgid) {
      const Item = { topic: { S: topic }, clientid: { S: clientid }, msgid: { S: msgid } }
      await client.send(new PutItemCommand({ TableName: tables.mqtt_acked, Item }))
      await client.send(new DeleteItemCommand({ TableName: tables.mqtt_msg, Key: { msgid: { S: msgid } } }))
      await update(topic, 'DELETE', msgid)
    },

    async retained(topic) {
      const { Item } = await client.send(new GetItemCommand({ TableName: tables.mqtt_retain, Key: { topic: { S: topic } } }))
      return Item && messageOf(Item)
    },

    async connected(clientid) {
      const row = { connect_state: { N: '1' }, node: { S: 'emqx@127.0.0.1' }, online_at: { N: '1562308553' }, offline_at: { N: '0' } }
      await client.send(new PutItemCommand({ TableName: tables.mqtt_client, Item: { clientid: { S: clientid }, ...row } }))
      await client.send(
        new QueryCommand({
          TableName: tables.mqtt_sub,
          KeyConditionExpression: 'clientid = :clientid',
          ExpressionAttributeValues: { ':clientid': { S: clientid } },
        }),
      )
    },

    async disconnected(clientid) {
      await client.send(
        new UpdateItemCommand({
          TableName: tables.mqtt_client,
          Key: { clientid: { S: clientid } },
          UpdateExpression: 'SET connect_state = :off, offline_at = :now',
          ExpressionAttributeValues: { ':off': { N: '0' }, ':now': { N: '1562308553' } },
        }),
      )
    },
  }
}

/** The ids of a topic's messages, one microsecond apart, in the plugin's format. */
export const originalMsgid = (i: number): string => encodeMsgid({ micros: BigInt(1_562_308_553_000_000 + i), node: 1n, sequence: 1 })

/** The row of mqtt_msg as on the page. */
export const pageItem = ({ msgid, topic, sender, payload }: OriginalMessage) => ({
  msgid: { S: msgid },
  topic: { S: topic },
  sender: { S: sender },
  qos: { N: '1' },
  retain: { N: '0' },
  payload: { S: payload },
  arrived: { N: '1562308553' },
})

type Item = Readonly<Record<string, { readonly S?: string | undefined }>>

const messageOf = ({ msgid, topic, sender, payload }: Item): OriginalMessage => ({
  msgid: msgid?.S ?? '',
  topic: topic?.S ?? '',
  sender: sender?.S ?? '',
  payload: payload?.S ?? '',
})
