import type { HookRow } from './core/hooks.ts'
import type { Context } from './core/model/ports.ts'
import { fetchQueue } from './core/queue/drain.ts'
import { isFetched, type Subscribing } from './core/subscriptions/begin.ts'
import { settleOthers } from './core/subscriptions/settle.ts'

/**
 * session.subscribed: delivers the queue of exactly this topic, oldest first, each message awaited to its PUBACK. A wildcard
 * subscription is no queue consumer, as in EMQX. The client has its seat already, so IoT Core delivers newer messages. What others have
 * surely got is settled before.
 */
export async function on_message_fetch_for_queue({ event, seated, claimed }: Subscribing, row: HookRow, context: Context): Promise<void> {
  if (seated === undefined || row.qos === 0 || !isFetched(seated, context)) return
  await settleOthers(context, seated, event.at)
  await fetchQueue(context, seated, { clientid: event.clientid, row, at: event.at, justArrived: true }, claimed)
}
