/** I11: on topics kept for many each subscriber got each message since it began to read there. Pure. */
import { listensTo } from '../../lambda/core/durable-filter.ts'
import type { Violation } from './accounting.ts'
import type { Role } from './cast.ts'
import type { Receipts } from './receipts.ts'

export interface Reader {
  readonly role: Pick<Role, 'clientid'>
  readonly receipts: Receipts
  /** Topic -> when its subscription there began, or began anew after an UNSUBSCRIBE. Milliseconds. */
  readonly reads: ReadonlyMap<string, number>
}

export interface Copies {
  readonly owed: number
  readonly violations: readonly Violation[]
}

interface Kept {
  readonly topics: ReadonlySet<string>
  /** Number -> topic of every publish that its publisher got a PUBACK for, and number -> when it was first tried, in ms. */
  readonly published: ReadonlyMap<number, string>
  readonly began: ReadonlyMap<number, number>
}

export function copiesOf(readers: readonly Reader[], { topics, published, began }: Kept): Copies {
  let owed = 0
  const violations: Violation[] = []
  for (const { role, receipts, reads } of readers) {
    for (const [n, topic] of published) {
      const since = topics.has(topic) ? reads.get(topic) : undefined
      if (since === undefined || began.get(n)! <= since) continue
      owed++
      if (receipts.has(n)) continue
      const what = `message ${n} of ${topic}, which is kept for many, never reached ${role.clientid}, which subscribed before it`
      violations.push({ invariant: 'I11', what, messages: [n], clients: [role.clientid] })
    }
  }
  return { owed, violations }
}

/** The exact topics that a client reads by its own filters and by operator's rows. */
export const topicsRead = (filters: readonly string[]): string[] =>
  filters.map((filter) => listensTo(filter, 'durable/')).filter((topic) => !/[+#]/.test(topic))
