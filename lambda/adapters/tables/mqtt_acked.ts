/** `mqtt_acked`: the last message that a client acknowledged on a topic, and on a topic kept for many its read position. */
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Window } from '../../core/model/delivery-window.ts'
import type { AckedTable } from '../../core/model/ports.ts'
import type { LastAcked, Position } from '../../core/model/position.ts'
import { millisOfMsgid } from '../../core/msgid.ts'
import { type Item, N, number, S, SS, strings, text } from './attributes.ts'
import { type Database, getItem, ifHolds } from './dynamodb.ts'

/** More of them are not remembered: what came in the others comes again. */
const MOST_WINDOWS = 8

export function ackedTable(db: Database): AckedTable {
  const TableName = db.tables.mqtt_acked
  const keyOf = (topic: string, clientid: string) => ({ topic: S(topic), clientid: S(clientid) })

  /** The position after the update; `undefined`: the condition did not hold. */
  async function update(Key: Item, UpdateExpression: string, ConditionExpression: string, values: Item): Promise<Position | undefined> {
    const command = new UpdateItemCommand({
      TableName,
      Key,
      UpdateExpression,
      ConditionExpression,
      ExpressionAttributeValues: values,
      ReturnValues: 'ALL_NEW',
    })
    const done = await ifHolds(db.client.send(command))
    return done && positionOf(done.Attributes ?? {})
  }

  return {
    async put(topic, clientid, msgid, at) {
      const Item = { ...keyOf(topic, clientid), msgid: S(msgid), ...(at === undefined ? {} : { acked_at: N(at) }) }
      await db.client.send(new PutItemCommand({ TableName, Item }))
    },

    async remove(topic, clientid, at) {
      const key = keyOf(topic, clientid)
      const { msgid, position } = lastAckedOf(await getItem(db, 'mqtt_acked', key)) ?? {}
      // A repeated event must not delete an acknowledgement or a position that came after it (I4).
      const [condition, values] =
        position === undefined ? ['msgid = :msgid', { ':msgid': S(msgid ?? '') }] : ['subscribed_at <= :at', { ':at': N(at) }]
      if (position === undefined && (msgid === undefined || millisOfMsgid(msgid) > at)) return
      const remove = new DeleteItemCommand({ TableName, Key: key, ConditionExpression: condition, ExpressionAttributeValues: values })
      await ifHolds(db.client.send(remove))
    },

    async lastAcked(topic, clientid) {
      return lastAckedOf(await getItem(db, 'mqtt_acked', keyOf(topic, clientid)))
    },

    async begin(topic, clientid, { seq, since, subscribedAt, filters }, before) {
      const unchanged = before === undefined ? 'attribute_not_exists(seq)' : 'since = :before'
      const place = { ':seq': N(seq), ':since': N(since), ':at': N(subscribedAt), ':filters': SS(filters) }
      const set = 'SET seq = :seq, since = :since, subscribed_at = :at ADD filters :filters'
      return (
        (await update(keyOf(topic, clientid), set, unchanged, { ...place, ...(before && { ':before': N(before.since) }) })) !== undefined
      )
    },

    async subscribedAgain(topic, clientid, at, filters) {
      const key = keyOf(topic, clientid)
      const later = { ':at': N(at), ':filters': SS(filters) }
      if (await update(key, 'SET subscribed_at = :at ADD filters :filters', 'subscribed_at < :at', later)) return true
      return (await update(key, 'ADD filters :filters', 'attribute_exists(seq)', { ':filters': SS(filters) })) !== undefined
    },

    addSeen(topic, clientid, ids, home) {
      const values = { ':ids': SS(ids), ':newest': S(ids.at(-1)!), ':home': N(home) }
      return update(keyOf(topic, clientid), 'ADD seen :ids SET msgid = :newest', 'seq <= :home', values)
    },

    async addWindow(topic, clientid, window) {
      const values = { ':window': SS([windowValue(window)]), ':to': N(window.to), ':most': N(MOST_WINDOWS) }
      // Without a position there is no `since`.
      const concerned = 'since <= :to'
      const room = '(attribute_not_exists(windows) OR size(windows) < :most)'
      await update(keyOf(topic, clientid), 'ADD windows :window', `${concerned} AND ${room}`, values)
    },

    passWindows(topic, clientid, windows, { ids, home }) {
      const values = { ':windows': SS(windows.map(windowValue)), ':home': N(home), ...(ids.length === 0 ? {} : { ':ids': SS(ids) }) }
      const adds = ids.length === 0 ? '' : 'ADD seen :ids '
      return update(keyOf(topic, clientid), `${adds}DELETE windows :windows`, 'seq <= :home', values)
    },

    fold(topic, clientid, { seq, since }, { to, gone, newest }) {
      const sets = `SET seq = :to${newest === undefined ? '' : ', msgid = :newest'}${gone.length === 0 ? '' : ' DELETE seen :gone'}`
      const values = {
        ':seq': N(seq),
        ':since': N(since),
        ':to': N(to),
        ...(newest === undefined ? {} : { ':newest': S(newest) }),
        ...(gone.length === 0 ? {} : { ':gone': SS(gone) }),
      }
      return update(keyOf(topic, clientid), sets, 'seq = :seq AND since = :since', values)
    },
  }
}

function lastAckedOf(item: Item | undefined): LastAcked | undefined {
  if (item === undefined) return undefined
  const msgid = text(item.msgid)
  const position = item.seq === undefined ? undefined : positionOf(item)
  return { ...(msgid === undefined ? {} : { msgid }), ...(position === undefined ? {} : { position }) }
}

const positionOf = (item: Item): Position => ({
  seq: number(item.seq) ?? 0,
  seen: new Set(strings(item.seen)),
  since: number(item.since) ?? 0,
  subscribedAt: number(item.subscribed_at) ?? 0,
  filters: new Set(strings(item.filters)),
  windows: strings(item.windows).map(windowOf),
})

/** A member of a set: written twice it is one. */
const windowValue = ({ from, to }: Window): string => `${from}-${to}`
const windowOf = (value: string): Window => {
  const [from, to] = value.split('-').map(Number) as [number, number]
  return { from, to }
}
