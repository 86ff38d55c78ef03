import { listensTo } from './core/durable-filter.ts'
import { BackendError } from './core/errors.ts'
import type { Ack, AckEvent } from './core/events/ack-events.ts'
import { isKeptForMany } from './core/hooks.ts'
import { UNFINISHED_CODE } from './core/metrics.ts'
import type { Context } from './core/model/ports.ts'
import { addHomes, type TopicRow } from './core/model/topic-row.ts'
import { millisOfMsgid } from './core/msgid.ts'
import { allDone, inTurnOf } from './core/promises.ts'
import { faultOf, refuseFaulty } from './core/queue/ack-faults.ts'
import { acknowledge } from './core/queue/acknowledge.ts'
import { findPending } from './core/queue/pending.ts'

/** An invocation first stores a message, then adds its id to the queue: both within this time. Milliseconds. */
const QUEUEING = 120_000
/** Topics of one event whose queues are read at the same time: the other events of the batch need sockets too. */
const TOPICS_AT_ONCE = 10

/**
 * message.acked, from the ack topic: removes the messages from their topics' queues, for everybody. (A PUBACK of a direct message does the
 * same in the handler that sent it.) Only a subscriber of a message's topic may acknowledge it. Right acks are done although others are refused.
 */
export async function on_message_acked_for_queue({ clientid, at, acks: all }: AckEvent, context: Context): Promise<void> {
  const { messages, subscriptions, topics } = context.ports
  const inTurn = inTurnOf(TOPICS_AT_ONCE)
  // In any order: if an id is added to its queue after the head is read, the event is tried again.
  const heads = new Map(namedTopics(all, context).map((topic) => [topic, inTurn(() => topics.head(topic))]))
  for (const head of heads.values()) head.catch(() => {})
  const [stored, standing] = await Promise.all([messages.topicsOf(all.map(({ msgid }) => msgid)), subscriptions.of(clientid)])
  // Those of topics kept for many are for on_message_acked_for_pubsub.
  const acks = all.filter(({ msgid }) => !isKeptForMany(context.config, stored.get(msgid) ?? ''))
  const filters = standing.map(({ topic }) => listensTo(topic, context.config.durablePrefix))
  const faults = acks.map((ack) => faultOf(ack, stored.get(ack.msgid), filters))
  const byTopic = new Map<string, string[]>()
  acks.forEach(({ msgid }, i) => {
    const topic = stored.get(msgid)
    if (topic !== undefined && faults[i] === undefined) byTopic.set(topic, [...(byTopic.get(topic) ?? []), msgid])
  })
  await allDone(
    [...byTopic].map(async ([topic, ids]) => {
      const row = await (heads.get(topic) ?? inTurn(() => topics.head(topic)))
      await inTurn(() => acknowledgeOn(topic, ids, { clientid, at }, row, context))
    }),
  )
  refuseFaulty(clientid, faults)
}

const namedTopics = (acks: readonly Ack[], { config }: Context): string[] =>
  [...new Set(acks.flatMap(({ topic }) => topic ?? []))].filter((topic) => !isKeptForMany(config, topic))

async function acknowledgeOn(
  topic: string,
  ids: readonly string[],
  { clientid, at }: Pick<AckEvent, 'clientid' | 'at'>,
  row: TopicRow | undefined,
  context: Context,
): Promise<void> {
  const { topics, clock } = context.ports
  const homes = row === undefined ? new Map<string, Set<number>>() : await findPending(topics, row, ids)
  // The publisher's handler may add an id after this ack has removed the message. (A message that is only kept as history has no id there.)
  const early = ids.find((id) => !homes.has(id) && clock.now() - millisOfMsgid(id) < QUEUEING)
  if (row !== undefined) {
    const ready = ids.filter((id) => homes.has(id) || clock.now() - millisOfMsgid(id) >= QUEUEING)
    const pubacks = new Map(ready.map((id) => [id, { at, asked: false }]))
    if (ready.length > 0) await acknowledge(context, { topic, clientid, homes: addHomes(homes, ready, row.seq), pubacks })
  }
  if (early !== undefined) {
    throw new BackendError(
      UNFINISHED_CODE,
      `ack of client '${clientid}': message ${early} is not on its queue yet; continues at the next try`,
    )
  }
}
