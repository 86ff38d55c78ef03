/** The ids of a topic row: added to the head, sealed into segments, removed wherever they are. Atomic updates of one row only. */
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { MessageTable, TopicTable } from '../../core/model/ports.ts'
import { HEAD_IDS, type Homes, segmentKey, type TopicRow } from '../../core/model/topic-row.ts'
import { millisOfMsgid } from '../../core/msgid.ts'
import { N, S, SS, text } from './attributes.ts'
import { batchGet, type Database, ifHolds } from './dynamodb.ts'
import { idsOf, topicRowOf } from './topic-rows.ts'

type TopicIds = Pick<TopicTable, 'add' | 'segments' | 'removeIds' | 'seal' | 'advanceFirst' | 'claimSettling'>

export function topicIds(db: Database, messages: Pick<MessageTable, 'existing'>): TopicIds {
  const TableName = db.tables.mqtt_topic_msg_map
  const keyOf = (topic: string) => ({ topic: S(topic) })
  const segmentOf = (topic: string, seq: number) => keyOf(segmentKey(topic, seq))

  async function add(topic: string, msgids: readonly string[]): Promise<TopicRow> {
    const update = new UpdateItemCommand({
      TableName,
      Key: keyOf(topic),
      UpdateExpression:
        'ADD MsgId :ids, adds :count SET live = if_not_exists(live, :none), seq = if_not_exists(seq, :zero), #first = if_not_exists(#first, :zero)',
      ExpressionAttributeNames: { '#first': 'first' },
      ExpressionAttributeValues: { ':ids': SS(msgids), ':count': N(msgids.length), ':none': { M: {} }, ':zero': N(0) },
      ReturnValues: 'ALL_NEW',
    })
    const { Attributes } = await db.client.send(update)
    return topicRowOf(Attributes ?? {})
  }

  async function segments(topic: string, from: number, to: number): Promise<Map<number, readonly string[]>> {
    const numbers = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
    const items = await batchGet(
      db,
      'mqtt_topic_msg_map',
      numbers.map((seq) => segmentOf(topic, seq)),
      { consistent: true },
    )
    const byKey = new Map(items.map((item) => [text(item.topic), idsOf(item.MsgId)]))
    return new Map(
      numbers.flatMap((seq) => (byKey.has(segmentKey(topic, seq)) ? [[seq, byKey.get(segmentKey(topic, seq))!] as const] : [])),
    )
  }

  /** Step 1 of sealing: one update moves the full set aside. `undefined`: not full, or another set is on its way. */
  async function moveAside(row: TopicRow): Promise<TopicRow | undefined> {
    const update = new UpdateItemCommand({
      TableName,
      Key: keyOf(row.topic),
      UpdateExpression: 'SET sealing = MsgId, sealed = seq, seq = seq + :one REMOVE MsgId',
      ConditionExpression: 'attribute_not_exists(sealing) AND size(MsgId) >= :page',
      ExpressionAttributeValues: { ':one': N(1), ':page': N(HEAD_IDS) },
      ReturnValues: 'ALL_NEW',
    })
    const moved = await ifHolds(db.client.send(update))
    return moved && topicRowOf(moved.Attributes ?? {})
  }

  /**
   * Steps 2 and 3: the set becomes a segment, then leaves the head. The first helper puts the segment, and nobody puts it again: so a slow
   * helper does not bring back ids that were acknowledged since.
   */
  async function finishSealing(topic: string, seq: number, ids: readonly string[], lifetime?: number): Promise<void> {
    const newest = Math.ceil(Math.max(...ids.map(millisOfMsgid)) / 1000)
    const put = new PutItemCommand({
      TableName,
      Item: { ...segmentOf(topic, seq), MsgId: SS(ids), ...(lifetime !== undefined && { expires_at: N(newest + lifetime) }) },
      ConditionExpression: 'attribute_not_exists(topic)',
    })
    const written = ids.length > 0 && (await ifHolds(db.client.send(put))) !== undefined
    const clear = new UpdateItemCommand({
      TableName,
      Key: keyOf(topic),
      UpdateExpression: 'REMOVE sealing, sealed',
      ConditionExpression: 'sealed = :seq',
      ExpressionAttributeValues: { ':seq': N(seq) },
    })
    const cleared = await ifHolds(db.client.send(clear))
    // Another helper had finished. Its segment may have been emptied and deleted since: then ours has brought acknowledged ids back.
    if (!written || cleared !== undefined) return
    const existing = await messages.existing(ids)
    // A repeated event may have stored one of the messages again. Its id can stay here if drains still read this segment.
    const isRead = existing.size > 0 && (await announceLate(topic)).first <= seq
    await removeFromSegment(topic, seq, isRead ? ids.filter((id) => !existing.has(id)) : ids)
  }

  /** Says on the head that a segment came late. A drain that read the head before cannot advance `first`: it may not have seen the segment. */
  async function announceLate(topic: string): Promise<TopicRow> {
    const update = new UpdateItemCommand({
      TableName,
      Key: keyOf(topic),
      UpdateExpression: 'ADD late :one',
      ExpressionAttributeValues: { ':one': N(1) },
      ReturnValues: 'ALL_NEW',
    })
    return topicRowOf((await db.client.send(update)).Attributes ?? {})
  }

  async function removeFromSegment(topic: string, seq: number, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const update = new UpdateItemCommand({
      TableName,
      Key: segmentOf(topic, seq),
      UpdateExpression: 'DELETE MsgId :ids',
      ConditionExpression: 'attribute_exists(MsgId)',
      ExpressionAttributeValues: { ':ids': SS(ids) },
      ReturnValues: 'ALL_NEW',
    })
    const left = await ifHolds(db.client.send(update))
    if (left === undefined || left.Attributes?.MsgId !== undefined) return
    const remove = new DeleteItemCommand({ TableName, Key: segmentOf(topic, seq), ConditionExpression: 'attribute_not_exists(MsgId)' })
    await ifHolds(db.client.send(remove))
  }

  /** Removes the ids from the head and its sealing set; returns the head as it was before. */
  async function removeFromHead(topic: string, ids: readonly string[]): Promise<TopicRow | undefined> {
    const update = new UpdateItemCommand({
      TableName,
      Key: keyOf(topic),
      UpdateExpression: 'DELETE MsgId :ids, sealing :ids',
      ConditionExpression: 'attribute_exists(topic)',
      ExpressionAttributeValues: { ':ids': SS(ids) },
      ReturnValues: 'ALL_OLD',
    })
    const before = await ifHolds(db.client.send(update))
    return before && topicRowOf(before.Attributes ?? {})
  }

  return {
    add,
    segments,

    async removeIds(topic, homes: Homes) {
      const before = await removeFromHead(topic, [...homes.keys()])
      if (before === undefined) return
      const { sealing } = before
      // Ids of the sealing set, also those that the SDK's first try of this update removed: a sealer may put the set as it was before.
      const moving =
        sealing === undefined ? [] : [...homes.keys()].filter((id) => sealing.ids.includes(id) || homes.get(id)!.has(sealing.seq))
      if (sealing !== undefined && moving.length > 0) {
        await finishSealing(
          topic,
          sealing.seq,
          sealing.ids.filter((id) => !homes.has(id)),
        )
        for (const id of moving) homes.get(id)?.add(sealing.seq)
      }
      const bySegment = new Map<number, string[]>()
      for (const [id, seqs] of homes) {
        for (const seq of seqs) if (seq < before.seq) bySegment.set(seq, [...(bySegment.get(seq) ?? []), id])
      }
      await Promise.all([...bySegment].map(([seq, ids]) => removeFromSegment(topic, seq, ids)))
    },

    async seal(row, lifetime) {
      if (row.ids.length < HEAD_IDS) return false
      // The head is full again, and the last set is still aside: its sealer may have died, so finish its work.
      if (row.sealing !== undefined) await finishSealing(row.topic, row.sealing.seq, row.sealing.ids, lifetime)
      const moved = await moveAside(row)
      if (moved?.sealing === undefined) return false
      await finishSealing(row.topic, moved.sealing.seq, moved.sealing.ids, lifetime)
      return true
    },

    async advanceFirst(row, first) {
      const update = new UpdateItemCommand({
        TableName,
        Key: keyOf(row.topic),
        UpdateExpression: 'SET #first = :first',
        ConditionExpression: `#first < :first AND ${row.late === 0 ? 'attribute_not_exists(late)' : 'late = :late'}`,
        ExpressionAttributeNames: { '#first': 'first' },
        ExpressionAttributeValues: { ':first': N(first), ...(row.late > 0 && { ':late': N(row.late) }) },
      })
      await ifHolds(db.client.send(update))
    },

    async claimSettling(row, at, interval) {
      if (at - row.settledAt < interval) return false
      const update = new UpdateItemCommand({
        TableName,
        Key: keyOf(row.topic),
        UpdateExpression: 'SET settled_at = :at',
        ConditionExpression: 'attribute_not_exists(settled_at) OR settled_at = :before',
        ExpressionAttributeValues: { ':at': N(at), ':before': N(row.settledAt) },
      })
      return (await ifHolds(db.client.send(update))) !== undefined
    },
  }
}
