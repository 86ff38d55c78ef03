import { sqsDeliveries } from '../adapters/function/delivery-queue.ts'
import { lambdaHandler } from '../adapters/function/handler.ts'
import { type Publish, parsePublish } from '../core/events/publish-events.ts'
import { type HookRow, rowsCovering } from '../core/hooks.ts'
import { type Actions, type Delivery, type Hook, performInOrder } from '../core/model/hook.ts'
import { type Message, messageOf, NOT_RETAINED, propertyFaults, qosOf, type RetainFlag } from '../core/model/message.ts'
import type { Context } from '../core/model/ports.ts'
import { compareMsgids, msgidOf } from '../core/msgid.ts'
import { allDone } from '../core/promises.ts'
import { takeOffQueue } from '../core/queue/acknowledge.ts'
import { requestUnqueued } from '../core/queue/request-delivery.ts'
import { sharingReads } from '../core/queue/share-reads.ts'
import { isAskedBefore, isAskedBeside, retainFlagOf } from '../core/retained/retain-flag.ts'
import { type Enqueuing, on_message_publish, type Publishes } from '../on_message_publish.ts'
import { on_message_retain } from '../on_message_retain.ts'
import { on_message_store } from '../on_message_store.ts'
import { on_retain_delete } from '../on_retain_delete.ts'

export const messagePublish: Hook<Publish> = {
  hook: 'message.publish',
  parse: parsePublish,
  msgid: msgidOf,
  async handle(deliveries) {
    const shared = withSharedReads(deliveries)
    const awaiting = awaitingCheck(shared)
    awaiting.catch(() => {})
    const places = shared.map((delivery, place) => ({ delivery, place }))
    // Those that something is read for before they are stored do not keep the other topics waiting.
    const slow = new Set(shared.flatMap((delivery) => (isReadFor(delivery) ? [delivery.event.topic] : [])))
    const results: PromiseSettledResult<void>[] = shared.map(() => DONE)
    const handleSome = async (some: typeof places) => {
      const handled = await handleTogether(some.map(({ delivery }) => readPublish(delivery, awaiting)))
      for (const [i, { place }] of some.entries()) results[place] = handled[i]!
    }
    await Promise.all([
      handleSome(places.filter(({ delivery }) => !slow.has(delivery.event.topic))),
      handleSome(places.filter(({ delivery }) => slow.has(delivery.event.topic))),
    ])
    return results
  },
}

/** Publishes whose topics are stored together, as far as their requests go. */
async function handleTogether(reading: readonly Promise<Incoming>[]): Promise<PromiseSettledResult<void>[]> {
  const read = await Promise.allSettled(reading)
  const publishes = read.flatMap((result, place) => (result.status === 'fulfilled' ? [{ ...result.value, place }] : []))
  const results: PromiseSettledResult<void>[] = read.map((result) => (result.status === 'fulfilled' ? DONE : result))
  const topics = [...byTopic(publishes)]
  const queued = enqueue(topics)
  await Promise.all(
    topics.map(async (ofTopic, i) => {
      const handled = await handleTopic(ofTopic, queued[i])
      ofTopic.forEach(({ place }, n) => {
        results[place] = handled[n] ?? DONE
      })
    }),
  )
  return results
}

const DONE: PromiseSettledResult<void> = { status: 'fulfilled', value: undefined }

/** One publish, with what its actions need. */
interface Incoming extends Delivery<Publish> {
  readonly message: Message
  /** As long as `checked` is open, the publish is taken for not retained. */
  readonly flag: RetainFlag
  /** What IoT Core answers, which is asked beside. Absent: `flag` is true already. */
  readonly checked?: Promise<RetainFlag> | undefined
  /** An earlier try stored and delivered the message: only its check is left. */
  readonly stored: boolean
  /** Those whose filter covers the topic. */
  readonly rows: readonly HookRow[]
}

