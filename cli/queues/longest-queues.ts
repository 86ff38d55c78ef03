/** The longest queues of a whole table, in as much memory as are kept. */
import type { TopicRow } from '../../lambda/core/model/topic-row.ts'
import { type Depth, depthOf } from '../../lambda/core/model/topic-row.ts'
import type { OpenTables } from '../operate/operator-tables.ts'
import { type Pace, wholeTable } from '../operate/scan-cost.ts'
import { subscribersOf, topicsPage } from '../operate/table-reads.ts'

export interface QueueRow extends Depth {
  readonly topic: string
  readonly subscribers: number
}

export const queueRow = (row: TopicRow): QueueRow => ({ topic: row.topic, ...depthOf(row), subscribers: subscribersOf(row).length })

export const deepestFirst = (a: Depth, b: Depth): number => b.about - a.about

export async function longest(tables: OpenTables, most: number, pace: Pace): Promise<QueueRow[]> {
  const reading = { table: 'mqtt_topic_msg_map', times: 1 } as const
  let kept: QueueRow[] = []
  for await (const rows of wholeTable(tables, reading, pace, (after, limit) => topicsPage(tables, after, limit)))
    kept = [...kept, ...rows.map(queueRow)].sort(deepestFirst).slice(0, most)
  return kept
}
