/** Retained messages in a World: rows of a retain mode, what mqtt_retain has, and what IoT Core holds. */
import type { RetainMode } from '../../lambda/core/hooks.ts'
import { type Row, rowsWith, type World } from './world.ts'

/** The page's rows, with both actions in that mode. */
export const retainedBy = (retain: RetainMode): Row[] =>
  rowsWith(
    { hook: 'message.publish', topic: '#', action: 'on_message_retain', retain },
    { hook: 'message.publish', topic: '#', action: 'on_retain_delete', retain },
  )

export const retainedOf = async (world: World, topic: string): Promise<string | undefined> =>
  (await world.row('mqtt_retain', topic))?.payload?.S

/** IoT Core retains the payload; '' clears. */
export function nativelyRetained(world: World, topic: string, payload: string, qos = 1): void {
  if (payload === '') world.native.delete(topic)
  else world.native.set(topic, { payload: Buffer.from(payload), qos, lastModified: world.now })
}
