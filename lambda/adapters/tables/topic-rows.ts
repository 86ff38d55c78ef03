/** Reads and conditional updates of rows with seats (`live`): heads and spill rows. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { BackendError } from '../../core/errors.ts'
import type { TopicRow } from '../../core/model/topic-row.ts'
import { type Item, S } from './attributes.ts'
import { type Database, getItem, ifHolds } from './dynamodb.ts'
import { topicRowOf } from './topic-item.ts'

/** Attempts of an optimistic write before the event goes back to its queue. */
export const ROUNDS = 12
export const contended = (topic: string): BackendError =>
  new BackendError(
    'contended',
    `subscribers of topic '${topic}': changed during each of ${ROUNDS} attempts to write, wanted one to succeed`,
  )

export interface Placeholders {
  readonly names?: Record<string, string>
  readonly values?: Item
  readonly returns?: 'ALL_NEW' | 'ALL_OLD'
}

export interface LiveRows {
  head(topic: string): Promise<TopicRow | undefined>
  /** The row after (or, with `returns`, before) the update; `undefined`: the condition did not hold. Unused placeholders are left out. */
  update(key: string, expression: string, condition: string, placeholders: Placeholders): Promise<TopicRow | undefined>
}

export function liveRows(db: Database): LiveRows {
  return {
    async head(topic) {
      const item = await getItem(db, 'mqtt_topic_msg_map', { topic: S(topic) })
      return item && topicRowOf(item)
    },

    async update(key, expression, condition, { names = {}, values = {}, returns = 'ALL_NEW' }) {
      const words = new Set(`${expression} ${condition}`.match(/[#:]\w+/g))
      const used = <T>(all: Record<string, T>) => Object.fromEntries(Object.entries(all).filter(([name]) => words.has(name)))
      const ExpressionAttributeNames = used(names)
      const ExpressionAttributeValues = used(values)
      const command = new UpdateItemCommand({
        TableName: db.tables.mqtt_topic_msg_map,
        Key: { topic: S(key) },
        UpdateExpression: expression,
        ConditionExpression: condition,
        ...(Object.keys(ExpressionAttributeNames).length > 0 && { ExpressionAttributeNames }),
        ...(Object.keys(ExpressionAttributeValues).length > 0 && { ExpressionAttributeValues }),
        ReturnValues: returns,
      })
      const done = await ifHolds(db.client.send(command))
      return done && topicRowOf({ topic: S(key), ...done.Attributes })
    },
  }
}
