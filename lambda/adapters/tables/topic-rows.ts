/** Rows of `mqtt_topic_msg_map`: their items read as the domain's {@link TopicRow}, and conditional updates of those with seats (`live`). */
import { type AttributeValue, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { BackendError } from '../../core/errors.ts'
import type { DispatchLease, Lease, Live, TopicRow } from '../../core/model/topic-row.ts'
import { isMsgid } from '../../core/msgid.ts'
import { type Item, N, number, S, strings, text } from './attributes.ts'
import { type Database, getItem, ifHolds } from './dynamodb.ts'

/** Attempts of an optimistic write before the event goes back to its queue. */
export const ROUNDS = 12
export const contended = (topic: string): BackendError =>
  new BackendError(
    'contended',
    `subscribers of topic '${topic}': changed during each of ${ROUNDS} attempts to write, wanted one to succeed`,
  )

export interface Placeholders {
  readonly names?: Record<string, string>
  readonly values?: Item
  readonly returns?: 'ALL_NEW' | 'ALL_OLD'
}

export interface LiveRows {
  head(topic: string): Promise<TopicRow | undefined>
  /** The row after (or, with `returns`, before) the update; `undefined`: the condition did not hold. Unused placeholders are left out. */
  update(key: string, expression: string, condition: string, placeholders: Placeholders): Promise<TopicRow | undefined>
}

export function liveRows(db: Database): LiveRows {
  return {
    async head(topic) {
      const item = await getItem(db, 'mqtt_topic_msg_map', { topic: S(topic) })
      return item && topicRowOf(item)
    },

    async update(key, expression, condition, { names = {}, values = {}, returns = 'ALL_NEW' }) {
      const words = new Set(`${expression} ${condition}`.match(/[#:]\w+/g))
      const used = <T>(all: Record<string, T>) => Object.fromEntries(Object.entries(all).filter(([name]) => words.has(name)))
      const entry = names['#entry']
      const ExpressionAttributeNames = used(entry === undefined ? names : { ...names, '#entry': keyOfEntry(entry) })
      const ExpressionAttributeValues = used(values)
      const command = new UpdateItemCommand({
        TableName: db.tables.mqtt_topic_msg_map,
        Key: { topic: S(key) },
        UpdateExpression: expression,
        ConditionExpression: condition,
        ...(Object.keys(ExpressionAttributeNames).length > 0 && { ExpressionAttributeNames }),
        ...(Object.keys(ExpressionAttributeValues).length > 0 && { ExpressionAttributeValues }),
        ReturnValues: returns,
      })
      const done = await ifHolds(db.client.send(command))
      return done && topicRowOf({ topic: S(key), ...done.Attributes })
    },
  }
}

export function topicRowOf(item: Item): TopicRow {
  const sealed = number(item.sealed)
  return {
    topic: text(item.topic) ?? '',
    ids: idsOf(item.MsgId),
    ...(item.sealing === undefined || sealed === undefined ? {} : { sealing: { seq: sealed, ids: idsOf(item.sealing) } }),
    seq: number(item.seq) ?? 0,
    first: number(item.first) ?? 0,
    late: number(item.late) ?? 0,
    adds: number(item.adds) ?? 0,
    live: liveOf(item.live),
    ...(item.dispatch?.M === undefined ? {} : { dispatch: dispatchOf(item.dispatch.M) }),
    hasLive: item.live !== undefined,
    spill: number(item.spill) ?? 0,
    newest: number(item.newest) ?? 0,
    spillServers: item.spill_servers !== undefined,
    settledAt: number(item.settled_at) ?? 0,
    shareLeft: number(item.share_left) ?? 0,
  }
}

const dispatchOf = (map: Item): DispatchLease => ({
  by: text(map.by) ?? '',
  until: number(map.until) ?? 0,
  ...(map.rests === undefined ? {} : { rests: true }),
})

/** The ids of a set. What somebody else wrote there and is no msgid would stop the whole queue: it is passed over. */
export const idsOf = (value: AttributeValue | undefined): string[] => strings(value).filter(isMsgid)

export const liveOf = (value: AttributeValue | undefined): Map<string, Live> =>
  new Map(Object.entries(value?.M ?? {}).map(([key, { M }]) => [entryOfKey(key), liveEntryOf(M ?? {})]))

/**
 * The key of a seat in the map `live`: its entry, with what JSON escapes percent-encoded. Node 24 misreads a key with an escape
 * when it has read another key before (nodejs/node#63785), so that a message would go to another client.
 */
export const keyOfEntry = (entry: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
  entry.replaceAll(/["%\\\u0000-\u001f]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`)
export const entryOfKey = (key: string): string =>
  key.replaceAll(/%([0-9a-f]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))

const kindOf = (kind: string | undefined): Live['kind'] => (kind === 'server' || kind === 'durable' ? kind : 'client')

function liveEntryOf(map: Item): Live {
  const since = number(map.since) ?? 0
  const lease = map.catching?.M
  return {
    kind: kindOf(text(map.kind)),
    session: text(map.session) ?? '',
    since,
    at: number(map.at) ?? since,
    ...(map.granted === undefined ? {} : { granted: number(map.granted) ?? 0 }),
    ...(map.granted_at === undefined ? {} : { grantedAt: number(map.granted_at) ?? 0 }),
    ...(lease === undefined ? {} : { catching: { by: text(lease.by) ?? '', until: number(lease.until) ?? 0 } }),
  }
}

export const liveValue = (live: Live): AttributeValue => ({
  M: {
    kind: S(live.kind),
    session: S(live.session),
    since: N(live.since),
    ...(live.at === live.since ? {} : { at: N(live.at) }),
    ...(live.granted === undefined ? {} : { granted: N(live.granted) }),
    ...(live.grantedAt === undefined ? {} : { granted_at: N(live.grantedAt) }),
    ...(live.catching === undefined ? {} : { catching: leaseValue(live.catching) }),
  },
})

export const leaseValue = (lease: Lease): AttributeValue => ({ M: { by: S(lease.by), until: N(lease.until) } })
