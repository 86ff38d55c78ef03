/** Who drains a topic's queue for a live client: a lease in its seat, held under the SQS message id. */
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
      // Of this window: a later one of the session, which has unsubscribed in between, is for who began it.
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
      // A topic that nobody has published to yet does not count either.
      const quiet = inHead ? `${row.adds === 0 ? 'attribute_not_exists(adds)' : 'adds = :adds'} AND ` : ''
      const done = await rows.update(seat.key, 'REMOVE live.#entry.catching', `${quiet}${SAME_SESSION} AND ${OWN_LEASE}`, {
        names: { ...NAMES, '#entry': seat.entry },
        values: { ':session': S(seat.live.session), ':by': S(by), ':adds': N(row.adds) },
      })
      if (done === undefined) return false
      // A spilled client's row does not count publishes: look at the head once more, rather twice than never.
      return inHead || (await rows.head(row.topic))?.adds === row.adds
    },
  }
}
