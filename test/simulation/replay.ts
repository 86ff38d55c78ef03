/** I4: what a replayed lifecycle event must leave as it is. */
import { liveOf } from '../../lambda/adapters/tables/topic-rows.ts'
import { subscriberOf } from '../../lambda/core/model/seat.ts'
import { TABLES, type TableDefinition } from '../../lambda/core/tables.ts'
import type { Row } from './rows.ts'
import type { Scene } from './scene.ts'

type Kept = 'mqtt_client' | 'mqtt_sub' | 'mqtt_retain'

/**
 * Presence, subscriptions, retained messages, and who is live since when, by what they are of. Messages may be delivered again. A session
 * that goes on under its identifier is subscribed in IoT Core whether or not we show a SUBSCRIBE of its last connection: both are true.
 */
export function everything({
  dynamodb,
  operator,
  iotCore,
  cast: { persistent },
  queues: { abandoned },
}: Scene): ReadonlyMap<string, string> {
  const kept: Kept[] = persistent === 'same' ? ['mqtt_client', 'mqtt_retain'] : ['mqtt_client', 'mqtt_sub', 'mqtt_retain']
  // What a receive left that died after another had finished goes with the next event.
  const orderly = (session: string | undefined) => !abandoned.has(session ?? '')
  const rows = kept.flatMap((table) =>
    dynamodb
      .rows(table)
      .filter((row) => orderly(row.session?.S))
      .map((row) => [keyOf(table, row), ordered(row)] as const),
  )
  // An entry that no row of mqtt_sub knows may go (checks.ts, liveEntries).
  const known = new Set(dynamodb.rows('mqtt_sub').map((row) => `${row.clientid?.S} ${row.session?.S ?? ''}`))
  // An operator's row that was added while its client is connected counts from the next connected event on, a repeated one too.
  const mayReturn = (row: Row, entry: string) => {
    const { clientid, filter, sent } = subscriberOf({ topic: row.topic?.S?.split('\u0000')[0] ?? '', entry })
    const { silenced, givenUp } = iotCore.clients.get(clientid)!
    // A client that was given up sits again after a repeated event, until it is given up again.
    return operator.wasDeleted(clientid, filter) || silenced.has(filter) || givenUp.has(sent)
  }
  const live = dynamodb.rows('mqtt_topic_msg_map').flatMap((row) =>
    [...liveOf(row.live)]
      .filter(([entry]) => !mayReturn(row, entry))
      .filter(([entry, { kind, session }]) => {
        const { clientid } = subscriberOf({ topic: '', entry })
        return orderly(session) && (kind === 'server' || known.has(`${clientid} ${session}`))
      })
      .map(([entry, { kind, session, since, at }]) => {
        const of = `live: ${row.topic?.S} ${entry}`.replaceAll('\u0000', '|')
        return [of, `${kind} ${session} ${since} ${at}`] as const
      }),
  )
  return new Map([...rows, ...(persistent === 'same' ? [] : live)])
}

export function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()])
  return [...keys]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => `I4: a replay changed ${key}: it was ${before.get(key) ?? 'nothing'}, it is ${after.get(key) ?? 'nothing'}`)
}

const keyOf = (table: Kept, row: Row): string => {
  const { hashKey, rangeKey }: TableDefinition = TABLES[table]
  return `${table}: ${row[hashKey]?.S}${rangeKey === undefined ? '' : ` ${row[rangeKey]?.S}`}`
}

/** Without the spill row in which the client would sit: that is no state, only a place. */
const ordered = ({ spill: _, ...row }: Row): string =>
  JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
