/** `mqtt_topic_msg_map`: the topic row, made of its ids (topic-ids.ts), its seats (topic-seats.ts) and the gone markers. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { MessageTable, TopicTable } from '../../core/model/ports.ts'
import { goneKey } from '../../core/model/topic-row.ts'
import { N, number, S, text } from './attributes.ts'
import { type Database, getItem, ifHolds } from './dynamodb.ts'
import { topicIds } from './topic-ids.ts'
import { dispatchLeases } from './topic-leases.ts'
import { liveRows } from './topic-rows.ts'
import { liveClients } from './topic-seats.ts'

/** How long a gone marker stays: longer than a dead-letter queue keeps events. Seconds. */
const MARKER_LIFETIME = 15 * 24 * 3600

export function topicTable(db: Database, messages: Pick<MessageTable, 'existing'>): TopicTable {
  return {
    ...topicIds(db, messages),
    ...liveClients(db),
    ...dispatchLeases(liveRows(db)),

    async markGone(filter, event) {
      const mark = new UpdateItemCommand({
        TableName: db.tables.mqtt_topic_msg_map,
        Key: { topic: S(goneKey(filter, event.clientid)) },
        UpdateExpression: 'SET #session = :session, earlier = if_not_exists(#until, :zero), #until = :until, expires_at = :expiry',
        ConditionExpression: 'attribute_not_exists(#until) OR #until < :until',
        ExpressionAttributeNames: { '#session': 'session', '#until': 'until' },
        ExpressionAttributeValues: {
          ':session': S(event.session),
          ':until': N(event.at),
          ':zero': N(0),
          ':expiry': N(Math.floor(event.at / 1000) + MARKER_LIFETIME),
        },
      })
      await ifHolds(db.client.send(mark))
    },

    async goneSince(filter, clientid) {
      const item = await getItem(db, 'mqtt_topic_msg_map', { topic: S(goneKey(filter, clientid)) })
      return item && { session: text(item.session) ?? '', until: number(item.until) ?? 0, earlier: number(item.earlier) ?? 0 }
    },
  }
}
