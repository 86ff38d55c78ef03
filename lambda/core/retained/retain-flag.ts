/** Whether a publish is its topic's retained message: RETAIN is invisible to rules, so the row's `"retain"` says how to find out. */
import { createHash } from 'node:crypto'
import { type Publish, userProperty } from '../events/publish-events.ts'
import type { HookConfig, HookRow } from '../hooks.ts'
import { NOT_RETAINED, type RetainFlag } from '../model/message.ts'
import type { Ports } from '../model/ports.ts'
import type { NativeRetained, RetainedDigest } from '../model/retain-table.ts'
import { compareMsgids, isMsgid, millisOfMsgid, msgidOf } from '../msgid.ts'
import { topicMatches } from '../topic.ts'

/** If IoT Core's retained message is older than the publish by more than this, it is of another publish. Milliseconds. */
const LATEST_LAG = 60_000
/** Most rules stamp a publish within this time after it was retained. Milliseconds. */
const USUAL_LAG = 500
/** An answer serves publishes that are older than it by so much: the clocks of rules and functions differ. Milliseconds. */
const ANSWER_LAG = 2_000

/** `again`: SQS has handed out the event before, and an earlier try may have died half way. */
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

/** Whether a message is stored before IoT Core answers: only of an empty one the answer tells whether it is a message at all. */
export const isAskedBeside = (config: HookConfig, publish: Publish): boolean => asks(config, publish) && publish.payload.length > 0
export const isAskedBefore = (config: HookConfig, publish: Publish): boolean => asks(config, publish) && publish.payload.length === 0

function asks(config: HookConfig, { topic }: Publish): boolean {
  const row = retainRowOf(config, topic)
  return row !== undefined && (row.retain ?? 'native') === 'native'
}

const retainRowOf = (config: HookConfig, topic: string): HookRow | undefined => {
  const of = (action: HookRow['action']) => config.rows.find((row) => row.action === action && topicMatches(row.topic ?? '#', topic))
  return of('on_message_retain') ?? of('on_retain_delete')
}

/** Retained if GetRetainedMessage returns the same message. It tells the true QoS too. */
async function nativeFlag(ports: Ports, publish: Publish, again: boolean): Promise<RetainFlag> {
  const held = await (again ? heldSince(ports, publish) : heldNow(ports, publish.topic))
  if (held !== undefined && isOf(held, publish) && !(await isOfEarlier(ports, held, publish)))
    return { retained: true, cleared: false, qos: held.qos }
  const leftBehind = again && held === undefined && (await ports.retained.get(publish.topic))?.msgid === msgidOf(publish)
  return leftBehind ? { ...NOT_RETAINED, wasCleared: true } : NOT_RETAINED
}

async function heldNow({ device }: Ports, topic: string): Promise<RetainedDigest | undefined> {
  const held = await device.retained(topic)
  return held && digestOf(held)
}

/**
 * The check of a publish that was throttled. IoT Core answers the account 500 times a second, so one answer serves all publishes of the
 * topic that are older than it.
 */
async function heldSince(ports: Ports, { topic, at }: Publish): Promise<RetainedDigest | undefined> {
  const noted = await ports.retained.answer(topic)
  if (noted !== undefined && noted.at >= at + ANSWER_LAG) return noted.held
  const asked = ports.clock.now()
  const held = await heldNow(ports, topic)
  await ports.retained.noteAnswer(topic, { at: asked, ...(held === undefined ? {} : { held }) })
  return held
}

const digestOf = ({ payload, user, qos, lastModified }: NativeRetained): RetainedDigest => ({
  payload: digest(payload),
  ...(user === undefined ? {} : { user: digestOfUser(user) }),
  qos,
  lastModified,
})

/** IoT Core is not documented to keep the order of user properties. */
const digestOfUser = (user: NativeRetained['user'] & object): string =>
  digest(JSON.stringify(user.map((pair) => JSON.stringify(pair)).sort()))
const digest = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/** All that GetRetainedMessage tells must agree: another client may publish the same payload without RETAIN. */
const isOf = ({ payload, user, lastModified }: RetainedDigest, publish: Publish): boolean =>
  lastModified >= publish.at - LATEST_LAG &&
  payload === digest(publish.payload) &&
  (user === undefined || user === digestOfUser(publish.properties.user))

/** Whether the publish that our table has is the same message, and nearer to the time at which IoT Core retained it. */
async function isOfEarlier(ports: Ports, { lastModified }: RetainedDigest, publish: Publish): Promise<boolean> {
  if (lastModified >= publish.at - USUAL_LAG) return false
  const kept = await ports.retained.get(publish.topic)
  if (kept === undefined || !isMsgid(kept.msgid) || !kept.payload.equals(publish.payload)) return false
  return compareMsgids(kept.msgid, msgidOf(publish)) < 0 && Math.abs(millisOfMsgid(kept.msgid) - lastModified) < publish.at - lastModified
}

/**
 * An empty publish. If IoT Core has no retained message of the topic, it cleared the one that our table has, or an earlier try of this event
 * did. Else, or if an earlier try stored it as a message, it is a message without payload. The topic has no retained message then either, and
 * the one that was retained may arrive at our table later.
 */
async function nativeFlagOfEmpty(ports: Ports, publish: Publish, again: boolean): Promise<RetainFlag> {
  const held = (await ports.device.retained(publish.topic)) !== undefined
  // On a retry the retained message may be newer than what the first try cleared.
  if (held && !again) return NOT_RETAINED
  const msgid = msgidOf(publish)
  const takenForMessage = async () => (await ports.messages.existing([msgid])).has(msgid)
  const found = held ? undefined : await ports.retained.get(publish.topic)
  // A newer one was stored after IoT Core had answered: this publish did not clear it.
  const kept = found !== undefined && isMsgid(found.msgid) && compareMsgids(found.msgid, msgid) < 0 ? found : undefined
  if (kept !== undefined && !(await takenForMessage())) return { retained: true, cleared: true, inferredFrom: kept.msgid }
  // Read after the row: another receive of the event may be clearing it now. It writes the tombstone first, then deletes.
  const cleared = (await ports.retained.clearedBy(publish.topic)) === msgid
  if (cleared && !(await takenForMessage())) return { retained: true, cleared, inferredFrom: msgid }
  return held ? NOT_RETAINED : { ...NOT_RETAINED, mayHaveCleared: true }
}
