/** Queues that are there before something is measured: ours by the handler itself, EMQX's as its rows. */
import { BatchWriteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { World } from '../test/support/world.ts'
import type { Room } from './capacity.ts'
import { type OriginalMessage, originalMsgid, pageItem } from './original.ts'

const BATCH = 100
const ROWS_PER_WRITE = 25
/** Requests in flight: DynamoDB Local answers one after the other anyway. */
const AT_ONCE = 8

export interface Filling {
  readonly payload?: string
  readonly progress?: (line: string) => void
}

/** Publishes in batches through the handler; the payload begins with the message's number and a blank. */
export async function queueUp(world: World, topic: string, count: number, { payload = '', progress }: Filling = {}): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => world.publishEvent(topic, `${from + i} ${payload}`))
    await world.handle('message.publish', ...events)
    world.calls.length = 0
    if (from > 0 && from % 5_000 === 0) progress?.(`${from} of ${count} queued`)
  }
}

/** Ids of EMQX's set, added in one update. */
export async function nameAll({ client, tables }: Room, topic: string, count: number): Promise<void> {
  const add = new UpdateItemCommand({
    TableName: tables.mqtt_topic_msg_map,
    Key: { topic: { S: topic } },
    UpdateExpression: 'ADD MsgId :ids',
    ExpressionAttributeValues: { ':ids': { SS: Array.from({ length: count }, (_, i) => originalMsgid(i)) } },
  })
  await client.send(add)
}

export async function storeAll(room: Room, messages: readonly OriginalMessage[]): Promise<void> {
  await putAll(room, 'mqtt_msg', messages.map(pageItem))
}

type Items = Parameters<typeof itemsOf>[0]
const itemsOf = (items: readonly Record<string, { S: string } | { N: string }>[]) => items.map((Item) => ({ PutRequest: { Item } }))

/** Rows as they are, without a handler. */
export async function putAll({ client, tables }: Room, table: keyof Room['tables'], items: Items): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const some = items.slice(next, next + ROWS_PER_WRITE)
      next += ROWS_PER_WRITE
      const done = await client.send(new BatchWriteItemCommand({ RequestItems: { [tables[table]]: itemsOf(some) } }))
      if (Object.keys(done.UnprocessedItems ?? {}).length > 0) throw new Error(`${table}: rows left unprocessed by DynamoDB Local`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Every id has its message and the other way round, and so many there are (I5). */
export async function checkQueued(world: World, count: number): Promise<void> {
  const { named, stored } = await world.queue()
  if (named.length !== count || stored.length !== count || named.some((id, i) => id !== stored[i]))
    throw new Error(`${named.length} ids of ${stored.length} messages, wanted ${count} of each, the same ones`)
}
