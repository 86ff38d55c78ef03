/** Stores the messages of an invocation's publishes in `mqtt_msg`, many in one request. */
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { subscriberOf } from '../model/seat.ts'
import type { TopicRow } from '../model/topic-row.ts'
import type { InTurn } from '../promises.ts'
import { coversOf, topicMatches } from '../topic.ts'
import type { Stored } from './push.ts'

/** One topic's new messages, oldest first. */
export interface Publishes {
  readonly messages: readonly Message[]
  readonly context: Context
}

/**
 * Starts to store the messages of all topics. The function that is returned resolves when one topic's messages are stored. Many messages
 * share a few requests, which fail as a whole and do not tell whether a row was there before. A message is stored by itself
 * - in a small batch: since its row is known to be new, nothing is read later, which saves a read unit;
 * - when SQS hands out its event again: what makes a shared request fail then fails one event only;
 * - when a server-side wildcard subscriber will get it: who acknowledges it must know whether a long queue has its id already.
 */
export function storing(topics: readonly Publishes[], inTurn: InTurn): (one: Publishes) => Promise<Stored[]> {
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
