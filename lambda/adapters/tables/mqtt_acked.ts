/** `mqtt_acked`: the last message that a client acknowledged on a topic. */
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { AckedTable } from '../../core/model/ports.ts'
import { millisOfMsgid } from '../../core/msgid.ts'
import { N, S, text } from './attributes.ts'
import { type Database, getItem, ifHolds } from './dynamodb.ts'

export function ackedTable(db: Database): AckedTable {
  const TableName = db.tables.mqtt_acked
  return {
    async put(topic, clientid, msgid, at) {
      const Item = { topic: S(topic), clientid: S(clientid), msgid: S(msgid), ...(at === undefined ? {} : { acked_at: N(at) }) }
      await db.client.send(new PutItemCommand({ TableName, Item }))
    },

    async remove(topic, clientid, at) {
      const key = { topic: S(topic), clientid: S(clientid) }
      const msgid = text((await getItem(db, 'mqtt_acked', key))?.msgid)
      // A repeated event must not delete an acknowledgement that came after it (I4).
      if (msgid === undefined || millisOfMsgid(msgid) > at) return
      const remove = new DeleteItemCommand({
        TableName,
        Key: key,
        ConditionExpression: 'msgid = :msgid',
        ExpressionAttributeValues: { ':msgid': S(msgid) },
      })
      await ifHolds(db.client.send(remove))
    },
  }
}
