/** What a message's rows say after its retained check: they were written before IoT Core had answered. */
import { isKeptForMany } from '../hooks.ts'
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { dropIds } from '../queue/acknowledge.ts'
import { locate } from '../queue/pending.ts'
import type { Queued } from '../queue/push.ts'
import { topicMatches } from '../topic.ts'

/** The message was retained at QoS 0, so it is on no queue. `queued`: of this invocation; absent: an earlier try queued it. */
export async function takeOffQueue(message: Message, queued: Queued | undefined, context: Context): Promise<void> {
  const { ports, config, invocation } = context
  const { topic, msgid } = message
  const row = queued?.row ?? (await ports.topics.head(topic))
  if (row === undefined) return
  // No id leaves the log of a topic that is kept for many.
  if (isKeptForMany(config, topic))
    return config.history.some((filter) => topicMatches(filter, topic)) ? ports.messages.correct(message) : ports.messages.remove([msgid])
  const known = queued?.stored.some((one) => one.message.msgid === msgid && !one.repeated) && invocation.receives === 1
  const homes = known ? new Map([[msgid, new Set([row.seq])]]) : await locate(ports.topics, row, [msgid])
  if (config.history.some((filter) => topicMatches(filter, topic))) {
    await ports.messages.correct(message)
    await ports.topics.removeIds(topic, homes)
  } else {
    await ports.messages.remove([msgid])
    await dropIds(ports, topic, homes)
  }
}
