/** Publishes messages one after the other, and looks who has acknowledged. */

import { S, text } from '../../lambda/adapters/tables/attributes.ts'
import { batchGet } from '../../lambda/adapters/tables/dynamodb.ts'
import { BackendError } from '../../lambda/core/errors.ts'
import { publish } from '../operate/deeds.ts'
import type { OpenTables } from '../operate/operator-tables.ts'

export interface Addressed {
  readonly topic: string
  /** Absent: it is for whoever subscribes. */
  readonly clientid?: string
  /** Absent: nobody waited for it, or there is no client whose acknowledgement would count. */
  readonly acknowledged?: boolean
}

/** Topic and client -> msgid of the last acknowledgement. */
type Acks = ReadonlyMap<string, string>

const keyOf = ({ topic, clientid }: Addressed): string => `${topic}\u0000${clientid}`

/**
 * @param how `rate`: publishes a second
 * @returns what was acknowledged before
 * @throws BackendError `half` that says how many were sent, where IoT Core refuses one in the middle
 */
export async function sendAll(
  tables: OpenTables,
  all: readonly Addressed[],
  { payload, rate }: { readonly payload: Buffer; readonly rate: number },
): Promise<Acks> {
  const before = await acksOf(tables, all)
  for (const [i, { topic }] of all.entries()) {
    try {
      await publish(tables, { topic, payload, qos: 1, retain: false })
    } catch (error) {
      if (i === 0) throw error
      throw new BackendError(
        'half',
        `${i} of ${all.length} were published, then IoT Core refused ${JSON.stringify(topic)}: ${(error as Error).message}`,
      )
    }
    if (i + 1 < all.length) await tables.ports.clock.sleep(1000 / rate)
  }
  return before
}

const LOOK_EVERY_MS = 1_000

/** Until all have acknowledged, or the time is over. */
export async function waitForAcks(
  tables: OpenTables,
  all: readonly Addressed[],
  { before, seconds }: { readonly before: Acks; readonly seconds: number },
): Promise<Addressed[]> {
  const { clock } = tables.ports
  const deadline = clock.now() + seconds * 1000
  for (;;) {
    const now = await acksOf(tables, all)
    const told = all.map((one) =>
      one.clientid === undefined ? one : { ...one, acknowledged: now.has(keyOf(one)) && now.get(keyOf(one)) !== before.get(keyOf(one)) },
    )
    if (clock.now() >= deadline || told.every(({ acknowledged }) => acknowledged !== false)) return told
    await clock.sleep(LOOK_EVERY_MS)
  }
}

async function acksOf({ dynamodb: client, tables, ports: { clock } }: OpenTables, all: readonly Addressed[]): Promise<Acks> {
  const keys = all.flatMap(({ topic, clientid }) => (clientid === undefined ? [] : [{ topic: S(topic), clientid: S(clientid) }]))
  if (keys.length === 0) return new Map()
  const items = await batchGet({ client, clock, tables }, 'mqtt_acked', keys, { consistent: true, only: ['topic', 'clientid', 'msgid'] })
  return new Map(
    items.map((item) => [keyOf({ topic: text(item.topic) ?? '', clientid: text(item.clientid) ?? '' }), text(item.msgid) ?? '']),
  )
}
