import { isKeptForMany } from './core/hooks.ts'
import type { Context } from './core/model/ports.ts'
import { HEAD_IDS, type TopicRow } from './core/model/topic-row.ts'
import { millisOfMsgid } from './core/msgid.ts'
import { inTurnOf } from './core/promises.ts'
import { dropIds } from './core/queue/acknowledge.ts'
import type { Queued, Stored } from './core/queue/push.ts'
import { requestQueued } from './core/queue/request-delivery.ts'
import { type Publishes, storing } from './core/queue/store-batch.ts'
import { settleInPassing } from './core/subscriptions/settle.ts'

/** The SDK has 50 sockets, and a request that waits for one longer than the connection timeout fails. */
const REQUESTS_AT_ONCE = 50

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
