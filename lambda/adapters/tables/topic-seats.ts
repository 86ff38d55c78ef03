/** The seats of a topic's row: the map `live` of the head, and spill rows (topic-spill.ts) when the head has no room. */
import { isDeepStrictEqual } from 'node:util'
import { BackendError } from '../../core/errors.ts'
import type { TopicTable } from '../../core/model/ports.ts'
import type { Seat, Seated, Subscription } from '../../core/model/seat.ts'
import { HEAD_LIVE, type Live, renewed, SPILL_LIVE, spillKey, type TopicRow } from '../../core/model/topic-row.ts'
import { type Item, N, S } from './attributes.ts'
import { batchGet, type Database } from './dynamodb.ts'
import { ends, OLDER_SESSION } from './topic-ends.ts'
import { leases, NAMES, OWN_LEASE, SAME_SESSION } from './topic-leases.ts'
import { contended, keyOfEntry, type LiveRows, liveRows, liveValue, ROUNDS, topicRowOf } from './topic-rows.ts'
import { spillRows } from './topic-spill.ts'

type LiveClients = Pick<TopicTable, 'head' | 'heads' | 'seats' | 'goLive' | 'endLive' | 'clearOlder' | 'lease' | 'release' | 'handOver'> &
  Pick<TopicTable, 'endServer' | 'endSilent' | 'leaveShare' | 'noteGranted'>

const HAS_MAP = 'attribute_exists(live)'
const ABSENT = 'attribute_not_exists(live.#entry)'
const PRESENT = 'attribute_exists(live.#entry)'
const ROOM = 'size(live) < :room'
/** The client's own subscription wins over an operator's row of the same filter: never both. */
const SERVER_OF_SESSION = `(live.#entry.kind = :server AND ${SAME_SESSION})`

