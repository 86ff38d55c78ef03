/**
 * Spill rows: live clients for whom a topic's head has no room, so that a topic with 10,000 subscribers neither grows its
 * head nor its price. A spill row is written before the head learns of it, and `mqtt_sub` points to it before that.
 */
import { createHash } from 'node:crypto'
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Seat, Seated, Subscription } from '../core/ports.ts'
import { type Live, SPILL_LIVE, spillKey, type TopicRow } from '../core/topic-row.ts'
import { N, S, text } from './attributes.ts'
import { batchGet, type Database, getItem, ifHolds } from './dynamodb.ts'
import { contended, type LiveRows, ROUNDS } from './live-rows.ts'
import { liveOf, liveValue } from './topic-item.ts'

/** Rows that are tried for a free place before another row is begun. */
const TRIES = 3

export interface SpillRows {
  seats(row: TopicRow): Promise<Seat[]>
  /** The client's seat in the spill row that its subscription points to. */
  seatOf(topic: string, subscription: Subscription, entry: string): Promise<Seat | undefined>
  keysOf(topic: string, subscription: Subscription): string[]
  take(row: TopicRow, subscription: Subscription, entry: string, live: Live): Promise<Seated>
}

export function spillRows(db: Database, rows: LiveRows): SpillRows {
  const keysOf = (topic: string, { spill }: Subscription) => (spill === undefined ? [] : [spillKey(topic, spill)])

  async function pointTo(subscription: Subscription, n: number): Promise<void> {
    const point = new UpdateItemCommand({
      TableName: db.tables.mqtt_sub,
      Key: { clientid: S(subscription.clientid), topic: S(subscription.topic) },
      UpdateExpression: 'SET spill = :n',
      ConditionExpression: 'attribute_exists(clientid)',
      ExpressionAttributeValues: { ':n': N(n) },
    })
    await ifHolds(db.client.send(point))
  }

  /** Numbers of the rows to try: where the client sits already, a few by hash, then new ones. */
  function* candidates(row: TopicRow, subscription: Subscription, entry: string): Generator<number> {
    if (subscription.spill !== undefined) yield subscription.spill
    for (let i = 0; i < TRIES && row.spill > 0; i++) yield createHash('sha256').update(`${i} ${entry}`).digest().readUInt32BE() % row.spill
    for (let n = row.spill; n < row.spill + ROUNDS; n++) yield n
  }

  async function place(row: TopicRow, subscription: Subscription, entry: string, live: Live): Promise<number> {
    const names = { '#entry': entry }
    const values = { ':live': liveValue(live), ':room': N(SPILL_LIVE), ':map': { M: { [entry]: liveValue(live) } } }
    for (const n of candidates(row, subscription, entry)) {
      await pointTo(subscription, n)
      const key = spillKey(row.topic, n)
      const room = 'attribute_exists(live) AND (attribute_exists(live.#entry) OR size(live) < :room)'
      if (await rows.update(key, 'SET live.#entry = :live', room, { names, values })) return n
      if (n >= row.spill && (await rows.update(key, 'SET live = :map', 'attribute_not_exists(live)', { values }))) return n
    }
    throw contended(row.topic)
  }

  /** Tells the head of a spilled client: how many rows there are, and how young their youngest native subscriber is. */
  async function count(topic: string, n: number, live: Live): Promise<TopicRow> {
    for (let round = 0; round < ROUNDS; round++) {
      const row = await rows.head(topic)
      const spill = Math.max(row?.spill ?? 0, n + 1)
      const newest = Math.max(row?.newest ?? 0, live.kind === 'client' ? live.since : 0)
      if (row?.spill === spill && row.newest === newest && (live.kind === 'client' || row.spillServers)) return row
      const expression = `SET spill = :spill, newest = :newest${live.kind === 'server' ? ', spill_servers = :one' : ''}`
      const condition = '(attribute_not_exists(spill) OR spill <= :spill) AND (attribute_not_exists(newest) OR newest <= :newest)'
      const values = { ':spill': N(spill), ':newest': N(newest), ':one': N(1) }
      const written = await rows.update(topic, expression, condition, { values })
      if (written !== undefined) return written
    }
    throw contended(topic)
  }

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

    async take(row, subscription, entry, live) {
      const n = await place(row, subscription, entry, live)
      return { row: await count(row.topic, n, live), seat: { topic: row.topic, key: spillKey(row.topic, n), spill: n, entry, live } }
    },
  }
}
