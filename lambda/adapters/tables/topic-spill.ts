/**
 * Spill rows: seats for which the head has no room. So 10,000 subscribers of a topic make neither its head larger nor a publish dearer.
 * A spill row is written before the head says that it is there. Before that its number is claimed: in the client's own row of `mqtt_sub`,
 * for an operator's row in a row of ours.
 */
import { createHash } from 'node:crypto'
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Seat, Subscription } from '../../core/model/seat.ts'
import { type Live, placeKey, spillKey, type TopicRow } from '../../core/model/topic-row.ts'
import { type Item, N, number, S, text } from './attributes.ts'
import { batchGet, type Database, getItem, ifHolds } from './dynamodb.ts'
import { contended, type LiveRows, liveOf, ROUNDS } from './topic-rows.ts'

export interface SpillRows {
  seats(row: TopicRow): Promise<Seat[]>
  /** The client's seat in the spill row that was claimed for it. Without a claim it is looked for, if `head` is told. */
  seatOf(topic: string, subscription: Subscription, entry: string, head?: TopicRow): Promise<Seat | undefined>
  keysOf(topic: string, subscription: Subscription): string[]
  /** The subscription with the number that was claimed for it; as it is, if that is known. */
  claimed(topic: string, subscription: Subscription, entry: string): Promise<Subscription>
  /** Number of the client's spill row. The first answer is kept, so that events that are handled at once agree. */
  claim(row: TopicRow, subscription: Subscription, entry: string): Promise<number>
  /** Gives up the client's seat in a spill row, if it has one, also if its row of `mqtt_sub` does not say so. Returns what `remove` returns. */
  vacate<T>(head: TopicRow, subscription: Subscription, entry: string, remove: (key: string) => Promise<T>): Promise<T | undefined>
  /** Says on the head that there are at least so many spill rows, with this client in one; returns the head as of that moment. */
  count(topic: string, live: Live, least: number): Promise<TopicRow>
}

export function spillRows(db: Database, rows: LiveRows): SpillRows {
  const keysOf = (topic: string, { spill }: Subscription) => (spill === undefined ? [] : [spillKey(topic, spill)])

  async function placeOf(topic: string, entry: string): Promise<number | undefined> {
    return number((await getItem(db, 'mqtt_topic_msg_map', { topic: S(placeKey(topic, entry)) }))?.spill)
  }

  async function seatIn(topic: string, n: number, entry: string): Promise<Seat | undefined> {
    const key = spillKey(topic, n)
    const live = liveOf((await getItem(db, 'mqtt_topic_msg_map', { topic: S(key) }))?.live).get(entry)
    return live && { topic, key, spill: n, entry, live }
  }

  /** Claims the number unless another was claimed before; `undefined`: there is no such row, and none is to be made. */
  async function keep(table: 'mqtt_sub' | 'mqtt_topic_msg_map', Key: Item, n: number): Promise<number | undefined> {
    const claim = new UpdateItemCommand({
      TableName: db.tables[table],
      Key,
      UpdateExpression: 'SET spill = if_not_exists(spill, :n)',
      ...(table === 'mqtt_sub' ? { ConditionExpression: 'attribute_exists(clientid)' } : {}),
      ExpressionAttributeValues: { ':n': N(n) },
      ReturnValues: 'ALL_NEW',
    })
    return number((await ifHolds(db.client.send(claim)))?.Attributes?.spill)
  }

  return {
    keysOf,

    async claimed(topic, subscription, entry) {
      if (subscription.origin === 'client' || subscription.spill !== undefined) return subscription
      const spill = await placeOf(topic, entry)
      return spill === undefined ? subscription : { ...subscription, spill }
    },

    async seats(row) {
      const numbers = new Map(Array.from({ length: row.spill }, (_, n) => [spillKey(row.topic, n), n]))
      const keys = [...numbers.keys()].map((key) => ({ topic: S(key) }))
      const items = await batchGet(db, 'mqtt_topic_msg_map', keys, { consistent: true })
      return items.flatMap((item) => {
        const key = text(item.topic) ?? ''
        return [...liveOf(item.live)].map(([entry, live]) => ({ topic: row.topic, key, spill: numbers.get(key)!, entry, live }))
      })
    },

    async seatOf(topic, { origin, spill }, entry, head) {
      if (spill !== undefined) return seatIn(topic, spill, entry)
      // An operator's row may have been written over the client's own, which had said where the seat is.
      if (origin === 'client' || head === undefined || head.spill === 0) return undefined
      const seats = await Promise.all(placesOf(entry, head.spill).map((n) => seatIn(topic, n, entry)))
      return seats.find((seat) => seat !== undefined)
    },

    async claim(row, { clientid, topic: filter, origin, spill }, entry) {
      const n = spill ?? placesOf(entry, row.spill).at(-1)!
      if (origin === 'operator') return (await keep('mqtt_topic_msg_map', { topic: S(placeKey(row.topic, entry)) }, n)) ?? n
      // An operator's row may have stood here before: its seat is in this one's way.
      const before = row.spillServers ? await placeOf(row.topic, entry) : undefined
      // Without a row in mqtt_sub the subscription is over, which the caller will find out.
      return (await keep('mqtt_sub', { clientid: S(clientid), topic: S(filter) }, before ?? n)) ?? spill ?? n
    },

    async vacate(head, { clientid, topic: filter, origin, spill }, entry, remove) {
      const told = async () =>
        origin === 'operator'
          ? placeOf(head.topic, entry)
          : number((await getItem(db, 'mqtt_sub', { clientid: S(clientid), topic: S(filter) }))?.spill)
      const known = spill ?? (await told())
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
        const expression = `SET spill = :spill, newest = :newest${live.kind === 'client' ? '' : ', spill_servers = :one'}`
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
