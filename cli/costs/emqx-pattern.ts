/** EMQX's access pattern on the same tables: a topic's ids are one set, and every ADD and DELETE is billed for the whole of it. */
import { type Bill, billOf } from './bill.ts'
import { connections, natively, rowBytes, rowWrites, type Workload } from './costs-workload.ts'
import type { Units } from './measured-units.ts'
import { platform, tables } from './platform.ts'
import { METERED, parts } from './prices.ts'

const MSGID_BYTES = 47
/** The names `topic` and `MsgId`. */
const NAME_BYTES = 10
/** DynamoDB's limit of an item. */
const ITEM_BYTES = 400 * 1024

/** Bytes of a topic's item that holds `depth` ids. */
const mapBytes = (depth: number, topic: number): number => NAME_BYTES + topic + depth * MSGID_BYTES
/** Write units of the ADD after which the set has `depth` ids, and of the DELETE that removes one of them. */
export const mapWrites = (depth: number, topic: number): number => parts(mapBytes(depth, topic), METERED.write)
/** Whether the topic's item has no room for another id: then every ADD fails. */
export const isFull = ({ depth, topic }: Workload): boolean => mapBytes(depth + 1, topic) > ITEM_BYTES

const NOTE = 'Put, then ADD to one set a topic, behind the same rules, queues and functions'
export const FULL = 'cannot: at this depth the item of a topic is full (400 KB) and every ADD fails'

export function original(workload: Workload): Bill {
  const name = "EMQX's access pattern"
  if (isFull(workload)) return billOf(name, FULL, [])
  return billOf(name, NOTE, [...platform(natively(workload)), ...tables(originalUnits(workload), workload)])
}

/**
 * A publish is a Put and an ADD. An acknowledgement writes mqtt_acked, deletes the message and deletes its id from the set, whether the
 * message was queued or not. A connection is two writes of mqtt_client.
 */
export function originalUnits(workload: Workload): Units {
  const { publishes, offline, retained, depth, topic } = workload
  const row = rowWrites(workload)
  const map = mapWrites(depth + 1, topic)
  const writes = publishes * (row + map) + publishes * retained * row + publishes * (1 + row + map) + connections(workload) * 2
  // Eventually consistent reads: half a unit by 4 KB.
  const fetch =
    connections(workload) * parts(mapBytes(depth, topic), METERED.read) + publishes * offline * parts(rowBytes(workload), METERED.read)
  return { writes, reads: fetch / 2 }
}