export function liveClients(db: Database): LiveClients {
  const rows: LiveRows = liveRows(db)
  const spill = spillRows(db, rows)

  /** The client's seat, in the head or in a spill row. If there are two: the one of `session`. */
  async function find(
    topic: string,
    subscription: Subscription,
    entry: string,
    session?: string,
  ): Promise<{ row: TopicRow | undefined; seat: Seat | undefined }> {
    const row = await rows.head(topic)
    const live = row?.live.get(entry)
    const inHead = live && { topic, key: topic, entry, live }
    if (inHead !== undefined && (session === undefined || live?.session === session)) return { row, seat: inHead }
    const spilled = await spill.seatOf(topic, subscription, entry, row)
    return { row, seat: spilled?.live.session === session ? spilled : (inHead ?? spilled) }
  }

  /**
   * A SUBSCRIBE repeated in the same session: `since` stays, `at` follows. A lease that another event has got meanwhile stays, too.
   * `undefined`: the seat has gone meanwhile.
   */
  async function renew(seat: Seat, live: Live): Promise<TopicRow | undefined> {
    const { granted, grantedAt } = live
    const values = {
      ':session': S(seat.live.session),
      ':since': N(live.since),
      ':at': N(live.at),
      ...(granted === undefined ? {} : { ':granted': N(granted) }),
      ...(grantedAt === undefined ? {} : { ':granted_at': N(grantedAt) }),
    }
    const names = ['granted', 'granted_at']
    const set = names.filter((name) => `:${name}` in values).map((name) => `, live.#entry.${name} = :${name}`)
    const removed = [
      ...names.filter((name) => !(`:${name}` in values)),
      ...(seat.live.catching !== undefined && live.catching === undefined ? ['catching'] : []),
    ]
    const remove = removed.map((name) => `live.#entry.${name}`)
    const change = `SET live.#entry.#at = :at, live.#entry.since = :since${set.join('')}${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`
    const condition = `${SAME_SESSION} AND live.#entry.since <= :at AND (attribute_not_exists(live.#entry.#at) OR live.#entry.#at <= :at)`
    const row = await rows.update(seat.key, change, condition, { names: { ...NAMES, '#entry': seat.entry }, values })
    return row && (seat.key === seat.topic ? row : rows.head(seat.topic))
  }

  /** The seat of a repeated SUBSCRIBE, or `undefined` where it has gone meanwhile. */
  async function keep(head: TopicRow | undefined, seat: Seat, again: Live): Promise<Seated | undefined> {
    // An earlier try may have died before it told the head of the spill row.
    const row = seat.spill === undefined ? head : await spill.count(seat.topic, seat.live, seat.spill + 1)
    const live = renewed(seat.live, again)
    const kept = isDeepStrictEqual(live, seat.live) ? row : await renew(seat, live)
    return kept && { row: kept, seat: { ...seat, live } }
  }

  /** Writes `live` into the client's seat in the head, if that has not changed meanwhile. */
  async function moveIn({ topic, entry, live: mine }: Seat, live: Live): Promise<Seated | undefined> {
    const lease = mine.catching === undefined ? 'attribute_not_exists(live.#entry.catching)' : OWN_LEASE
    const notRenewed = '(attribute_not_exists(live.#entry.#at) OR live.#entry.#at = :at)'
    const unchanged = `${SAME_SESSION} AND live.#entry.since = :since AND ${notRenewed} AND ${lease}`
    const row = await rows.update(topic, 'SET live.#entry = :live', unchanged, {
      names: { ...NAMES, '#entry': entry },
      values: {
        ':session': S(mine.session),
        ':since': N(mine.since),
        ':at': N(mine.at),
        ':by': S(mine.catching?.by ?? ''),
        ':live': liveValue(live),
      },
    })
    return row && { row, seat: { topic, key: topic, entry, live } }
  }

  /** Removes the seat that the session or an older one has in the client's spill row. Returns the row as it was before. */
  function vacate(row: TopicRow, subscription: Subscription, entry: string, { session, at }: Live): Promise<TopicRow | undefined> {
    const mine = `(${SAME_SESSION} OR ${OLDER_SESSION})`
    const placeholders = { names: { ...NAMES, '#entry': entry }, values: { ':session': S(session), ':at': N(at) } }
    return spill.vacate(row, subscription, entry, (key) =>
      rows.update(key, 'REMOVE live.#entry', mine, { ...placeholders, returns: 'ALL_OLD' }),
    )
  }

  /**
   * The client sits in the head now: removes its seat in a spill row, which another event of the client, handled at the same time, may
   * have made. Returns the seat with the longer subscription of the two; `undefined`: it has changed meanwhile.
   */
  async function leaveSpill(
    row: TopicRow,
    subscription: Subscription,
    { seat, isNew }: { seat: Seat; isNew: boolean },
    live: Live,
  ): Promise<Seated | undefined> {
    const other = (await vacate(row, subscription, seat.entry, live))?.live.get(seat.entry)
    if (other === undefined || !isRepeated(other, seat.live)) return { row, seat }
    // A seat that an earlier try took may be of the later window.
    const since = isNew ? other.since : Math.max(other.since, seat.live.since)
    const moved = await moveIn(seat, { ...other, since, at: Math.max(other.at, seat.live.at, live.at), catching: seat.live.catching })
    if (other.catching !== undefined && other.catching.by !== live.catching?.by) throw movedWhileDraining(seat.topic, seat.entry)
    return moved
  }

  return {
    head: rows.head,

    async heads(topics) {
      const keys = topics.map((topic) => ({ topic: S(topic) }))
      return (await batchGet(db, 'mqtt_topic_msg_map', keys, { consistent: false })).map(topicRowOf)
    },

    async seats(row, { headOnly }) {
      const inHead = [...row.live].map(([entry, live]) => ({ topic: row.topic, key: row.topic, entry, live }))
      return headOnly || row.spill === 0 ? inHead : [...inHead, ...(await spill.seats(row))]
    },

    async goLive(topic, subscription, entry, live): Promise<Seated | undefined> {
      const taken = live.kind === 'client' ? `${SERVER_OF_SESSION} OR ${OLDER_SESSION}` : OLDER_SESSION
      const placeholders = {
        names: { ...NAMES, '#entry': entry },
        values: {
          ':live': liveValue(live),
          ':map': { M: { [keyOfEntry(entry)]: liveValue(live) } },
          ':session': S(live.session),
          ':at': N(live.at),
          ':room': N(HEAD_LIVE),
          ':server': S('server'),
        } satisfies Item,
      }
      const mine: Seat = { topic, key: topic, entry, live }
      // A client in a spill row keeps its seat. A seat there of an older session or of the operator's row is removed first: nobody has two.
      let standing = await spill.claimed(topic, subscription, entry)
      const spilled = await spill.seatOf(topic, standing, entry)
      if (spilled !== undefined && isOvertaken(live, spilled.live)) return undefined
      if (spilled !== undefined && isRepeated(spilled.live, live)) {
        const kept = await keep(undefined, spilled, live)
        if (kept !== undefined && !kept.row.live.has(entry)) return kept
      } else if (spilled !== undefined) await rows.update(spilled.key, 'REMOVE live.#entry', taken, placeholders)
      const free = `${HAS_MAP} AND (${ABSENT} OR ${taken})`
      for (let round = 0; round < ROUNDS; round++) {
        const set = await rows.update(topic, 'SET live.#entry = :live', `${free} AND (${PRESENT} OR ${ROOM})`, placeholders)
        if (set !== undefined) {
          const sat = maySpill(set, standing)
            ? await leaveSpill(set, standing, { seat: mine, isNew: true }, live)
            : { row: set, seat: mine }
          if (sat !== undefined) return sat
          continue
        }
        const { row, seat } = await find(topic, standing, entry)
        if (row !== undefined && seat !== undefined && isRepeated(seat.live, live)) {
          const kept = await keep(row, seat, live)
          // An earlier try may have made this seat and died before it removed the one in a spill row.
          const mayBeTwice = kept !== undefined && kept.seat.spill === undefined && maySpill(kept.row, standing)
          const alone = mayBeTwice ? await leaveSpill(kept.row, standing, { seat: kept.seat, isNew: false }, live) : kept
          if (alone !== undefined) return alone
        } else if (row !== undefined && seat !== undefined && isOvertaken(live, seat.live)) {
          // A try of this event that died may have left it in a spill row.
          if (maySpill(row, standing)) await vacate(row, standing, entry, live)
          return undefined
        } else if (row === undefined || !row.hasLive) {
          const created = await rows.update(topic, 'SET live = :map', 'attribute_not_exists(live)', placeholders)
          if (created !== undefined) return { row: created, seat: mine }
        } else if (row.live.size >= HEAD_LIVE && !row.live.has(entry)) {
          // The spill row of an older session is used again.
          const n = await spill.claim(row, seat?.spill === undefined ? standing : { ...standing, spill: seat.spill }, entry)
          const key = spillKey(topic, n)
          const sat =
            (await rows.update(key, 'SET live.#entry = :live', free, placeholders)) ??
            (await rows.update(key, 'SET live = :map', 'attribute_not_exists(live)', placeholders))
          standing = { ...standing, spill: n }
          if (sat === undefined) continue // another event has seated the client: the next round finds it
          // Once this row is crowded, later clients use one row more.
          const head = await spill.count(topic, live, Math.max(n + 1, sat.live.size > SPILL_LIVE ? row.spill + 1 : 0))
          if (!head.live.has(entry)) return { row: head, seat: { topic, key, spill: n, entry, live } }
          await rows.update(key, 'REMOVE live.#entry', SAME_SESSION, placeholders)
        }
      }
      throw contended(topic)
    },

    ...ends(rows, spill, find),

    async noteGranted({ key, entry, live }, { granted, grantedAt }) {
      const same = `${SAME_SESSION} AND live.#entry.since = :since AND (attribute_not_exists(live.#entry.#at) OR live.#entry.#at = :at)`
      const later = grantedAt === undefined ? '' : ', live.#entry.granted_at = :later'
      await rows.update(key, `SET live.#entry.granted = :granted${later}`, same, {
        names: { ...NAMES, '#entry': entry },
        values: {
          ':session': S(live.session),
          ':since': N(live.since),
          ':at': N(live.at),
          ':granted': N(granted),
          ':later': N(grantedAt ?? 0),
        },
      })
    },

    ...leases(rows),
  }
}

/** Whether the client may have a seat in a spill row: the head counts some, or one was claimed that the head does not count yet. */
const maySpill = (head: TopicRow, { spill }: Subscription): boolean => head.spill > 0 || spill !== undefined

/** A newer session of the client has the seat already. */
const isOvertaken = (live: Live, current: Live): boolean => current.session !== live.session && current.since >= live.at

/** The same session again; an operator's row never takes over from the client's own subscription. */
const isRepeated = (current: Live, again: Live): boolean =>
  current.session === again.session && (current.kind === again.kind || current.kind === 'client')

/** Another event drains the queue for the old seat, until its next read. This event is tried again, so that never two drain. */
const movedWhileDraining = (topic: string, entry: string): BackendError =>
  new BackendError(
    'unfinished',
    `client '${entry}', topic '${topic}': moved while another event delivers its queue; continues at the next try`,
  )
