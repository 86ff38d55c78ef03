/** With all calm: who is shown as connected, what the last subscribers still get, and whether everything is accounted for. */
import { type Account, accountFor, presenceViolations, retainedViolations, undrainedViolations, type Violation } from './accounting.ts'
import type { Role } from './cast.ts'
import { copiesOf } from './copies.ts'
import type { Play } from './play.ts'
import { SoakClient } from './soak-client.ts'

/** Topics of one last subscriber: IoT Core gives a client 100 messages a second. */
const TOPICS_OF_LAST = 10

/** Some stay, some say goodbye, some are cut off. */
export async function presenceOf(play: Play): Promise<Violation[]> {
  play.progress.phase('asking who is connected')
  await Promise.all(play.clients.map((client, i) => (i % 3 === 0 ? client.leave() : i % 3 === 1 ? client.end() : undefined)))
  await play.idle()
  const truth = new Map(play.clients.map((client) => [client.role.clientid, client.connected]))
  return presenceViolations({ truth, shown: await play.tables.presence() })
}

/** One for every topic, after all others have left. How many messages waited for them. */
export async function lastSubscribers(play: Play): Promise<number> {
  await Promise.all(play.clients.map((client) => client.leave()))
  await play.idle()
  const waiting = (await play.tables.stored()).length
  play.progress.phase('last subscribers', waiting)
  const { topics } = play.cast
  const groups = Array.from({ length: Math.ceil(topics.length / TOPICS_OF_LAST) }, (_, i) =>
    topics.slice(i * TOPICS_OF_LAST, (i + 1) * TOPICS_OF_LAST),
  )
  const last = groups.map((filters, i) => new SoakClient(play.stage.urls.mqtt, lastRole(i, filters)))
  play.clients.push(...last)
  await Promise.all(last.map((client) => client.connect(play.signal)))
  const got = () => last.reduce((sum, { book }) => sum + book.receipts.size, 0)
  await Promise.all(last.map((client) => client.subscribe()))
  await play.stage.control.idle(play.signal, () => play.progress.at(got()))
  return waiting
}

export async function accountOf(play: Play): Promise<Account & { readonly copiesOwed: number }> {
  play.progress.phase('accounting')
  play.stage.readHistory()
  const { tables, history, published } = play
  const [stored, named, acked, shown] = await Promise.all([tables.stored(), tables.named(), tables.acked(), tables.retained()])
  const members = play.clients.map(({ role, book: { receipts } }) => ({ role, receipts }))
  const { numbers } = history
  const account = accountFor({ published: published.messages, members, stored, named, acked, numbers, deadLetters: history.deadLetters() })
  const kept = new Set(play.cast.keptTopics)
  const readers = play.clients.map(({ role, reads, book: { receipts } }) => ({ role, reads, receipts }))
  const copies = copiesOf(readers, { topics: kept, published: published.messages, began: published.began })
  const queued = stored.filter(({ topic }) => !kept.has(topic))
  const more = [...copies.violations, ...undrainedViolations(queued, named), ...retainedViolations({ truth: published.retained, shown })]
  return { ...account, copiesOwed: copies.owed, violations: [...account.violations, ...more] }
}

const lastRole = (i: number, filters: readonly string[]): Role => ({
  clientid: `soak-last-${i}`,
  kind: 'exact',
  protocol: 5,
  filters,
  operatorFilters: [],
  flaps: false,
})
