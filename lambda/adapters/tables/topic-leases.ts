/**
 * Leases, under the SQS message id of the event that has one: in a client's seat, which event drains the queue for the client; on the
 * topic's row, which event delivers the queue to the topic's durable subscribers (dispatch).
 */
import type { TopicTable } from '../../core/model/ports.ts'
import type { DispatchLease } from '../../core/model/topic-row.ts'
import { N, S } from './attributes.ts'
import type { LiveRows } from './topic-rows.ts'
import { leaseValue } from './topic-rows.ts'

export const SAME_SESSION = 'live.#entry.#session = :session'
export const OWN_LEASE = 'live.#entry.catching.#by = :by'
export const NAMES = { '#session': 'session', '#at': 'at', '#by': 'by', '#until': 'until' }

/** A topic without any publish has no `adds`. */
const quiet = (adds: number): string => (adds === 0 ? 'attribute_not_exists(adds)' : 'adds = :adds')

export function leases(rows: LiveRows): Pick<TopicTable, 'lease' | 'release' | 'handOver'> {
  return {
    async lease(seat, lease, now) {
      const free = `(attribute_not_exists(live.#entry.catching) OR ${OWN_LEASE} OR live.#entry.catching.#until < :now)`
      // Of this subscription only: if the session has unsubscribed and subscribed again, the later event leases the queue.
      const mine = `${SAME_SESSION} AND live.#entry.since = :since`
      const leased = await rows.update(seat.key, 'SET live.#entry.catching = :lease', `${mine} AND ${free}`, {
        names: { ...NAMES, '#entry': seat.entry },
        values: {
          ':session': S(seat.live.session),
          ':since': N(seat.live.since),
          ':by': S(lease.by),
          ':now': N(now),
          ':lease': leaseValue(lease),
        },
      })
      return leased && (seat.key === seat.topic ? leased : rows.head(seat.topic))
    },

    async release(seat, by) {
      await rows.update(seat.key, 'SET live.#entry.catching.#until = :zero', `${SAME_SESSION} AND ${OWN_LEASE}`, {
        names: { ...NAMES, '#entry': seat.entry },
        values: { ':session': S(seat.live.session), ':by': S(by), ':zero': N(0) },
      })
    },

    async handOver(row, seat, by) {
      const inHead = seat.key === row.topic
      const unchanged = inHead ? `${quiet(row.adds)} AND ` : ''
      const done = await rows.update(seat.key, 'REMOVE live.#entry.catching', `${unchanged}${SAME_SESSION} AND ${OWN_LEASE}`, {
        names: { ...NAMES, '#entry': seat.entry },
        values: { ':session': S(seat.live.session), ':by': S(by), ':adds': N(row.adds) },
      })
      if (done === undefined) return false
      // A spill row does not count publishes, so the head is read again. If one came in between, it may be delivered twice, but never not at all.
      return inHead || (await rows.head(row.topic))?.adds === row.adds
    },
  }
}

const OF_DISPATCH = { '#by': 'by', '#until': 'until' }
const MINE = 'dispatch.#by = :by'
export function dispatchLeases(
  rows: LiveRows,
): Pick<TopicTable, 'claimDispatch' | 'joinDispatch' | 'endDispatch' | 'restDispatch' | 'releaseDispatch'> {
  return {
    async claimDispatch(topic, lease, { now, wakes }) {
      const free = `attribute_not_exists(dispatch) OR ${MINE} OR dispatch.#until < :now`
      const condition = wakes ? `${free} OR attribute_exists(dispatch.rests)` : free
      const values = { ':by': S(lease.by), ':now': N(now), ':lease': dispatchValue(lease) }
      return rows.update(topic, 'SET dispatch = :lease', condition, { names: OF_DISPATCH, values })
    },

    async joinDispatch(topic, now) {
      const goesOn = 'dispatch.#until >= :now AND attribute_not_exists(dispatch.rests)'
      return (
        (await rows.update(topic, 'ADD adds :one', goesOn, { names: OF_DISPATCH, values: { ':now': N(now), ':one': N(1) } })) !== undefined
      )
    },

    async endDispatch(row, by) {
      const values = { ':by': S(by), ':adds': N(row.adds) }
      return (
        (await rows.update(row.topic, 'REMOVE dispatch', `${MINE} AND ${quiet(row.adds)}`, { names: OF_DISPATCH, values })) !== undefined
      )
    },

    async restDispatch(row, lease) {
      const values = { ':by': S(lease.by), ':adds': N(row.adds), ':lease': dispatchValue({ ...lease, rests: true }) }
      const condition = `${MINE} AND ${quiet(row.adds)}`
      return (await rows.update(row.topic, 'SET dispatch = :lease', condition, { names: OF_DISPATCH, values })) !== undefined
    },

    async releaseDispatch(topic, by) {
      await rows.update(topic, 'SET dispatch.#until = :zero', MINE, { names: OF_DISPATCH, values: { ':by': S(by), ':zero': N(0) } })
    },
  }
}

const dispatchValue = ({ by, until, rests }: DispatchLease) => ({
  M: { by: S(by), until: N(until), ...(rests === true ? { rests: N(1) } : {}) },
})
