/** What stands in the tables when all is quiet, in the words of the invariants. */
import { liveOf } from '../../lambda/adapters/tables/topic-rows.ts'
import type { Row } from '../simulation/rows.ts'
import type { Snapshot } from './database.ts'

const NUL = '\u0000'

export interface FinalState {
  /** What the events alone decide: `mqtt_client`, `mqtt_retain`, the markers, and `mqtt_sub` without `spill` and IoT Core's answers. */
  readonly decided: readonly string[]
  /** Who is live where, since when; `catching` if publishers leave messages to a drainer. */
  readonly live: readonly string[]
  /** `mqtt_acked`: `topic client` -> msgid. */
  readonly acked: ReadonlyMap<string, string>
  /** Msgid -> row of `mqtt_msg`. */
  readonly stored: ReadonlyMap<string, Row>
  /** Msgid -> rows of the topic map that name it. */
  readonly named: ReadonlyMap<string, readonly string[]>
  /** What no order of events can excuse. */
  readonly wrong: readonly string[]
  readonly topics: readonly string[]
}

export function finalState(rows: Snapshot): FinalState {
  const map = rows.mqtt_topic_msg_map
  const heads = map.filter((row) => !key(row).includes(NUL))
  return {
    decided: [
      ...rows.mqtt_client.map((row) => `mqtt_client ${text(row)}`),
      ...rows.mqtt_sub.map(({ spill: _, granted: _qos, granted_at: _when, ...row }) => `mqtt_sub ${text(row)}`),
      ...rows.mqtt_retain.map((row) => `mqtt_retain ${text(row)}`),
      ...map.filter((row) => /\0(gone|retain)(\0|$)/.test(key(row))).map((row) => `marker ${text(row)}`),
    ].sort(),
    live: map.flatMap(liveIn).sort(),
    acked: new Map(rows.mqtt_acked.map((row) => [`${row.topic?.S} ${row.clientid?.S}`, row.msgid?.S ?? ''])),
    stored: new Map(rows.mqtt_msg.map((row) => [row.msgid?.S ?? '', row])),
    named: namedIn(map),
    wrong: [...belowFirst(map, heads), ...satTwice(map), ...unseenSpills(map)],
    topics: [...new Set([...heads.map(key), ...rows.mqtt_msg.map((row) => row.topic?.S ?? '')])].filter((topic) => !topic.endsWith('/#')),
  }
}

const key = (row: Row): string => row.topic?.S ?? ''
const shown = (name: string): string => name.replaceAll(NUL, '|')
const topicOf = (row: Row): string => key(row).split(NUL)[0] ?? ''

/** A row in one spelling: sorted names, sorted sets. */
export const text = (row: Row): string =>
  shown(
    JSON.stringify(
      Object.keys(row)
        .sort()
        .map((name) => [name, row[name]?.SS === undefined ? row[name] : [...row[name].SS].sort()]),
    ).replaceAll('\\u0000', '|'),
  )

function liveIn(row: Row): string[] {
  return [...liveOf(row.live)].map(([entry, { kind, session, since, at, catching }]) => {
    const who = `${topicOf(row)} ${shown(entry)} ${kind} ${session} since ${since} at ${at}`
    return `${who}${catching ? ' catching' : ''}`
  })
}

function namedIn(map: readonly Row[]): Map<string, string[]> {
  const named = new Map<string, string[]>()
  for (const row of map) {
    for (const id of row.MsgId?.SS ?? []) named.set(id, [...(named.get(id) ?? []), shown(key(row))])
    for (const id of row.sealing?.SS ?? []) named.set(id, [...(named.get(id) ?? []), `${shown(key(row))} sealing`])
  }
  return named
}

const belowFirst = (map: readonly Row[], heads: readonly Row[]): string[] =>
  map.flatMap((row) => {
    const [topic, number = ''] = key(row).split(NUL)
    const first = Number(heads.find((head) => key(head) === topic)?.first?.N ?? 0)
    return /^\d+$/.test(number) && Number(number) < first && row.MsgId
      ? [`I5: segment ${shown(key(row))} is below first, and nobody reads it`]
      : []
  })

function satTwice(map: readonly Row[]): string[] {
  const seats = map.flatMap((row) => [...liveOf(row.live).keys()].map((entry) => `${topicOf(row)} ${shown(entry)}`))
  return seats.filter((seat, i) => seats.indexOf(seat) !== i).map((seat) => `live: ${seat} sits twice`)
}

/** A head that does not know of a spill row, or of how young its natives are, leaves them out of its pushes. */
function unseenSpills(map: readonly Row[]): string[] {
  return map.flatMap((row) => {
    const number = /\0live(\d+)$/.exec(key(row))?.[1]
    if (number === undefined) return []
    const head = map.find((one) => key(one) === topicOf(row))
    const live = [...liveOf(row.live).values()]
    const newest = Math.max(0, ...live.filter(({ kind }) => kind === 'client').map(({ since }) => since))
    if (live.length === 0) return []
    if (Number(head?.spill?.N ?? 0) <= Number(number)) return [`live: the head does not know of ${shown(key(row))}`]
    if (Number(head?.newest?.N ?? 0) < newest) return [`live: the head does not know how young ${shown(key(row))} is`]
    return live.some(({ kind }) => kind === 'server') && !head?.spill_servers
      ? [`live: the head does not know of servers in ${shown(key(row))}`]
      : []
  })
}
