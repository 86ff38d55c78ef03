/** Tables as large as those of a big fleet, written as fast as the engine takes them. */
import { type AttributeValue, BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { HEAD_IDS, segmentKey } from '../../lambda/core/model/topic-row.ts'
import { encodeMsgid } from '../../lambda/core/msgid.ts'
import type { TableName } from '../../lambda/core/tables.ts'

type Row = Record<string, AttributeValue>

export interface Sizes {
  readonly clients: number
  readonly topics: number
  /** Of the deep topic. */
  readonly messages: number
}

export const sizesAt = (scale: number): Sizes => ({
  clients: Math.round(1_000_000 * scale),
  topics: Math.round(100_000 * scale),
  messages: Math.round(1_000_000 * scale),
})

/** A message a second is published there. */
export const DEEP = 'deep/topic'
/** Milliseconds: when the first one was. */
const BEGIN = 1_700_000_000_000
export const publishedAt = (n: number): number => BEGIN + n * 1_000

const idOf = (ms: number): string => encodeMsgid({ micros: BigInt(ms) * 1_000n, node: 1n, sequence: 1 })
const S = (text: string): AttributeValue => ({ S: text })
const N = (value: number): AttributeValue => ({ N: `${value}` })

interface Fill {
  readonly table: TableName
  readonly count: number
  readonly row: (i: number) => Row
}

/** @param shown numbers of the deep topic's messages that have a row of mqtt_msg */
export function fillsOf({ clients, topics, messages }: Sizes, shown: readonly number[]): Fill[] {
  const segments = Math.floor(messages / HEAD_IDS)
  const ids = (from: number, to: number): AttributeValue => ({
    SS: Array.from({ length: to - from }, (_, i) => idOf(publishedAt(from + i))),
  })
  return [
    {
      table: 'mqtt_client',
      count: clients,
      row: (i) => ({
        clientid: S(`device-${i}`),
        connect_state: N(i % 2),
        node: S('aws-iot@us-west-2'),
        online_at: N(BEGIN / 1_000),
        session: S(`session-${i}`),
        version: N(1),
        event_at: N(BEGIN + i),
      }),
    },
    {
      table: 'mqtt_sub',
      count: clients * 3,
      row: (i) => ({ clientid: S(`device-${Math.floor(i / 3)}`), topic: S(filterOf(i, topics)), qos: N(1) }),
    },
    {
      table: 'mqtt_topic_msg_map',
      count: topics,
      row: (i) => ({ topic: S(`t/${i}`), MsgId: ids(i, i + 1 + (i % HEAD_IDS)), seq: N(0), first: N(0) }),
    },
    {
      table: 'mqtt_topic_msg_map',
      count: segments,
      row: (i) => ({ topic: S(segmentKey(DEEP, i)), MsgId: ids(i * HEAD_IDS, (i + 1) * HEAD_IDS) }),
    },
    // The last message stands in the head, and nothing below it is missing.
    {
      table: 'mqtt_topic_msg_map',
      count: 1,
      row: () => ({ topic: S(DEEP), MsgId: ids(segments * HEAD_IDS, segments * HEAD_IDS + 1), seq: N(segments), first: N(0) }),
    },
    {
      table: 'mqtt_msg',
      count: shown.length,
      row: (i) => ({
        msgid: S(idOf(publishedAt(shown[i]!))),
        topic: S(DEEP),
        sender: S('device-0'),
        payload: S(`${shown[i]}`),
        qos: N(1),
        retain: N(0),
        arrived: N(publishedAt(shown[i]!) / 1_000),
      }),
    },
  ]
}

/** Of each client a topic of its own, one that it shares, and a wildcard. */
function filterOf(i: number, topics: number): string {
  const client = Math.floor(i / 3)
  return [`t/${client % topics}`, `t/${(client * 7 + 1) % topics}/#`, `device/${client}/#`][i % 3]!
}

/** DynamoDB API reference, "BatchWriteItem". */
const BATCH = 25
const AT_ONCE = 8

/** @param told how many rows of it are written */
export async function write(client: DynamoDBClient, { table, count, row }: Fill, told: (done: number) => void): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      const from = next
      next += BATCH
      const rows = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => ({ PutRequest: { Item: row(from + i) } }))
      let left: Record<string, typeof rows> = { [table]: rows }
      while (Object.keys(left).length > 0)
        left = ((await client.send(new BatchWriteItemCommand({ RequestItems: left }))).UnprocessedItems ?? {}) as typeof left
      told(Math.min(next, count))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}
