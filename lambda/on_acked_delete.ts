import type { SubscriptionChange } from './core/events/lifecycle-events.ts'
import type { Context } from './core/model/ports.ts'

/** session.unsubscribed: deletes the client's row of mqtt_acked for the filter. */
export async function on_acked_delete(event: SubscriptionChange, filter: string, { ports }: Context): Promise<void> {
  await ports.acked.remove(filter, event.clientid, event.at)
}
