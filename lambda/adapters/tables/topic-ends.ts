/** How seats of a topic's row end, and what is noted when a member of a shared subscription leaves. */
import type { TopicTable } from '../../core/model/ports.ts'
import type { Seat, Seated, Subscription } from '../../core/model/seat.ts'
import type { TopicRow } from '../../core/model/topic-row.ts'
import { N, S } from './attributes.ts'
import { NAMES, SAME_SESSION } from './topic-leases.ts'
import { contended, type LiveRows, liveValue, ROUNDS } from './topic-rows.ts'
import type { SpillRows } from './topic-spill.ts'

const LEFT_EARLIER = '(attribute_not_exists(share_left) OR share_left < :left)'
export const OLDER_SESSION = '(live.#entry.#session <> :session AND live.#entry.since < :at)'

/** Where a client has its seat, with `session` that session's. */
export type Find = (
  topic: string,
  subscription: Subscription,
  entry: string,
  session?: string,
) => Promise<{ row: TopicRow | undefined; seat: Seat | undefined }>

export function ends(
  rows: LiveRows,
  spill: SpillRows,
  find: Find,
): Pick<TopicTable, 'endLive' | 'endServer' | 'endSilent' | 'clearOlder' | 'leaveShare'> {
  async function leaveShare(topic: string, at: number): Promise<void> {
    await rows.update(topic, 'SET share_left = :left', LEFT_EARLIER, { values: { ':left': N(at) } })
  }

  return {
    async endLive(topic, subscription, entry, { session, until, left, kind }): Promise<Seated | undefined> {
      const values = { ':session': S(session), ':until': N(until), ':left': N(left ?? 0), ':kind': S(kind ?? '') }
      const placeholders = { names: { ...NAMES, '#entry': entry }, values }
      const notRenewed = '(attribute_not_exists(live.#entry.#at) OR live.#entry.#at <= :until)'
      const ofKind = kind === undefined ? '' : 'live.#entry.kind = :kind AND '
      const over = `${ofKind}${SAME_SESSION} AND live.#entry.since <= :until AND ${notRenewed}`
      const [expression, condition] =
        left === undefined ? ['REMOVE live.#entry', over] : ['REMOVE live.#entry SET share_left = :left', `${over} AND ${LEFT_EARLIER}`]
      const before = await rows.update(topic, expression, condition, { ...placeholders, returns: 'ALL_OLD' })
      const live = before?.live.get(entry)
      const claimed = await spill.claimed(topic, subscription, entry)
      if (before !== undefined && live !== undefined) {
        // Two subscribed events at once may have found the head with room and without.
        for (const key of spill.keysOf(topic, claimed)) await rows.update(key, 'REMOVE live.#entry', over, placeholders)
        return { row: before, seat: { topic, key: topic, entry, live } }
      }
      for (let round = 0; round < ROUNDS; round++) {
        const { row, seat } = await find(topic, claimed, entry, session)
        if (row === undefined || seat === undefined || seat.live.session !== session || seat.live.since > until) return undefined
        if (kind !== undefined && seat.live.kind !== kind) return undefined
        // Subscribed again since: the end lies between the two, so the window starts over at the later one, and so does catching up.
        const again = seat.live.at > until ? { ...seat.live, since: seat.live.at, catching: undefined } : undefined
        // In a spill row it cannot be said in the same breath: first that it leaves, so that the others prove nothing meanwhile.
        if (left !== undefined && seat.key !== topic) await leaveShare(topic, left)
        const leaves = left !== undefined && seat.key === topic
        const unchanged = [
          SAME_SESSION,
          'live.#entry.since = :since',
          again ? 'live.#entry.#at = :at' : notRenewed,
          ...(leaves ? [row.shareLeft === 0 ? 'attribute_not_exists(share_left)' : 'share_left = :before'] : []),
        ]
        const change = `${again ? 'SET live.#entry = :again' : 'REMOVE live.#entry'}${leaves ? `${again ? ',' : ' SET'} share_left = :left` : ''}`
        const ended = await rows.update(seat.key, change, unchanged.join(' AND '), {
          names: placeholders.names,
          values: {
            ...placeholders.values,
            ':since': N(seat.live.since),
            ':at': N(seat.live.at),
            ':left': N(Math.max(row.shareLeft, left ?? 0)),
            ':before': N(row.shareLeft),
            ...(again && { ':again': liveValue(again) }),
          },
        })
        if (ended === undefined) continue
        const head = (await rows.head(topic)) ?? row
        return { row: leaves ? { ...head, shareLeft: row.shareLeft } : head, seat }
      }
      throw contended(topic)
    },

    async endServer({ key, entry, live }) {
      const unchanged = `live.#entry.kind = :server AND ${SAME_SESSION} AND live.#entry.since = :since`
      const values = { ':server': S('server'), ':session': S(live.session), ':since': N(live.since) }
      return (await rows.update(key, 'REMOVE live.#entry', unchanged, { names: { ...NAMES, '#entry': entry }, values })) !== undefined
    },

    async endSilent({ key, entry, live }) {
      const unchanged = `${SAME_SESSION} AND live.#entry.since = :since AND (attribute_not_exists(live.#entry.#at) OR live.#entry.#at = :at)`
      const values = { ':session': S(live.session), ':since': N(live.since), ':at': N(live.at) }
      return (await rows.update(key, 'REMOVE live.#entry', unchanged, { names: { ...NAMES, '#entry': entry }, values })) !== undefined
    },

    async clearOlder(topic, subscription, entry, { session, at }) {
      const keys = [topic, ...spill.keysOf(topic, await spill.claimed(topic, subscription, entry))]
      const placeholders = { names: { ...NAMES, '#entry': entry }, values: { ':session': S(session), ':at': N(at) } }
      for (const key of keys) await rows.update(key, 'REMOVE live.#entry', OLDER_SESSION, placeholders)
    },

    leaveShare,
  }
}
