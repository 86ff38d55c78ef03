/** What histories have reached: faults by kind, events handled, interleavings, states of topic rows. */
import { topicRowOf } from '../../lambda/adapters/tables/topic-rows.ts'
import { HEAD_IDS, type TopicRow } from '../../lambda/core/model/topic-row.ts'
import type { Row } from './rows.ts'

/** Counts, as they travel from a worker. */
export interface Reached {
  readonly counts: Record<string, number>
  readonly states: string[]
}

const NUL = '\u0000'

export class Coverage {
  readonly counts = new Map<string, number>()
  /** Abstract states of topic rows. */
  readonly states = new Set<string>()
  private last: Row | undefined

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by)
  }

  /** An item of mqtt_topic_msg_map as it became. */
  sees(item: Row | undefined): void {
    if (item === undefined || item === this.last || item.seq === undefined || item.topic?.S?.includes(NUL)) return
    this.last = item
    this.states.add(stateOf(topicRowOf(item)))
  }

  add({ counts, states }: Reached): void {
    for (const [what, by] of Object.entries(counts)) this.count(what, by)
    for (const state of states) this.states.add(state)
  }

  toJSON(): Reached {
    return { counts: Object.fromEntries(this.counts), states: [...this.states] }
  }
}

/** How full the head is, whether a set is on its way, whether there are segments and spill rows, and who is live how. */
function stateOf(row: TopicRow): string {
  const ids = row.ids.length === 0 ? 'empty' : row.ids.length < HEAD_IDS ? 'some' : 'full'
  const live = [...row.live.values()].map(({ kind, catching, since, at }) => {
    const lease = catching === undefined ? '' : catching.until === 0 ? ' released' : ' leased'
    return `${kind}${lease}${at > since ? ' again' : ''}`
  })
  const segments = row.first < (row.sealing?.seq ?? row.seq)
  return [ids, row.sealing && 'sealing', segments && 'segments', row.spill > 0 && 'spilled', ...live.sort()].filter(Boolean).join(', ')
}
