import { listensTo } from './core/durable-filter.ts'
import { BackendError } from './core/errors.ts'
import type { AckEvent } from './core/events/ack-events.ts'
import { isKeptForMany } from './core/hooks.ts'
import { UNFINISHED_CODE } from './core/metrics.ts'
import type { Context } from './core/model/ports.ts'
import { millisOfMsgid } from './core/msgid.ts'
import { allDone } from './core/promises.ts'
import { faultOf, refuseFaulty } from './core/queue/ack-faults.ts'
import { moveOn } from './core/queue/move-position.ts'
import { findPending, oldestFirst } from './core/queue/pending.ts'

/**
 * A client that never acknowledges one message and acknowledges all later ones would have a row that grows for ever. With so many ids
 * that wait for it only that one's segment counts; the others come again with the next SUBSCRIBE.
 */
const MOST_SEEN = 256

/** An invocation first stores a message, then adds its id to the topic: both within this time. Milliseconds. */
const QUEUEING = 120_000

/**
 * message.acked, from the ack topic, on topics kept for many: the client's read position has these messages. Others get them all the same.
 * Right acks are done although others are refused.
 */
export async function on_message_acked_for_pubsub({ clientid, acks }: AckEvent, context: Context): Promise<void> {
  const { messages, subscriptions } = context.ports
  const [stored, standing] = await Promise.all([messages.topicsOf(acks.map(({ msgid }) => msgid)), subscriptions.of(clientid)])
  const kept = acks.filter(({ msgid }) => stored.has(msgid) && isKeptForMany(context.config, stored.get(msgid)!))
  const filters = standing.map(({ topic }) => listensTo(topic, context.config.durablePrefix))
  const faults = kept.map((ack) => faultOf(ack, stored.get(ack.msgid), filters))
  const byTopic = new Map<string, string[]>()
  kept.forEach(({ msgid }, i) => {
    const topic = stored.get(msgid)!
    if (faults[i] === undefined) byTopic.set(topic, [...(byTopic.get(topic) ?? []), msgid])
  })
  await allDone([...byTopic].map(([topic, ids]) => acknowledgeOn(topic, ids, clientid, context)))
  refuseFaulty(clientid, faults)
}

async function acknowledgeOn(topic: string, ids: readonly string[], clientid: string, context: Context): Promise<void> {
  const { topics, acked, clock } = context.ports
  const [row, last] = await Promise.all([topics.head(topic), acked.lastAcked(topic, clientid)])
  if (last?.position === undefined) return
  const { seq, seen } = last.position
  // What stands before the position the client has already.
  const found = row === undefined ? undefined : await findPending(topics, { ...row, first: seq }, ids)
  const homes = new Map([...(found ?? [])].map(([id, seqs]) => [id, Math.min(...seqs)]))
  const counting = oldestFirst(homes.keys()).filter((id) => seen.size < MOST_SEEN || homes.get(id) === seq)
  if (counting.length < homes.size) {
    const why = `the position waits for an older message, with ${seen.size} younger ones; these come again with the next SUBSCRIBE`
    context.limited({ limit: 'position-waits', clientid, topic, why })
  }
  if (row !== undefined) await moveOn(context, { row, clientid, ids: counting, homes })
  const early = ids.find((id) => !homes.has(id) && clock.now() - millisOfMsgid(id) < QUEUEING)
  if (early === undefined) return
  const why = `message ${early} is not on its topic yet; continues at the next try`
  throw new BackendError(UNFINISHED_CODE, `ack of client '${clientid}': ${why}`)
}
