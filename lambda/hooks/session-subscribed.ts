import { sqsDeliveries } from '../adapters/function/delivery-queue.ts'
import { lambdaHandler } from '../adapters/function/handler.ts'
import { durableFilter, listensTo } from '../core/durable-filter.ts'
import type { SubscriptionChange } from '../core/events/lifecycle-events.ts'
import { type HookConfig, type HookRow, isKeptForMany, rowsCovering } from '../core/hooks.ts'
import type { DeliveryRequest } from '../core/model/delivery-request.ts'
import { type Actions, eachEvent, type Hook, perform } from '../core/model/hook.ts'
import { parseSubscribedOrRequest } from '../core/model/parse-delivery-request.ts'
import type { Context } from '../core/model/ports.ts'
import type { Seat } from '../core/model/seat.ts'
import { allDone } from '../core/promises.ts'
import { beginPosition } from '../core/queue/begin-position.ts'
import { dispatch } from '../core/queue/dispatch-queue.ts'
import { alsoDelivering } from '../core/queue/requested-deliveries.ts'
import { sendRetained } from '../core/retained/send-retained.ts'
import { beginSubscription, type Subscribing } from '../core/subscriptions/begin.ts'
import { beginDurable, type Joining } from '../core/subscriptions/durable.ts'
import { askAgain } from '../core/subscriptions/granted.ts'
import { settleOthers } from '../core/subscriptions/settle.ts'
import { hasWildcard, parseSubscription } from '../core/topic.ts'
import { on_message_fetch_for_pubsub } from '../on_message_fetch_for_pubsub.ts'
import { on_message_fetch_for_queue } from '../on_message_fetch_for_queue.ts'
import { on_retain_lookup } from '../on_retain_lookup.ts'

const ACTIONS: Actions<'session.subscribed', [readonly Subscribing[], HookRow, Context]> = {
  on_message_fetch_for_queue: (subscribing, row, context) => subscribing[0] && on_message_fetch_for_queue(subscribing[0], row, context),
  on_message_fetch_for_pubsub: ([subscribing], _row, context) =>
    subscribing && on_message_fetch_for_pubsub(subscribing.event, subscribing.seated, context),
  on_retain_lookup,
}

export const sessionSubscribed: Hook<SubscriptionChange | DeliveryRequest> = alsoDelivering<SubscriptionChange>({
  hook: 'session.subscribed',
  parse: parseSubscribedOrRequest,
  handle: eachEvent(async (event, context) => {
    const { durablePrefix } = context.config
    const isDurable = (filter: string) => durableFilter(filter, durablePrefix) !== undefined
    const beginning = byTopic(event.topics.filter((filter) => !isDurable(filter))).map((filters) => begin(event, filters, context))
    await allDone([
      ...beginning.map(async (one) => runActions(await one, context)),
      lookUpWildcards(beginning, context),
      ...byTopic(event.topics.filter(isDurable)).map((filters) => subscribedDurably(event, filters, context)),
    ])
    const begun = await Promise.all(beginning)
    await askAgain(
      event,
      begun.flatMap((one) => one?.unknown ?? []),
      context,
    )
  }),
})

const DURABLE_ACTIONS: Actions<'session.subscribed', [Joining, Context]> = {
  on_message_fetch_for_queue: async ({ event: { at }, filter: topic, seated }, context) => {
    if (seated === undefined) return
    await settleOthers(context, seated, at)
    await dispatch(context, { topic, at, joins: true })
  },
  on_message_fetch_for_pubsub: ({ event, seated }, context) => on_message_fetch_for_pubsub(event, seated, context),
  on_retain_lookup: ({ event: { clientid }, filter, sent }, context) => {
    const { filter: durable, share } = parseSubscription(sent)
    const prefix = durable.slice(0, durable.length - filter.length)
    return share === undefined ? sendRetained({ clientid, filters: [filter], as: 'durable', prefix }, context) : undefined
  },
}

