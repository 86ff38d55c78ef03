import { lambdaHandler } from '../adapters/lambda.ts'
import { sharingReads } from '../core/batch-reads.ts'
import { type Publish, parsePublish } from '../core/events.ts'
import { type Delivery, type Hook, working } from '../core/hook-entry.ts'
import type { ActionName, HookRow } from '../core/hooks.ts'
import { type Message, messageOf, qosOf, type Retention } from '../core/message.ts'
import { compareMsgids, msgidOf } from '../core/msgid.ts'
import type { Context } from '../core/ports.ts'
import { pushUnqueued } from '../core/push.ts'
import { retentionOf } from '../core/retention.ts'
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
    await Promise.all(
      [...byTopic(arrived)].map(async (some) => {
        const done = await together(some)
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

/** The actions in their order. The queued messages of the topic share one update of its row, and its fate. */
async function together(some: readonly Incoming[]): Promise<PromiseSettledResult<void>[]> {
  const queued = some.filter(isQueued)
  const context = queued[0] && asOne(queued[0].context, queued)
  // SQS may hand out an event twice in one batch.
  const messages = new Map(queued.map(({ message }) => [message.msgid, message]))
  const published =
    context && (await Promise.allSettled([working('on_message_publish', on_message_publish([...messages.values()], context))]))[0]
  return Promise.allSettled(
    some.map(async (one) => {
      if (published?.status === 'rejected' && queued.includes(one)) throw published.reason
      await alone(one)
    }),
  )
}

/** They are handled in one, also when they are tried again in other company: each knows what any of them had begun. */
const asOne = (context: Context, all: readonly Incoming[]): Context => ({
  ...context,
  invocation: { ...context.invocation, batch: all.map((one) => one.context.invocation.id) },
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
