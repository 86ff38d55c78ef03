/** The QoS that IoT Core granted, as ListSubscriptions tells it: no event does. It answers once a second and client, and 100 times a second and account. */

import type { SubscriptionChange } from '../events/lifecycle-events.ts'
import { countsWildcards, fetchRow, type HookConfig, type HookRow, isKeptForMany, settleTime } from '../hooks.ts'
import type { Context, Ports } from '../model/ports.ts'
import { type Seat, subscriberOf } from '../model/seat.ts'
import type { Granted } from '../model/topic-row.ts'
import { hasWildcard, parseSubscription } from '../topic.ts'
import { grantedNow } from './proof.ts'

/** A client that sends several SUBSCRIBEs one after the other is told of once a second. Milliseconds. */
const NEXT_ANSWER = 1_100

/** Whether a queue, or what is inferred, depends on the QoS of a subscription to the filter. `rows`: those of `session.subscribed` that cover it. */
export function dependsOnQos(filter: string, rows: readonly HookRow[], config: HookConfig): boolean {
  if (hasWildcard(parseSubscription(filter).filter)) return countsWildcards(config)
  if (remembersWindows(filter, config)) return true
  return rows.some(({ action, qos }) => action === 'on_message_fetch_for_queue' && qos !== 0)
}

/** Whether what a native subscription to the filter surely got moves its client's read position. Of a group nobody tells who got what. */
export function remembersWindows(sent: string, config: HookConfig): boolean {
  const { filter, share } = parseSubscription(sent)
  if (share !== undefined || hasWildcard(filter) || !config.settles || !isKeptForMany(config, filter)) return false
  return settleTime(config, filter) !== undefined && fetchRow(config, filter)?.qos !== 0
}

/** Which QoS IoT Core granted to the SUBSCRIBE; `undefined`: it does not tell. */
export async function grantedTo({ clientid, at }: SubscriptionChange, filter: string, { device }: Ports): Promise<Granted | undefined> {
  return grantedNow(await device.subscriptions(clientid, { notBefore: at }), filter, at)
}

/**
 * Asks once more for seats of which IoT Core did not tell: the client's SUBSCRIBE before may have taken the second's answer. Without an
 * answer nothing that IoT Core delivers there is ever settled when the subscription ends.
 */
export async function askAgain({ clientid, at }: SubscriptionChange, unknown: readonly Seat[], { ports, config }: Context): Promise<void> {
  if (unknown.length === 0 || !config.settles) return
  await ports.clock.sleep(NEXT_ANSWER)
  const answer = await ports.device.subscriptions(clientid, { notBefore: at })
  await Promise.all(
    unknown.map(async (seat) => {
      const granted = grantedNow(answer, subscriberOf(seat).sent, seat.live.since)
      if (granted !== undefined) await ports.topics.noteGranted(seat, granted)
    }),
  )
}