/** `queued`: how far the topic's messages, this one among them, are on their way to the queue. */
const ACTIONS: Actions<'message.publish', [publish: Incoming, queued: Enqueuing | undefined]> = {
  // Begun already, for all topics of the batch at once.
  on_message_publish: (publish, queued) => (isQueued(publish) ? queued?.done : undefined),
  // A message on a queue is stored by on_message_publish.
  on_message_store: (publish) => {
    const { message, flag, context } = publish
    return flag.cleared || isQueued(publish) ? undefined : on_message_store(message, context)
  },
  on_message_retain: ({ message, flag, context }) => (flag.retained && !flag.cleared ? on_message_retain(message, context) : undefined),
  on_retain_delete: ({ message, flag, context }) => {
    const certain = flag.cleared || flag.wasCleared === true
    return certain || flag.mayHaveCleared ? on_retain_delete(message, { certain, inferredFrom: flag.inferredFrom }, context) : undefined
  },
}

function withSharedReads(deliveries: readonly Delivery<Publish>[]): Delivery<Publish>[] {
  if (deliveries[0] === undefined) return []
  const ports = sharingReads(
    deliveries[0].context.ports,
    deliveries.map(({ event }) => event.topic),
  )
  return deliveries.map(({ event, context }) => ({ event, context: { ...context, ports } }))
}

const isReadFor = (delivery: Delivery<Publish>): boolean => isAskedBefore(delivery.context.config, delivery.event) || mayAwait(delivery)

/** A publish that is tried again: an earlier try may have left nothing but its check. */
const mayAwait = ({ event, context }: Delivery<Publish>): boolean => context.invocation.receives > 1 && isAskedBeside(context.config, event)

/** Ids of the messages of which an earlier try left the check only. */
async function awaitingCheck(deliveries: readonly Delivery<Publish>[]): Promise<Set<string>> {
  const again = deliveries.filter(mayAwait)
  if (again[0] === undefined) return new Set()
  return again[0].context.ports.retained.awaitingCheck(again.map(({ event }) => ({ topic: event.topic, msgid: msgidOf(event) })))
}

async function readPublish(delivery: Delivery<Publish>, awaiting: Promise<ReadonlySet<string>>): Promise<Incoming> {
  const { event, context } = delivery
  for (const why of propertyFaults(event)) context.ignored({ code: 'bad-property', clientid: event.sender, topic: event.topic, why })
  const rows = rowsCovering(context.config.rows, event.topic)
  const asked = retainFlagOf(context.ports, context.config, event, { again: context.invocation.receives > 1 })
  const checked = isAskedBeside(context.config, event) ? asked : undefined
  checked?.catch(() => {})
  const flag = checked === undefined ? await asked : NOT_RETAINED
  const stored = mayAwait(delivery) && (await awaiting).has(msgidOf(event))
  return withFlag({ event, context, rows, checked, stored }, flag)
}

function withFlag(publish: Omit<Incoming, 'message' | 'flag'>, flag: RetainFlag): Incoming {
  const { event, context, rows } = publish
  const qos = qosOf(
    event,
    rows.find((row) => row.qos !== undefined),
    flag,
  )
  const message = messageOf(event, { qos, retained: flag.retained, expiredAfter: context.config.expiredAfter })
  return { ...publish, message, flag }
}

/** The publishes of each topic, oldest first. */
function byTopic<T extends Incoming>(publishes: readonly T[]): Iterable<T[]> {
  const topics = new Map<string, T[]>()
  for (const publish of publishes) topics.set(publish.message.topic, [...(topics.get(publish.message.topic) ?? []), publish])
  for (const ofTopic of topics.values()) ofTopic.sort((a, b) => compareMsgids(a.message.msgid, b.message.msgid))
  return topics.values()
}

const isQueued = ({ rows, message, flag }: Incoming): boolean =>
  message.qos > 0 && !flag.cleared && rows.some(({ action }) => action === 'on_message_publish')

