/** Leases: which event may drain a topic's queue for a client. A lease is in the client's seat, under the event's SQS message id. */
import type { TopicTable } from '../../core/model/ports.ts'
import { N, S } from './attributes.ts'
import { leaseValue } from './topic-item.ts'
import type { LiveRows } from './topic-rows.ts'

export const SAME_SESSION = 'live.#entry.#session = :session'
export const OWN_LEASE = 'live.#entry.catching.#by = :by'
export const NAMES = { '#session': 'session', '#at': 'at', '#by': 'by', '#until': 'until' }

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
      // A topic without any publish has no `adds`.
      const quiet = inHead ? `${row.adds === 0 ? 'attribute_not_exists(adds)' : 'adds = :adds'} AND ` : ''
      const done = await rows.update(seat.key, 'REMOVE live.#entry.catching', `${quiet}${SAME_SESSION} AND ${OWN_LEASE}`, {
        names: { ...NAMES, '#entry': seat.entry },
        values: { ':session': S(seat.live.session), ':by': S(by), ':adds': N(row.adds) },
      })
      if (done === undefined) return false
      // A spill row does not count publishes, so the head is read again. If one came in between, it may be delivered twice, but never not at all.
      return inHead || (await rows.head(row.topic))?.adds === row.adds
    },
  }
}
