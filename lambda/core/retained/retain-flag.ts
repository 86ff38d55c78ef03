/** Whether a publish is its topic's retained message: RETAIN is invisible to rules, so the row's `"retain"` says how to find out. */
import { type Publish, userProperty } from '../events/events.ts'
import type { HookConfig, HookRow } from '../hooks.ts'
import { NOT_RETAINED, type RetainFlag } from '../model/message.ts'
import type { Ports } from '../model/ports.ts'
import { compareMsgids, isMsgid, msgidOf } from '../msgid.ts'
import { topicMatches } from '../topic.ts'

/** IoT Core stores a retained message before or while its rule event is handled; one older than this is another publish's. Milliseconds. */
const LATEST_LAG = 60_000

/** `again`: SQS has handed out the event before, and an earlier try may have been cut short. */
export async function retainFlagOf(ports: Ports, config: HookConfig, publish: Publish, { again }: { again: boolean }): Promise<RetainFlag> {
  const row = retainRowOf(config, publish.topic)
  if (row === undefined) return NOT_RETAINED
  const empty = publish.payload.length === 0
  switch (row.retain ?? 'native') {
    case 'topic':
      return { retained: true, cleared: empty }
    case 'property': {
      const retained = userProperty(publish, 'retain') === '1'
      return { retained, cleared: retained && empty }
    }
    case 'native':
      return empty ? nativeFlagOfEmpty(ports, publish, again) : nativeFlag(ports, publish, again)
  }
}

const retainRowOf = (config: HookConfig, topic: string): HookRow | undefined => {
  const of = (action: HookRow['action']) => config.rows.find((row) => row.action === action && topicMatches(row.topic ?? '#', topic))
  return of('on_message_retain') ?? of('on_retain_delete')
}

/** GetRetainedMessage shows this very payload: then whatever was published is the retained message, with its true QoS. */
async function nativeFlag(ports: Ports, publish: Publish, again: boolean): Promise<RetainFlag> {
  const stored = await ports.device.retained(publish.topic)
  const retained = stored?.payload.equals(publish.payload) === true && stored.lastModified >= publish.at - LATEST_LAG
  if (retained) return { retained, cleared: false, qos: stored.qos }
  const leftBehind = again && stored === undefined && (await ports.retained.get(publish.topic))?.msgid === msgidOf(publish)
  return leftBehind ? { ...NOT_RETAINED, wasCleared: true } : NOT_RETAINED
}

/**
 * An empty publish of whose topic IoT Core holds no retained message: it cleared one if we knew one (or it did so already, on an
 * earlier try); else, or if an earlier try took it for a message, it is one without a payload. Also then nothing is retained any more:
 * the publish that was may be on its way to our table still.
 */
async function nativeFlagOfEmpty(ports: Ports, publish: Publish, again: boolean): Promise<RetainFlag> {
  const held = (await ports.device.retained(publish.topic)) !== undefined
  // What it holds may have come since an earlier try cleared.
  if (held && !again) return NOT_RETAINED
  const msgid = msgidOf(publish)
  const takenForMessage = async () => (await ports.messages.existing([msgid])).has(msgid)
  const found = held ? undefined : await ports.retained.get(publish.topic)
  // One that is newer came since IoT Core was asked: it was not that one that was cleared.
  const kept = found !== undefined && isMsgid(found.msgid) && compareMsgids(found.msgid, msgid) < 0 ? found : undefined
  if (kept !== undefined && !(await takenForMessage())) return { retained: true, cleared: true, knew: kept.msgid }
  // Asked after the row: another receive of the event may be clearing it just now, and remembers that before it deletes.
  const cleared = (await ports.retained.clearedBy(publish.topic)) === msgid
  if (cleared && !(await takenForMessage())) return { retained: true, cleared, knew: msgid }
  return held ? NOT_RETAINED : { ...NOT_RETAINED, mayHaveCleared: true }
}
