/** Reads of the tables for the console and the commands: a page of rows, or the rows of one client or topic. */
import { QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { type Item, number, S, text } from '../../lambda/adapters/tables/attributes.ts'
import { topicRowOf } from '../../lambda/adapters/tables/topic-rows.ts'
import type { Message } from '../../lambda/core/model/message.ts'
import type { Presence } from '../../lambda/core/model/presence.ts'
import type { Subscription } from '../../lambda/core/model/seat.ts'
import { type Depth, depthOf, finalSegments, type Homes, splitEntry, type TopicRow } from '../../lambda/core/model/topic-row.ts'
import { oldestFirst, pendingBackwards, SEGMENTS_AT_ONCE } from '../../lambda/core/queue/pending.ts'
import type { TableName } from '../../lambda/core/tables.ts'
import { hasWildcard, parseSubscription } from '../../lambda/core/topic.ts'
import type { Tables } from './operator-tables.ts'
import { keyAt, placeOf } from './page-place.ts'

export interface Page<T> {
  readonly rows: readonly T[]
  /** Where the next page begins, as text for a link; undefined: this was the last. */
  readonly next?: string | undefined
  /** Read units of the scan. */
  readonly units?: number | undefined
}

const PAGE_ROWS = 50

/** One request: rows that the filter leaves out were read all the same. @param after a `next` of the page before */
async function scanned(
  place: Tables,
  table: TableName,
  after: string | undefined,
  filter: object = {},
  limit = PAGE_ROWS,
): Promise<Page<Item>> {
  // A link that somebody cut off begins at the first page.
  const start = after === undefined ? {} : { ExclusiveStartKey: keyAt(after) }
  const scan = new ScanCommand({ TableName: place.tables[table], Limit: limit, ReturnConsumedCapacity: 'TOTAL', ...start, ...filter })
  const { Items = [], LastEvaluatedKey: last, ConsumedCapacity: used } = await place.dynamodb.send(scan)
  return { rows: Items, units: used?.CapacityUnits, next: last && placeOf(last) }
}

export interface ClientRow {
  readonly clientid: string
  readonly online: boolean
  /** Milliseconds of the last connect or disconnect; 0: not known. */
  readonly at: number
  readonly ip?: string | undefined
  readonly reason?: string | undefined
}

/** @param limit rows that are read */
export async function clientsPage(place: Tables, after?: string, limit?: number): Promise<Page<ClientRow>> {
  const { rows, next } = await scanned(place, 'mqtt_client', after, {}, limit)
  return { rows: rows.map(clientOf), next }
}

const clientOf = (item: Item): ClientRow => ({
  clientid: text(item.clientid) ?? '',
  online: number(item.connect_state) === 1,
  at: number(item.event_at) ?? 0,
  ip: text(item.ip),
  reason: text(item.disconnect_reason),
})

/** @param limit rows that are read */
export async function subscriptionsPage(place: Tables, after?: string, limit?: number): Promise<Page<SubscriptionRow>> {
  const { rows, next } = await scanned(place, 'mqtt_sub', after, {}, limit)
  return { rows: rows.map(subscriptionOf), next }
}

export type SubscriptionRow = Pick<Subscription, 'clientid' | 'topic' | 'qos' | 'origin' | 'since'>

const subscriptionOf = (item: Item): SubscriptionRow => ({
  clientid: text(item.clientid) ?? '',
  topic: text(item.topic) ?? '',
  qos: number(item.qos) ?? 1,
  origin: text(item.origin) === 'client' ? 'client' : 'operator',
  ...(item.since === undefined ? {} : { since: number(item.since) ?? 0 }),
})

export interface ClientDetails {
  readonly presence: Presence
  readonly subscriptions: readonly Subscription[]
  /** By exact topic that it subscribes to. */
  readonly waiting: ReadonlyMap<string, Depth>
}

/** Three requests. Undefined: no row of `mqtt_client` has this id. */
export async function clientDetails(place: Tables, clientid: string): Promise<ClientDetails | undefined> {
  const { clients, subscriptions, topics } = place.ports
  const [presence, all] = await Promise.all([clients.presence(clientid), subscriptions.of(clientid)])
  if (presence === undefined) return undefined
  const exact = all.map(({ topic }) => parseSubscription(topic).filter).filter((filter) => !hasWildcard(filter))
  const heads = exact.length === 0 ? [] : await topics.heads([...new Set(exact)])
  return { presence, subscriptions: all, waiting: new Map(heads.map((row) => [row.topic, depthOf(row)])) }
}

export const subscribersOf = ({ live }: TopicRow): { clientid: string; kind: string }[] =>
  [...live].map(([entry, { kind }]) => ({ clientid: splitEntry(entry)[0], kind: kind === 'server' ? "an operator's row" : 'itself' }))

/** Reads more rows than a page shows: segments, markers and spill rows are no topics. */
/** @param limit rows that are read */
export async function topicsPage(place: Tables, after?: string, limit = PAGE_ROWS * 2): Promise<Page<TopicRow>> {
  const heads = { FilterExpression: 'NOT contains(topic, :nul)', ExpressionAttributeValues: { ':nul': S('\u0000') } }
  const { rows, ...more } = await scanned(place, 'mqtt_topic_msg_map', after, heads, limit)
  return { rows: rows.map(topicRowOf), ...more }
}

export interface TopicDetails {
  readonly row: TopicRow
  /** Exact unless the queue has more segments than are read. */
  readonly depth: Depth
  /** Newest first. */
  readonly messages: readonly Message[]
  /** How many of the shown ids have no message any more. */
  readonly gone: number
}

/** The newest messages of a topic. Undefined: no row has the topic. */
export async function topicDetails(place: Tables, topic: string, most = PAGE_ROWS): Promise<TopicDetails | undefined> {
  const row = await place.ports.topics.head(topic)
  if (row === undefined) return undefined
  const { ids, depth } = await newestOf(place, row, most)
  const found = await place.ports.messages.get(ids)
  const messages = ids.flatMap((id) => found.get(id) ?? [])
  return { row, depth, messages, gone: ids.length - messages.length }
}

/** Makes at most so many requests: a queue whose newest segments are acknowledged shows fewer messages. */
const SEGMENT_READS = 3

/** Reads one request of segments at least, so that the depth of all but the longest queues is counted. */
async function newestOf(place: Tables, row: TopicRow, most: number): Promise<{ ids: string[]; depth: Depth }> {
  const seen: Homes = new Map()
  let reads = -1 // the head is no read
  for await (const homes of pendingBackwards(place.ports.topics, row)) {
    for (const [id, seqs] of homes) seen.set(id, seqs)
    reads++
    if (reads >= SEGMENT_READS || (reads >= 1 && seen.size >= most)) break
  }
  const isWhole = finalSegments(row) - row.first <= reads * SEGMENTS_AT_ONCE
  const depth = isWhole ? { about: seen.size, exact: true } : depthOf(row)
  return { ids: oldestFirst(seen.keys()).reverse().slice(0, most), depth }
}

export const depthText = ({ about, exact }: Depth): string => (exact ? `${about}` : `about ${about}`)

export async function messageWith(place: Tables, msgid: string): Promise<Message | undefined> {
  return (await place.ports.messages.get([msgid])).get(msgid)
}

/** @param limit rows that are read */
export async function retainedPage(place: Tables, after?: string, limit?: number): Promise<Page<Message>> {
  const { rows, ...more } = await scanned(place, 'mqtt_retain', after, {}, limit)
  const topics = rows.flatMap(({ topic }) => text(topic) ?? [])
  const all = topics.length === 0 ? [] : await place.ports.retained.getAll(topics)
  return { rows: all.map(({ message }) => message), ...more }
}

/** The last acknowledged message of each client on a topic; at most a page. */
export async function ackedOn(place: Tables, topic: string): Promise<{ clientid: string; msgid: string }[]> {
  const query = new QueryCommand({
    TableName: place.tables.mqtt_acked,
    KeyConditionExpression: 'topic = :topic',
    ExpressionAttributeValues: { ':topic': S(topic) },
    Limit: PAGE_ROWS,
  })
  const { Items = [] } = await place.dynamodb.send(query)
  return Items.map(({ clientid, msgid }) => ({ clientid: text(clientid) ?? '', msgid: text(msgid) ?? '' }))
}
