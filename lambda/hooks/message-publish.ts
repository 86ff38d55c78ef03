import { lambdaHandler } from '../adapters/function/handler.ts'
import { type Publish, parsePublish } from '../core/events/publish-events.ts'
import { type HookRow, rowsCovering } from '../core/hooks.ts'
import { type Actions, type Delivery, type Hook, performInOrder } from '../core/model/hook.ts'
import { type Message, messageOf, qosOf, type RetainFlag } from '../core/model/message.ts'
import type { Context } from '../core/model/ports.ts'
import { compareMsgids, msgidOf } from '../core/msgid.ts'
import { pushUnqueued } from '../core/queue/push.ts'
import { sharingReads } from '../core/queue/share-reads.ts'
import type { Publishes } from '../core/queue/store-batch.ts'
import { retainFlagOf } from '../core/retained/retain-flag.ts'
import { on_message_publish } from '../on_message_publish.ts'
import { on_message_retain } from '../on_message_retain.ts'
import { on_message_store } from '../on_message_store.ts'
import { on_retain_delete } from '../on_retain_delete.ts'

export const messagePublish: Hook<Publish> = {
  hook: 'message.publish',
  parse: parsePublish,
  msgid: msgidOf,
  async handle(deliveries) {
    const read = await Promise.allSettled(withSharedReads(deliveries).map(readPublish))
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
  },
}

const DONE: PromiseSettledResult<void> = { status: 'fulfilled', value: undefined }

/** One publish, with what its actions need. */
interface Incoming extends Delivery<Publish> {
  readonly message: Message
  readonly flag: RetainFlag
  /** Those whose filter covers the topic. */
  readonly rows: readonly HookRow[]
}

/** `queued`: that the topic's messages, this one among them, are on the queue. */
const ACTIONS: Actions<'message.publish', [publish: Incoming, queued: Promise<void> | undefined]> = {
  // Begun already, for all topics of the batch at once.
  on_message_publish: (publish, queued) => (isQueued(publish) ? queued : undefined),
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

async function readPublish({ event, context }: Delivery<Publish>): Promise<Incoming> {
  const rows = rowsCovering(context.config.rows, event.topic)
  const flag = await retainFlagOf(context.ports, context.config, event, { again: context.invocation.receives > 1 })
  const qos = qosOf(
    event,
    rows.find((row) => row.qos !== undefined),
    flag,
  )
  const message = messageOf(event, { qos, retained: flag.retained, expiredAfter: context.config.expiredAfter })
  return { event, context, message, flag, rows }
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

/** Begins on_message_publish for all topics. A topic's promise tells how it ended; `undefined`: nothing of the topic is for a queue. */
function enqueue(topics: readonly (readonly Incoming[])[]): (Promise<void> | undefined)[] {
  const batches = topics.map((ofTopic) => queuedOf(ofTopic.filter(isQueued)))
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
async function handleTopic(publishes: readonly Incoming[], queued: Promise<void> | undefined): Promise<PromiseSettledResult<void>[]> {
  if (queued !== undefined) await Promise.allSettled([queued])
  return Promise.allSettled(publishes.map((publish) => handlePublish(publish, queued)))
}

async function handlePublish(publish: Incoming, queued: Promise<void> | undefined): Promise<void> {
  const { message, context, rows } = publish
  await performInOrder(ACTIONS, rows, publish, queued)
  if (context.config.serverSubscriptions && !isQueued(publish)) await pushUnqueued(context, message)
}

export const handler = lambdaHandler(messagePublish)
