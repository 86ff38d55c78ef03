/**
 * `mqtt_retain`: the last retained message of each topic. The message id orders puts and deletes, whatever the order in which they arrive:
 * a delete leaves a tombstone (a row of `mqtt_topic_msg_map`, so that scans of this table show retained messages only). A put writes the
 * message, then reads the tombstone; a delete writes the tombstone, then deletes: in any interleaving the newer one stands (I6).
 */
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { RetainedDigest, RetainTable } from '../../core/model/retain-table.ts'
import { awaitedCheckKey, retainAnswerKey, retainPlaceKey, retainTombstoneKey } from '../../core/model/topic-row.ts'
import { millisOfMsgid, msgidNumber } from '../../core/msgid.ts'
import { type Item, N, number, S, text } from './attributes.ts'
import { batchGet, type Database, getItem, ifHolds } from './dynamodb.ts'
import { itemOfMessage, messageOfItem } from './message-item.ts'
import { rootOf, topicsMatching } from './retained-topics.ts'

/** Longer than a dead-letter queue keeps an event. Seconds. */
const TOMBSTONE_LIFETIME = 15 * 24 * 3600
/** An answer serves publishes of the last hours only. Seconds. */
const ANSWER_LIFETIME = 24 * 3600
const NOT_NEWER = 'attribute_not_exists(event_id) OR event_id < :event_id'

export function retainTable(db: Database): RetainTable {
  const TableName = db.tables.mqtt_retain

  async function tombstone(topic: string): Promise<Item | undefined> {
    return getItem(db, 'mqtt_topic_msg_map', { topic: S(retainTombstoneKey(topic)) })
  }
  async function removeUpTo(topic: string, eventId: string): Promise<void> {
    const remove = new DeleteItemCommand({
      TableName,
      Key: { topic: S(topic) },
      ConditionExpression: 'attribute_not_exists(event_id) OR event_id <= :event_id',
      ExpressionAttributeValues: { ':event_id': S(eventId) },
    })
    await ifHolds(db.client.send(remove))
  }

  return {
    async put(message) {
      const eventId = eventIdOf(message.msgid)
      const put = new PutItemCommand({
        TableName,
        Item: { ...itemOfMessage(message), ...eventAttributes(message.msgid), root: S(rootOf(message.topic)) },
        ConditionExpression: NOT_NEWER,
        ExpressionAttributeValues: { ':event_id': S(eventId) },
      })
      await ifHolds(db.client.send(put))
      const cleared = text((await tombstone(message.topic))?.event_id)
      if (cleared !== undefined && cleared >= eventId) await removeUpTo(message.topic, cleared)
    },

    async clear(message, { certain, inferredFrom }) {
      const { event_id, event_at } =
        certain && inferredFrom === undefined ? eventAttributes(message.msgid) : attributesBefore(message.msgid, inferredFrom)
      const put = new PutItemCommand({
        TableName: db.tables.mqtt_topic_msg_map,
        Item: {
          topic: S(retainTombstoneKey(message.topic)),
          event_id,
          event_at,
          ...(certain ? { msgid: S(message.msgid) } : {}),
          expires_at: N(message.arrived + TOMBSTONE_LIFETIME),
        },
        ConditionExpression: NOT_NEWER,
        ExpressionAttributeValues: { ':event_id': event_id },
      })
      await ifHolds(db.client.send(put))
      await removeUpTo(message.topic, event_id.S)
    },

    async get(topic) {
      const item = await getItem(db, 'mqtt_retain', { topic: S(topic) })
      return item && messageOfItem(item)
    },

    async clearedBy(topic) {
      return text((await tombstone(topic))?.msgid)
    },

    async awaitCheck({ topic, msgid, arrived }) {
      const Item = { topic: S(awaitedCheckKey(topic, msgid)), msgid: S(msgid), expires_at: N(arrived + TOMBSTONE_LIFETIME) }
      await db.client.send(new PutItemCommand({ TableName: db.tables.mqtt_topic_msg_map, Item }))
    },

    async awaitingCheck(messages) {
      const keys = new Set(messages.map(({ topic, msgid }) => awaitedCheckKey(topic, msgid)))
      const found = await batchGet(
        db,
        'mqtt_topic_msg_map',
        [...keys].map((key) => ({ topic: S(key) })),
        { consistent: true },
      )
      return new Set(found.map((item) => text(item.msgid) ?? ''))
    },

    async noteAnswer(topic, { at, held }) {
      const put = new PutItemCommand({
        TableName: db.tables.mqtt_topic_msg_map,
        Item: {
          topic: S(retainAnswerKey(topic)),
          asked_at: N(at),
          expires_at: N(Math.floor(at / 1000) + ANSWER_LIFETIME),
          ...(held === undefined ? {} : { held: { M: heldOf(held) } }),
        },
        ConditionExpression: 'attribute_not_exists(asked_at) OR asked_at < :at',
        ExpressionAttributeValues: { ':at': N(at) },
      })
      await ifHolds(db.client.send(put))
    },

    async answer(topic) {
      const item = await getItem(db, 'mqtt_topic_msg_map', { topic: S(retainAnswerKey(topic)) }, { consistent: false })
      const at = number(item?.asked_at)
      return at === undefined ? undefined : { at, ...(item?.held?.M === undefined ? {} : { held: digestIn(item.held.M) }) }
    },

    topicsMatching: (filters, from) => topicsMatching(db, filters, from),

    async getAll(topics) {
      const items = await batchGet(
        db,
        'mqtt_retain',
        topics.map((topic) => ({ topic: S(topic) })),
        { consistent: false },
      )
      return items.map((item) => ({ message: messageOfItem(item), foreign: item.event_id === undefined }))
    },

    async leaveOff(eventId, { part, topic }, at) {
      const expires_at = N(Math.floor(at / 1000) + TOMBSTONE_LIFETIME)
      const Item = { topic: S(retainPlaceKey(eventId)), part: N(part), after: S(topic), expires_at }
      await db.client.send(new PutItemCommand({ TableName: db.tables.mqtt_topic_msg_map, Item }))
    },

    async leftOff(eventId) {
      const item = await getItem(db, 'mqtt_topic_msg_map', { topic: S(retainPlaceKey(eventId)) })
      return item && { part: number(item.part) ?? 0, topic: text(item.after) ?? '' }
    },
  }
}

