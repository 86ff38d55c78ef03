/**
 * Spill rows: live clients for whom a topic's head has no room, so that a topic with 10,000 subscribers neither grows its
 * head nor its price. A spill row is written before the head learns of it, and `mqtt_sub` points to it before that.
 */
import { createHash } from 'node:crypto'
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Seat, Subscription } from '../../core/model/seat.ts'
import { type Live, spillKey, type TopicRow } from '../../core/model/topic-row.ts'
import { N, number, S, text } from './attributes.ts'
import { batchGet, type Database, getItem, ifHolds } from './dynamodb.ts'
import { liveOf } from './topic-item.ts'
import { contended, type LiveRows, ROUNDS } from './topic-rows.ts'

export interface SpillRows {
  seats(row: TopicRow): Promise<Seat[]>
  /** The client's seat in the spill row that its subscription points to. */
  seatOf(topic: string, subscription: Subscription, entry: string): Promise<Seat | undefined>
  keysOf(topic: string, subscription: Subscription): string[]
  /** Which spill row is the client's, said once by its row of `mqtt_sub`: events handled side by side agree on it. */
  claim(row: TopicRow, subscription: Subscription, entry: string): Promise<number>
  /** Takes the client off the spill row that is its by now, if one is, also one that its row of `mqtt_sub` does not know; returns what `remove` does. */
  vacate<T>(head: TopicRow, subscription: Subscription, entry: string, remove: (key: string) => Promise<T>): Promise<T | undefined>
  /** Tells the head of a spilled client, and that there are so many spill rows at least; returns the head as of that moment. */
  count(topic: string, live: Live, least: number): Promise<TopicRow>
}

export function spillRows(db: Database, rows: LiveRows): SpillRows {
  const keysOf = (topic: string, { spill }: Subscription) => (spill === undefined ? [] : [spillKey(topic, spill)])

  return {
    keysOf,

    async seats(row) {
      const keys = Array.from({ length: row.spill }, (_, n) => ({ topic: S(spillKey(row.topic, n)) }))
      const items = await batchGet(db, 'mqtt_topic_msg_map', keys, { consistent: true })
      return items.flatMap((item) => {
        const key = text(item.topic) ?? ''
        return [...liveOf(item.live)].map(([entry, live]) => ({ topic: row.topic, key, entry, live }))
      })
    },

    async seatOf(topic, subscription, entry) {
      const { spill } = subscription
      if (spill === undefined) return undefined
      const key = spillKey(topic, spill)
      const live = liveOf((await getItem(db, 'mqtt_topic_msg_map', { topic: S(key) }))?.live).get(entry)
      return live && { topic, key, spill, entry, live }
    },

    async claim(row, subscription, entry) {
      const n = placesOf(entry, row.spill).at(-1)!
      const claim = new UpdateItemCommand({
        TableName: db.tables.mqtt_sub,
        Key: { clientid: S(subscription.clientid), topic: S(subscription.topic) },
        UpdateExpression: 'SET spill = if_not_exists(spill, :n)',
        ConditionExpression: 'attribute_exists(clientid)',
        ExpressionAttributeValues: { ':n': N(n) },
        ReturnValues: 'ALL_NEW',
      })
      // Without a row the subscription is over already, and whoever asks will find out.
      return number((await ifHolds(db.client.send(claim)))?.Attributes?.spill) ?? subscription.spill ?? n
    },

    async vacate(head, { clientid, topic: filter, spill }, entry, remove) {
      const known = spill ?? number((await getItem(db, 'mqtt_sub', { clientid: S(clientid), topic: S(filter) }))?.spill)
      if (known !== undefined) return remove(spillKey(head.topic, known))
      // The row that knew was deleted, and who sat down by it died before it could leave.
      const keys = placesOf(entry, head.spill).map((n) => spillKey(head.topic, n))
      const sits = await Promise.all(keys.map(async (key) => (await rows.head(key))?.live.has(entry)))
      const found = keys.find((_, i) => sits[i])
      return found === undefined ? undefined : remove(found)
    },

    async count(topic, live, least) {
      for (let round = 0; round < ROUNDS; round++) {
        const row = await rows.head(topic)
        const spill = Math.max(row?.spill ?? 0, least)
        const newest = Math.max(row?.newest ?? 0, live.kind === 'client' ? live.since : 0)
        if (row?.spill === spill && row.newest === newest && (live.kind === 'client' || row.spillServers)) return row
        const expression = `SET spill = :spill, newest = :newest${live.kind === 'server' ? ', spill_servers = :one' : ''}`
        const condition = '(attribute_not_exists(spill) OR spill <= :spill) AND (attribute_not_exists(newest) OR newest <= :newest)'
        const values = { ':spill': N(spill), ':newest': N(newest), ':one': N(1) }
        const written = await rows.update(topic, expression, condition, { values })
        if (written !== undefined) return written
      }
      throw contended(topic)
    },
  }
}

/**
 * In which of `rows` spill rows a client sits, and before that, in which it would have sat while there were fewer: as there come more, few
 * move, and only to new ones (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014).
 */
export function placesOf(entry: string, rows: number): number[] {
  let key = createHash('sha256').update(entry).digest().readBigUInt64BE()
  const places: number[] = []
  for (let next = 0; next < Math.max(1, rows); ) {
    places.push(next)
    key = BigInt.asUintN(64, key * 2_862_933_555_777_941_757n + 1n)
    next = Math.floor((next + 1) * (2 ** 31 / (Number(key >> 33n) + 1)))
  }
  return places
}
