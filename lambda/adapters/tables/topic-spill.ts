/**
 * Spill rows: seats for which the head has no room. So 10,000 subscribers of a topic make neither its head larger nor a publish dearer.
 * A spill row is written before the head says that it is there, and `mqtt_sub` says which one is the client's before that.
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
  /** Number of the client's spill row. Its row of `mqtt_sub` keeps the first answer, so that events that are handled at once agree. */
  claim(row: TopicRow, subscription: Subscription, entry: string): Promise<number>
  /** Gives up the client's seat in a spill row, if it has one, also if its row of `mqtt_sub` does not say so. Returns what `remove` returns. */
  vacate<T>(head: TopicRow, subscription: Subscription, entry: string, remove: (key: string) => Promise<T>): Promise<T | undefined>
  /** Says on the head that there are at least so many spill rows, with this client in one; returns the head as of that moment. */
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
      // Without a row in mqtt_sub the subscription is over, which the caller will find out.
      return number((await ifHolds(db.client.send(claim)))?.Attributes?.spill) ?? subscription.spill ?? n
    },

    async vacate(head, { clientid, topic: filter, spill }, entry, remove) {
      const known = spill ?? number((await getItem(db, 'mqtt_sub', { clientid: S(clientid), topic: S(filter) }))?.spill)
      if (known !== undefined) return remove(spillKey(head.topic, known))
      // The row of mqtt_sub was deleted, and the handler that had taken the seat by it died before it gave it up.
      const keys = placesOf(entry, head.spill).map((n) => spillKey(head.topic, n))
      const taken = await Promise.all(keys.map(async (key) => (await rows.head(key))?.live.has(entry)))
      const found = keys.find((_, i) => taken[i])
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
 * The spill row of a client while there are `rows` of them, after its rows while there were fewer. When rows are added, few clients move,
 * and only to the new ones (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014).
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