/** Begins on_message_publish for all topics. `undefined`: nothing of the topic is for a queue. */
function enqueue(topics: readonly (readonly Incoming[])[]): (Enqueuing | undefined)[] {
  const batches = topics.map((ofTopic) => queuedOf(ofTopic.filter((publish) => isQueued(publish) && !publish.stored)))
  const begun = on_message_publish(batches.filter((batch) => batch !== undefined))[Symbol.iterator]()
  return batches.map((batch) => batch && begun.next().value!)
}

function queuedOf(publishes: readonly Incoming[]): Publishes | undefined {
  // SQS may hand out an event twice in one batch.
  const messages = new Map(publishes.map(({ message }) => [message.msgid, message]))
  return publishes[0] && { messages: [...messages.values()], context: contextOf(publishes) }
}

/**
 * One context for publishes that are handled as one: if any of them was begun before, all may have been. A retried event may come back
 * in another batch, so the context names all of this one.
 */
function contextOf(publishes: readonly Incoming[]): Context {
  const { context } = publishes[0]!
  const invocations = publishes.map((publish) => publish.context.invocation)
  const receives = Math.max(...invocations.map((invocation) => invocation.receives))
  return { ...context, invocation: { ...context.invocation, receives, batch: invocations.map(({ id }) => id) } }
}

/** The queued messages of a topic share one update of its row: it holds for all of them or for none. The other actions follow it. */
async function handleTopic(publishes: readonly Incoming[], queued: Enqueuing | undefined): Promise<PromiseSettledResult<void>[]> {
  queued?.named.catch(() => {})
  return Promise.allSettled(publishes.map((publish) => handlePublish(publish, queued)))
}

async function handlePublish(publish: Incoming, queued: Enqueuing | undefined): Promise<void> {
  if (publish.checked === undefined) return store(publish, queued)
  const [stored, followed] = await Promise.allSettled([
    publish.stored ? undefined : store(publish, queued),
    followCheck(publish, publish.checked, publish.stored ? undefined : queued),
  ])
  // The next try does the check only: the message may be acknowledged by then, and would come back.
  if (stored.status === 'fulfilled' && followed.status === 'rejected' && !publish.stored)
    await publish.context.ports.retained.awaitCheck(publish.message)
  for (const result of [stored, followed]) if (result.status === 'rejected') throw result.reason
}

async function store(publish: Incoming, queued: Enqueuing | undefined): Promise<void> {
  const { message, context, rows } = publish
  if (queued !== undefined) await Promise.allSettled([queued.done])
  await performInOrder(ACTIONS, rows, publish, queued)
  if (!isQueued(publish)) await requestUnqueued(context, message)
}

/** What depends on IoT Core's answer: the topic's retained message, and what the stored message says of itself. */
async function followCheck(publish: Incoming, checked: Promise<RetainFlag>, queued: Enqueuing | undefined): Promise<void> {
  const flag = await checked
  const known = withFlag(publish, flag)
  const { message, context, rows } = known
  await allDone([performInOrder(ACTIONS, rows.filter(isOfRetained), known, undefined), flag.retained && setRight(publish, known, queued)])

  async function setRight(before: Incoming, after: Incoming, queued: Enqueuing | undefined): Promise<void> {
    if (isQueued(before) && !isQueued(after)) return takeOffQueue(message, await queued?.named, context)
    if (!isQueued(before) && isQueued(after)) return on_message_publish([{ messages: [message], context }])[0]!.done
    if (isQueued(before)) await queued?.named
    if (isQueued(before) || rows.some(({ action }) => action === 'on_message_store')) await context.ports.messages.correct(message)
  }
}

const isOfRetained = ({ action }: HookRow): boolean => action === 'on_message_retain' || action === 'on_retain_delete'

export const handler = lambdaHandler(messagePublish, sqsDeliveries)
