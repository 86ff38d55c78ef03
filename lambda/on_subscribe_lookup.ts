import { durableFilter } from './core/durable-filter.ts'
import type { Connected } from './core/events/lifecycle-events.ts'
import { fetchRow, type HookConfig, type HookRow, isKeptForMany, retainRow } from './core/hooks.ts'
import type { Context } from './core/model/ports.ts'
import { connectionIsOver } from './core/model/presence.ts'
import { bySeat, type Seated, type Subscription, seatOf, spillOf } from './core/model/seat.ts'
import type { Live } from './core/model/topic-row.ts'
import { allDone } from './core/promises.ts'
import { beginPosition } from './core/queue/begin-position.ts'
import { fetchQueue } from './core/queue/drain.ts'
import { sendRetained } from './core/retained/send-retained.ts'
import { hasUnsubscribed } from './core/subscriptions/begin.ts'
import { filterFault, hasWildcard, parseSubscription } from './core/topic.ts'

/**
 * client.connected or session.created: subscribes the client to the filters of its operator's rows. IoT Core has no server-side subscribe:
 * the client takes seats here, publishes are sent to it, and it gets queued and retained messages as after a SUBSCRIBE.
 */
export async function on_subscribe_lookup(event: Connected, context: Context): Promise<void> {
  const { subscriptions, clients } = context.ports
  const operators = (await subscriptions.of(event.clientid)).filter(({ origin }) => origin === 'operator')
  // Rows such as `t` and `$share/g/t` share a seat: what is queued comes once.
  const rows = bySeat(operators.filter((row) => isUsable(row, context)))
  if (rows.length === 0) return
  await Promise.all(rows.map((ofSeat) => beginReading(event, ofSeat, context)))
  const seated = await Promise.all(rows.map((ofSeat) => goLive(event, ofSeat, context)))
  const over = connectionIsOver(await clients.presence(event.clientid), event)
  await allDone(rows.map((ofSeat, i) => (over ? leave : follow)(event, ofSeat, seated[i], context)))
}

/** A row that can never match, or whose QoS is none, is passed over with a log line. */
function isUsable({ clientid, topic, qos }: Subscription, { ignored, config }: Context): boolean {
  const isDurable = durableFilter(topic, config.durablePrefix) !== undefined
  const below = isDurable ? `it is below "${config.durablePrefix}", to which clients subscribe themselves` : undefined
  const fault = filterFault(topic) ?? below ?? ([0, 1, 2].includes(qos) ? undefined : `its QoS is ${qos}, wanted 0, 1 or 2`)
  if (fault !== undefined) ignored({ code: 'bad-operator-row', clientid, topic, why: fault })
  return fault === undefined
}

/** The operator's rows of one seat; never empty. */
type RowsOfSeat = readonly Subscription[]

/** On a topic kept for many each client of an operator's row has a read position, which stands before anybody delivers to it. */
async function beginReading(event: Connected, rows: RowsOfSeat, context: Context): Promise<void> {
  const { filter: topic } = parseSubscription(rows[0]!.topic)
  if (hasWildcard(topic) || !isKeptForMany(context.config, topic)) return
  await beginPosition(context, { topic, clientid: event.clientid, at: event.at, filters: rows.map((row) => row.topic) })
}

async function leave(event: Connected, [row]: RowsOfSeat, seated: Seated | undefined, { ports }: Context): Promise<void> {
  const { topic, entry } = seatOf(row!)
  await ports.topics.endLive(topic, { ...row!, ...spillOf(seated) }, entry, { session: event.session, until: event.at })
}

function goLive(event: Connected, rows: RowsOfSeat, { ports, config, invocation }: Context): Promise<Seated | undefined> {
  const [row] = rows
  const { topic, entry } = seatOf(row!)
  const live: Live = { kind: 'server', session: event.session, since: event.at, at: event.at }
  const drains = !hasWildcard(topic) && fetches(rows, topic, config) !== undefined
  return ports.topics.goLive(topic, row!, entry, drains ? { ...live, catching: { by: invocation.id, until: invocation.deadline } } : live)
}

/** As in EMQX, a subscription of QoS 0 gets nothing that was queued. */
const fetches = (rows: RowsOfSeat, topic: string, config: HookConfig): HookRow | undefined =>
  rows.every(({ qos }) => qos === 0) ? undefined : fetchRow(config, topic)

/** Delivers the topic's queue and its retained messages. Nothing where the client subscribed itself: its own event brings them. */
async function follow(event: Connected, rows: RowsOfSeat, seated: Seated | undefined, context: Context): Promise<void> {
  if (seated === undefined || seated.seat.live.kind === 'client') return
  // The client has unsubscribed since: a repeated event does not subscribe it again (I4).
  const ended = await Promise.all(rows.map(({ topic }) => hasUnsubscribed(context.ports, event, topic)))
  if (ended.some(Boolean)) return leave(event, rows, seated, context)
  if (await hasOwnSeat(event, rows, seated, context)) return void (await context.ports.topics.endServer(seated.seat))
  const { filter } = parseSubscription(rows[0]!.topic)
  const { clientid, at } = event
  const fetch = hasWildcard(filter) ? undefined : fetches(rows, filter, context.config)
  // Retained messages are for a filter that is not shared.
  const retained = rows.some(({ topic }) => topic === filter) && retainRow(context.config, filter) !== undefined
  await allDone([
    fetch && fetchQueue(context, seated, { clientid, row: fetch, at, justArrived: true }),
    retained && sendRetained({ clientid, filters: [filter], as: 'server' }, context),
  ])
}

/** Whether the client has subscribed to one of the rows' filters itself, where that is a seat of its own: `$share/g/t`. */
async function hasOwnSeat(event: Connected, rows: RowsOfSeat, { row }: Seated, { ports }: Context): Promise<boolean> {
  const shared = rows.filter(({ topic }) => parseSubscription(topic).share !== undefined)
  if (shared.length === 0) return false
  const own = shared.map((one) => seatOf({ ...one, origin: 'client' }).entry)
  const seats = await ports.topics.seats(row, { headOnly: false })
  return seats.some(({ entry, live }) => own.includes(entry) && live.kind === 'client' && live.session === event.session)
}
