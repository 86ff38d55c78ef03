import type { HookRow } from './core/hooks.ts'
import type { Context } from './core/model/ports.ts'
import { sendRetained } from './core/retained/send-retained.ts'
import type { Subscribing } from './core/subscriptions/begin.ts'
import { parseSubscription } from './core/topic.ts'

/** session.subscribed: sends the filters' retained messages, with the user property `retain` = 1. Shared subscriptions get none [MQTT5 4.8.2]. */
export async function on_retain_lookup(subscribing: readonly Subscribing[], _row: HookRow, context: Context): Promise<void> {
  const filters = subscribing.map(({ filter }) => filter).filter((filter) => parseSubscription(filter).share === undefined)
  const clientid = subscribing[0]?.event.clientid
  if (clientid !== undefined && filters.length > 0) await sendRetained({ clientid, filters, as: 'native' }, context)
}