/** The same for durable subscriptions to one topic, as `durable/t` and `$share/g/durable/t` are: they are one consumer of its queue. */
async function subscribedDurably(event: SubscriptionChange, filters: readonly string[], context: Context): Promise<void> {
  const topic = listensTo(filters[0]!, context.config.durablePrefix)
  const rows = rowsFor(context.config, topic)
  await beginReading(event, { topic, filters }, context)
  let joining: Joining | undefined
  for (const filter of filters) joining = (await beginDurable(event, filter, rows[0]?.qos ?? 1, context)) ?? joining
  if (joining === undefined) return
  const last = joining
  await allDone(rows.map((row) => perform(DURABLE_ACTIONS, row.action, last, context)))
}

/** Filters of one topic, `$share/g/t` before `t`: its queue comes once. */
function byTopic(filters: readonly string[]): string[][] {
  const topicsOf = new Map<string, string[]>()
  for (const filter of filters) {
    const { filter: topics, share } = parseSubscription(filter)
    const others = topicsOf.get(topics) ?? []
    topicsOf.set(topics, share === undefined ? [...others, filter] : [filter, ...others])
  }
  return [...topicsOf.values()]
}

interface Begun {
  readonly subscribing: Subscribing
  /** The rows that cover the filter, one of an action. */
  readonly rows: readonly HookRow[]
  /** Seats of which IoT Core did not tell the QoS. */
  readonly unknown: readonly Seat[]
}

/** Records the subscriptions to the filters of a seat. `undefined`: the event is stale, and leaves no trace. */
async function begin(event: SubscriptionChange, filters: readonly string[], context: Context): Promise<Begun | undefined> {
  const topic = parseSubscription(filters[0]!).filter
  const rows = rowsFor(context.config, topic)
  await beginReading(event, { topic, filters }, context)
  const begun: Subscribing[] = []
  for (const filter of filters) {
    const one = await beginSubscription(event, filter, rows, { ...context, alone: filters.length === 1 })
    if (one !== undefined) begun.push(one)
  }
  const last = begun.at(-1)
  // Once, for the last one: retained messages are for the filter that is not shared.
  return last && { subscribing: last, rows, unknown: begun.flatMap(({ unknown }) => unknown ?? []) }
}

/** Runs the actions whose rows cover the filter. */
async function runActions(begun: Begun | undefined, context: Context): Promise<void> {
  if (begun === undefined) return
  const rows = begun.rows.filter((row) => !isShared(begun, row))
  await allDone(rows.map((row) => perform(ACTIONS, row.action, [begun.subscribing], row, context)))
}

/** The wildcard filters of a SUBSCRIBE share one look at the retained messages. */
async function lookUpWildcards(beginning: readonly Promise<Begun | undefined>[], context: Context): Promise<void> {
  const all = (await Promise.allSettled(beginning)).flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []))
  const some = all.flatMap((begun) => begun.rows.filter((row) => isShared(begun, row)).map((row) => ({ ...begun, row })))
  const first = some[0]
  if (first === undefined) return
  const subscribing = some.map((one) => one.subscribing)
  await perform(ACTIONS, first.row.action, subscribing, first.row, context)
}

const isShared = ({ subscribing }: Begun, { action }: HookRow): boolean =>
  action === 'on_retain_lookup' && hasWildcard(parseSubscription(subscribing.filter).filter)

/** On a topic kept for many the client's read position stands before anybody delivers to it. */
async function beginReading(
  event: SubscriptionChange,
  { topic, filters }: { readonly topic: string; readonly filters: readonly string[] },
  context: Context,
): Promise<void> {
  if (hasWildcard(topic) || !isKeptForMany(context.config, topic)) return
  await beginPosition(context, { topic, clientid: event.clientid, at: event.at, filters })
}

/** A topic that is kept for many is no queue. */
const rowsFor = ({ rows, subscribed }: HookConfig, topic: string): HookRow[] =>
  firstOfEachAction(rowsCovering(rows, topic)).filter(
    ({ action }) => action !== 'on_message_fetch_for_queue' || !isKeptForMany({ subscribed }, topic),
  )

/** Several rows of an action may cover a filter, but it is one subscription: the first row in the conf counts. */
const firstOfEachAction = (rows: readonly HookRow[]): HookRow[] =>
  rows.filter((row, i) => rows.findIndex(({ action }) => action === row.action) === i)

export const handler = lambdaHandler(sessionSubscribed, sqsDeliveries)