const heldOf = ({ payload, user, qos, lastModified }: RetainedDigest): Item => ({
  payload: S(payload),
  ...(user === undefined ? {} : { user: S(user) }),
  qos: N(qos),
  last_modified: N(lastModified),
})

function digestIn(held: Item): RetainedDigest {
  const user = text(held.user)
  const { payload, qos, last_modified } = held
  return {
    payload: text(payload) ?? '',
    qos: number(qos) ?? 1,
    lastModified: number(last_modified) ?? 0,
    ...(user === undefined ? {} : { user }),
  }
}

/** Orders messages as strings: the 128-bit id in 32 hex digits. */
const eventIdOf = (msgid: string): string => msgidNumber(msgid).toString(16).padStart(32, '0')
const eventAttributes = (msgid: string) => ({ event_id: { S: eventIdOf(msgid) }, event_at: N(millisOfMsgid(msgid)) })

/** Rules may give two publishes of a topic times in the wrong order, by so much. (IoT Core accepts one retained publish a second.) Milliseconds. */
const STAMPS_DIFFER = 500

function attributesBefore(msgid: string, inferredFrom: string | undefined) {
  const at = millisOfMsgid(msgid) - STAMPS_DIFFER
  const before = { event_id: { S: ((BigInt(at) * 1000n) << 64n).toString(16).padStart(32, '0') }, event_at: N(at) }
  return inferredFrom !== undefined && inferredFrom !== msgid && eventIdOf(inferredFrom) > before.event_id.S
    ? eventAttributes(inferredFrom)
    : before
}
