import type { HookRow } from './core/hooks.ts'
import type { Context } from './core/model/ports.ts'
import { sendRetained } from './core/retained/send-retained.ts'
import type { Subscribing } from './core/subscriptions/begin.ts'
import { parseSubscription } from './core/topic.ts'

/** session.subscribed: sends the filter's retained messages, with the user property `retain` = 1. Shared subscriptions get none [MQTT5 4.8.2]. */
export async function on_retain_lookup({ event, filter }: Subscribing, _row: HookRow, context: Context): Promise<void> {
  const { filter: topics, share } = parseSubscription(filter)
  if (share === undefined) await sendRetained({ clientid: event.clientid, filter: topics, native: true }, context)
}
