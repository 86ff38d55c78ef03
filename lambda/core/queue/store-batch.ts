/** Rows of `mqtt_msg` that the publishes of an invocation store together. */
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { splitWildcardEntry, type TopicRow } from '../model/topic-row.ts'
import type { InTurn } from '../promises.ts'
import { coversOf, topicMatches } from '../topic.ts'
import type { Stored } from './push.ts'

/** One topic's new messages, oldest first. */
export interface Publishes {
  readonly messages: readonly Message[]
  readonly context: Context
}

/**
 * Starts to store the messages of all topics; the answer tells when one topic's are. Many go in few requests, which do not say
 * what was there before, and fail together; by itself goes
 * - a message in a small batch: nothing more is asked of it, which costs a read unit less;
 * - one whose event SQS hands out again: it would be looked for more dearly, and whatever made a batch fail fails one only;
 * - one that a wildcard's server-side subscriber is to get: who takes it off must know whether a long queue names it already.
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
  const { together } = ports.messages
  if (countOf(first) < together) return new Map()
  const covers = config.serverSubscriptions
    ? await ports.topics.heads([...new Set(first.flatMap(({ messages }) => coversOf(messages[0]!.topic)))])
    : []
  const some = first.filter(({ messages }) => !covers.some((row) => mayPush(row, messages[0]!.topic)))
  if (countOf(some) < together) return new Map()
  const messages = some.flatMap((one) => one.messages)
  const results = await ports.messages.putAll(messages)
  return new Map(messages.map(({ msgid }, i) => [msgid, results[i]!]))
}

const countOf = (topics: readonly Publishes[]): number => topics.reduce((sum, { messages }) => sum + messages.length, 0)

/** Whether a live client of the covering row gets the topic's messages; which ones the spill rows hold is not read for that. */
const mayPush = (row: TopicRow, topic: string): boolean =>
  row.spill > 0 || [...row.live.keys()].some((entry) => topicMatches(splitWildcardEntry(entry)[1], topic))
