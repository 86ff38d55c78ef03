/** The ids of a topic row: added to the head, sealed into segments, taken off wherever they are. Single-row atomic updates only. */
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { MessageTable, TopicTable } from '../../core/model/ports.ts'
import { type Homes, PAGE, segmentKey, type TopicRow } from '../../core/model/topic-row.ts'
import { N, S, SS, text } from './attributes.ts'
import { batchGet, type Database, ifHolds } from './dynamodb.ts'
import { idsOf, topicRowOf } from './topic-item.ts'

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
      ExpressionAttributeValues: { ':one': N(1), ':page': N(PAGE) },
      ReturnValues: 'ALL_NEW',
    })
    const moved = await ifHolds(db.client.send(update))
    return moved && topicRowOf(moved.Attributes ?? {})
  }

  /**
   * Steps 2 and 3: the set becomes a segment, then leaves the head. A segment is put once, by whichever helper comes first:
   * nothing that was acknowledged since can come back through a slow one.
   */
  async function finishSealing(topic: string, seq: number, ids: readonly string[]): Promise<void> {
    const put = new PutItemCommand({
      TableName,
      Item: { ...segmentOf(topic, seq), MsgId: SS(ids) },
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
    // Somebody else had finished: if our segment came after its ids were acknowledged and the segment deleted, it is a ghost.
    if (!written || cleared !== undefined) return
    const existing = await messages.existing(ids)
    // A repeated event may have stored one of them again. Its name here is good as long as drains look here.
    const isRead = existing.size > 0 && (await announceLate(topic)).first <= seq
    await removeFromSegment(topic, seq, isRead ? ids.filter((id) => !existing.has(id)) : ids)
  }

  /** Drains that have read the topic before this cannot advance `first` any more: they may not have seen the segment. */
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

  /** Takes the ids off the head and its sealing set; returns the head as it was before. */
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
      // In the set, or taken off it by this very update, whose first answer was lost: the sealer knows the set as it was.
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

    async seal(row) {
      if (row.ids.length < PAGE) return false
      // A set still aside while the head is full again: its sealer may have died, so help.
      if (row.sealing !== undefined) await finishSealing(row.topic, row.sealing.seq, row.sealing.ids)
      const moved = await moveAside(row)
      if (moved?.sealing === undefined) return false
      await finishSealing(row.topic, moved.sealing.seq, moved.sealing.ids)
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
