import { lambdaHandler } from '../adapters/function/handler.ts'
import { type Publish, parsePublish } from '../core/events/events.ts'
import type { ActionName, HookRow } from '../core/hooks.ts'
import { type Delivery, type Hook, working } from '../core/model/hook.ts'
import { type Message, messageOf, qosOf, type Retention } from '../core/model/message.ts'
import type { Context } from '../core/model/ports.ts'
import { compareMsgids, msgidOf } from '../core/msgid.ts'
import { pushUnqueued } from '../core/queue/push.ts'
import { sharingReads } from '../core/queue/share-reads.ts'
import type { Publishes } from '../core/queue/store-batch.ts'
import { retentionOf } from '../core/retained/retain-flag.ts'
import { topicMatches } from '../core/topic.ts'
import { on_message_publish } from '../on_message_publish.ts'
import { on_message_retain } from '../on_message_retain.ts'
import { on_message_store } from '../on_message_store.ts'
import { on_retain_delete } from '../on_retain_delete.ts'

export const messagePublish: Hook<Publish> = {
  hook: 'message.publish',
  parse: parsePublish,
  msgid: msgidOf,
  async handle(deliveries) {
    const read = await Promise.allSettled(sharing(deliveries).map(incoming))
    const arrived = read.flatMap((result, i) => (result.status === 'fulfilled' ? [{ ...result.value, i }] : []))
    const results: PromiseSettledResult<void>[] = read.map((result) => (result.status === 'fulfilled' ? DONE : result))
    const topics = [...byTopic(arrived)]
    const queued = queueing(topics)
    await Promise.all(
      topics.map(async (some, at) => {
        const done = await together(some, queued[at])
        some.forEach(({ i }, n) => {
          results[i] = done[n] ?? DONE
        })
      }),
    )
    return results
  },
}

const DONE: PromiseSettledResult<void> = { status: 'fulfilled', value: undefined }

function sharing(deliveries: readonly Delivery<Publish>[]): Delivery<Publish>[] {
  const ports =
    deliveries[0] &&
    sharingReads(
      deliveries[0].context.ports,
      deliveries.map(({ event }) => event.topic),
    )
  return deliveries.map(({ event, context }) => ({ event, context: { ...context, ports: ports ?? context.ports } }))
}

interface Incoming extends Delivery<Publish> {
  readonly message: Message
  readonly retention: Retention
  /** Which actions' rows cover the topic. */
  readonly does: (action: ActionName) => boolean
}

async function incoming({ event, context }: Delivery<Publish>): Promise<Incoming> {
  const rows = context.config.rows.filter(({ topic }) => topicMatches(topic ?? '#', event.topic))
  const retention = await retentionOf(context.ports, context.config, event, { again: context.invocation.receives > 1 })
  const qos = qosOf(
    event,
    rows.find((row: HookRow) => row.qos !== undefined),
    retention,
  )
  const message = messageOf(event, { qos, retained: retention.retained, expiredAfter: context.config.expiredAfter })
  return { event, context, message, retention, does: (action) => rows.some((row) => row.action === action) }
}

/** One topic's publishes of a batch, oldest first. */
function byTopic<T extends Incoming>(all: readonly T[]): Iterable<T[]> {
  const topics = new Map<string, T[]>()
  for (const one of all) topics.set(one.message.topic, [...(topics.get(one.message.topic) ?? []), one])
  for (const some of topics.values()) some.sort((a, b) => compareMsgids(a.message.msgid, b.message.msgid))
  return topics.values()
}

const isQueued = ({ does, message, retention }: Incoming): boolean => does('on_message_publish') && message.qos > 0 && !retention.cleared

/** The queued messages of each topic on their way; `undefined` where a topic has none. */
function queueing(topics: readonly (readonly Incoming[])[]): (Promise<void> | undefined)[] {
  const batches = topics.map((some) => publishesOf(some.filter(isQueued)))
  const begun = on_message_publish(batches.filter((one) => one !== undefined))[Symbol.iterator]()
  return batches.map((one) => one && working('on_message_publish', begun.next().value!))
}

function publishesOf(queued: readonly Incoming[]): Publishes | undefined {
  // SQS may hand out an event twice in one batch.
  const messages = new Map(queued.map(({ message }) => [message.msgid, message]))
  return queued[0] && { messages: [...messages.values()], context: asOne(queued[0].context, queued) }
}

/** The actions in their order. The queued messages of the topic share one update of its row, and its fate. */
async function together(some: readonly Incoming[], queued: Promise<void> | undefined): Promise<PromiseSettledResult<void>[]> {
  const published = queued && (await Promise.allSettled([queued]))[0]
  return Promise.allSettled(
    some.map(async (one) => {
      if (published?.status === 'rejected' && isQueued(one)) throw published.reason
      await alone(one)
    }),
  )
}

/** They are handled in one, also when they are tried again in other company: each knows what any of them had begun. */
const asOne = (context: Context, all: readonly Incoming[]): Context => ({
  ...context,
  invocation: {
    ...context.invocation,
    receives: Math.max(...all.map((one) => one.context.invocation.receives)),
    batch: all.map((one) => one.context.invocation.id),
  },
})

async function alone(one: Incoming): Promise<void> {
  const { message, context, retention, does } = one
  if (does('on_message_store') && !retention.cleared && !isQueued(one))
    await working('on_message_store', on_message_store(message, context))
  if (does('on_message_retain') && retention.retained && !retention.cleared)
    await working('on_message_retain', on_message_retain(message, context))
  const certain = retention.cleared || retention.wasCleared === true
  if (does('on_retain_delete') && (certain || retention.mayHaveCleared))
    await working('on_retain_delete', on_retain_delete(message, { certain, knew: retention.knew }, context))
  if (context.config.serverSubscriptions && !isQueued(one)) await pushUnqueued(context, message)
}

export const handler = lambdaHandler(messagePublish)
