/** The dispatch lease of a topic's row: which event delivers the queue to the topic's durable subscribers. */
import type { TopicTable } from '../../core/model/ports.ts'
import type { DispatchLease } from '../../core/model/topic-row.ts'
import { N, S } from './attributes.ts'
import type { LiveRows } from './topic-rows.ts'

const NAMES = { '#by': 'by', '#until': 'until' }
const MINE = 'dispatch.#by = :by'
/** A topic without any publish has no `adds`. */
const quiet = (adds: number): string => (adds === 0 ? 'attribute_not_exists(adds)' : 'adds = :adds')

export function dispatchLeases(
  rows: LiveRows,
): Pick<TopicTable, 'claimDispatch' | 'joinDispatch' | 'endDispatch' | 'restDispatch' | 'releaseDispatch'> {
  return {
    async claimDispatch(topic, lease, { now, wakes }) {
      const free = `attribute_not_exists(dispatch) OR ${MINE} OR dispatch.#until < :now`
      const condition = wakes ? `${free} OR attribute_exists(dispatch.rests)` : free
      const values = { ':by': S(lease.by), ':now': N(now), ':lease': dispatchValue(lease) }
      return rows.update(topic, 'SET dispatch = :lease', condition, { names: NAMES, values })
    },

    async joinDispatch(topic, now) {
      const goesOn = 'dispatch.#until >= :now AND attribute_not_exists(dispatch.rests)'
      return (await rows.update(topic, 'ADD adds :one', goesOn, { names: NAMES, values: { ':now': N(now), ':one': N(1) } })) !== undefined
    },

    async endDispatch(row, by) {
      const values = { ':by': S(by), ':adds': N(row.adds) }
      return (await rows.update(row.topic, 'REMOVE dispatch', `${MINE} AND ${quiet(row.adds)}`, { names: NAMES, values })) !== undefined
    },

    async restDispatch(row, lease) {
      const values = { ':by': S(lease.by), ':adds': N(row.adds), ':lease': dispatchValue({ ...lease, rests: true }) }
      const condition = `${MINE} AND ${quiet(row.adds)}`
      return (await rows.update(row.topic, 'SET dispatch = :lease', condition, { names: NAMES, values })) !== undefined
    },

    async releaseDispatch(topic, by) {
      await rows.update(topic, 'SET dispatch.#until = :zero', MINE, { names: NAMES, values: { ':by': S(by), ':zero': N(0) } })
    },
  }
}

const dispatchValue = ({ by, until, rests }: DispatchLease) => ({
  M: { by: S(by), until: N(until), ...(rests === true ? { rests: N(1) } : {}) },
})
