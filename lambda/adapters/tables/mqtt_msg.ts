/** `mqtt_msg`: stored messages by msgid. */
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { MessageTable, Traits } from '../../core/model/ports.ts'
import { N, S, text } from './attributes.ts'
import { batchDelete, batchGet, batchPut, chunks, type Database, ITEMS_PER_WRITE, ifHolds } from './dynamodb.ts'
import { itemOfMessage, messageOfItem } from './message-item.ts'

/** Messages of which sender and size are read in one request: 128 KB each at most, so 4 MB. */
const TRAITS_AT_ONCE = 32

export function messageTable(db: Database): MessageTable {
  const keyOf = (msgid: string) => ({ msgid: S(msgid) })
  const traitsOf = async (msgids: readonly string[]): Promise<[string, Traits][]> => {
    const items = await batchGet(db, 'mqtt_msg', msgids.map(keyOf), { consistent: false, only: ['msgid', 'sender', 'payload'] })
    return items.map(({ msgid, sender, payload }) => [
      text(msgid) ?? '',
      { sender: text(sender) ?? '', bytes: payload?.B?.length ?? Buffer.byteLength(text(payload) ?? '') },
    ])
  }
  /** One such read at a time, whoever settles: of payloads of up to 128 KB each only the size is kept (I15). */
  let reading: Promise<void> = Promise.resolve()
  const inTurn = <T>(read: () => Promise<T>): Promise<T> => {
    const done = reading.then(read)
    reading = done.then(
      () => {},
      () => {},
    )
    return done
  }
  return {
    async put(message) {
      const put = new PutItemCommand({ TableName: db.tables.mqtt_msg, Item: itemOfMessage(message), ReturnValues: 'ALL_OLD' })
      const { Attributes: before } = await db.client.send(put)
      return before !== undefined
    },

    putAllFrom: ITEMS_PER_WRITE,
    putAll: (messages) => batchPut(db, 'mqtt_msg', messages.map(itemOfMessage)),

    async get(msgids) {
      const items = await batchGet(db, 'mqtt_msg', msgids.map(keyOf), { consistent: true })
      return new Map(items.map(messageOfItem).map((message) => [message.msgid, message]))
    },

    async traits(msgids) {
      const all = new Map<string, Traits>()
      for (const some of chunks(msgids, TRAITS_AT_ONCE)) {
        for (const one of await inTurn(() => traitsOf(some))) all.set(...one)
      }
      return all
    },

    async topicsOf(msgids) {
      const items = await batchGet(db, 'mqtt_msg', msgids.map(keyOf), { consistent: true, only: ['msgid', 'topic'] })
      return new Map(items.map((item) => [text(item.msgid) ?? '', text(item.topic) ?? '']))
    },

    async existing(msgids) {
      const items = await batchGet(db, 'mqtt_msg', msgids.map(keyOf), { consistent: true, only: ['msgid'] })
      return new Set(items.map((item) => text(item.msgid) ?? ''))
    },

    async remove(msgids) {
      await batchDelete(db, 'mqtt_msg', msgids.map(keyOf))
    },

    async correct({ msgid, retain, qos }) {
      const update = new UpdateItemCommand({
        TableName: db.tables.mqtt_msg,
        Key: keyOf(msgid),
        UpdateExpression: 'SET #retain = :retain, qos = :qos',
        // Acknowledged meanwhile: without this the row would come back, and nothing would name it.
        ConditionExpression: 'attribute_exists(msgid)',
        ExpressionAttributeNames: { '#retain': 'retain' },
        ExpressionAttributeValues: { ':retain': N(retain), ':qos': N(qos) },
      })
      await ifHolds(db.client.send(update))
    },

    async noteAcked(msgid, { clientid, at }) {
      const update = new UpdateItemCommand({
        TableName: db.tables.mqtt_msg,
        Key: keyOf(msgid),
        UpdateExpression: 'SET acked_by = :by, acked_at = :at',
        // The row may have expired. A later acknowledgement, or the same one once more, changes nothing (I4).
        ConditionExpression: 'attribute_exists(msgid) AND attribute_not_exists(acked_by)',
        ExpressionAttributeValues: { ':by': S(clientid), ':at': N(at) },
      })
      await ifHolds(db.client.send(update))
    },
  }
}
