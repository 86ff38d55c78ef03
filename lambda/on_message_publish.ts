import { isKeptForMany } from './core/hooks.ts'
import type { Queued, Stored } from './core/model/delivery-request.ts'
import type { Message } from './core/model/message.ts'
import type { Context } from './core/model/ports.ts'
import { subscriberOf } from './core/model/seat.ts'
import { HEAD_IDS, type TopicRow } from './core/model/topic-row.ts'
import { millisOfMsgid } from './core/msgid.ts'
import { type InTurn, inTurnOf } from './core/promises.ts'
import { dropIds } from './core/queue/acknowledge.ts'
import { requestQueued } from './core/queue/request-delivery.ts'
import { settleInPassing } from './core/subscriptions/settle.ts'
import { coversOf, topicMatches } from './core/topic.ts'

/** The SDK has 50 sockets, and a request that waits for one longer than the connection timeout fails. */
const REQUESTS_AT_ONCE = 50

/** One topic's new messages, oldest first. */
export interface Publishes {
  readonly messages: readonly Message[]
  readonly context: Context
}

/** How far one topic's messages are. */
export interface Enqueuing {
  /** They are stored, and the queue names them. */
  readonly named: Promise<Queued>
  /** Their delivery was requested, too, if there is somebody to whom we deliver. */
  readonly done: Promise<void>
}

/**
 * message.publish, QoS > 0, not (retained and empty): stores the messages, then adds the ids of each topic to its queue in one update, whose
 * answer tells the subscribers. Messages are stored first, so that no id lacks its message. One answer for each topic, in order.
 */
export function on_message_publish(topics: readonly Publishes[]): Enqueuing[] {
  const inTurn = inTurnOf(REQUESTS_AT_ONCE)
  const store = storing(topics, inTurn)
  const named = topics.map(async (one): Promise<Queued> => {
    const stored = await store(one)
    const ids = one.messages.map(({ msgid }) => msgid)
    return { stored, row: await inTurn(() => one.context.ports.topics.add(one.messages[0]!.topic, ids)) }
  })
  const existing = existingOf(topics, named)
  const request = async ({ messages, context }: Publishes, naming: Promise<Queued>) => {
    const queued = await naming
    const repeated = idsOfRepeated(queued)
    if (repeated.length > 0) await forgetAcknowledged(context, queued.row, repeated, await existing())
    await requestQueued(context, queued)
    const { row } = queued
    const sealed = row.ids.length >= HEAD_IDS && (await context.ports.topics.seal(row, lifetimeOf(context, row.topic)))
    await settleInPassing(context, row, millisOfMsgid(messages.at(-1)!.msgid), { sealed })
  }
  return topics.map((one, i) => ({ named: named[i]!, done: request(one, named[i]!) }))
}

/** Of the segments of a topic that is kept for many, in seconds: nobody takes ids off. */
const lifetimeOf = ({ config }: Context, topic: string): number | undefined =>
  isKeptForMany(config, topic) ? config.expiredAfter : undefined

const idsOfRepeated = ({ stored }: { readonly stored: readonly Stored[] }): string[] =>
  stored.filter(({ repeated }) => repeated).map(({ message }) => message.msgid)

/** Which repeated messages of all topics have a row: read once, after the ids of all topics were added. */
function existingOf(topics: readonly Publishes[], named: readonly Promise<Queued>[]): () => Promise<Set<string>> {
  let asked: Promise<Set<string>> | undefined
  const ask = async () => {
    const queued = (await Promise.allSettled(named)).flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    return topics[0]!.context.ports.messages.existing(queued.flatMap(idsOfRepeated))
  }
  return () => (asked ??= ask())
}

/** A repeated event may have added the id of a message that was acknowledged in between: then the id goes too (I5). */
async function forgetAcknowledged(
  { ports, config }: Context,
  row: TopicRow,
  repeated: readonly string[],
  existing: Set<string>,
): Promise<void> {
  if (isKeptForMany(config, row.topic)) return
  const gone = repeated.filter((id) => !existing.has(id))
  await dropIds(ports, row.topic, new Map(gone.map((id) => [id, new Set([row.seq])])))
}

/**
 * Starts to store the messages of all topics. The function that is returned resolves when one topic's messages are stored. Many messages
 * share a few requests, which fail as a whole and do not tell whether a row was there before. A message is stored by itself
 * - in a small batch: since its row is known to be new, nothing is read later, which saves a read unit;
 * - when SQS hands out its event again: what makes a shared request fail then fails one event only;
 * - when a server-side wildcard subscriber will get it: who acknowledges it must know whether a long queue has its id already.
 */
function storing(topics: readonly Publishes[], inTurn: InTurn): (one: Publishes) => Promise<Stored[]> {
  const together = storeTogether(topics)
  return async ({ messages, context }) => {
    const written = await together
    return Promise.all(
      messages.map(async (message) => {
        const result = written.get(message.msgid)
        if (result === undefined) return { message, repeated: await inTurn(() => context.ports.messages.put(message)) }
        if (result.status === 'rejected') throw result.reason
        return { message, repeated: true }
      }),
    )
  }
}

/** Msgid -> how its write ended. */
async function storeTogether(topics: readonly Publishes[]): Promise<Map<string, PromiseSettledResult<void>>> {
  const first = topics.filter(({ context }) => context.invocation.receives === 1)
  if (first[0] === undefined) return new Map()
  const { ports, config } = first[0].context
  const { putAllFrom } = ports.messages
  if (countOf(first) < putAllFrom) return new Map()
  const covers = config.serverSubscriptions
    ? await ports.topics.heads([...new Set(first.flatMap(({ messages }) => coversOf(messages[0]!.topic)))])
    : []
  const some = first.filter(({ messages }) => !covers.some((row) => mayPush(row, messages[0]!.topic)))
  if (countOf(some) < putAllFrom) return new Map()
  const messages = some.flatMap((one) => one.messages)
  const results = await ports.messages.putAll(messages)
  return new Map(messages.map(({ msgid }, i) => [msgid, results[i]!]))
}

const countOf = (topics: readonly Publishes[]): number => topics.reduce((sum, { messages }) => sum + messages.length, 0)

/** Whether a seat of the covering row may get the topic's messages. Spill rows are not read for this. */
const mayPush = (row: TopicRow, topic: string): boolean =>
  row.spill > 0 ||
  [...row.live].some(([entry, { kind }]) => kind === 'server' && topicMatches(subscriberOf({ topic: row.topic, entry }).filter, topic))
