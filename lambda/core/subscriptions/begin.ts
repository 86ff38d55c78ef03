/** Subscriptions of clients, from their events: who is subscribed, and whether an event still says the truth. */

import type { SubscriptionChange } from '../events/events.ts'
import type { HookConfig, HookRow } from '../hooks.ts'
import type { Ports, Seated } from '../model/ports.ts'
import { subscriptionIsOver } from '../model/presence.ts'
import type { claimQueue } from '../queue/drain.ts'
import { topicMatches } from '../topic.ts'

/** One filter of a subscribed event, with its seat if the client became live: an exact filter on a queue. */
export interface Subscribing {
  readonly event: SubscriptionChange
  readonly filter: string
  readonly seated: Seated | undefined
  /** The queue is being claimed already. */
  readonly claimed?: ReturnType<typeof claimQueue> | undefined
}

/** The `session.subscribed` row by which queued messages on the topic are fetched, if any. */
export const fetchRow = (config: HookConfig, topic: string): HookRow | undefined =>
  subscribedRow(config, 'on_message_fetch_for_queue', topic)
/** The same for retained messages. */
export const retainRow = (config: HookConfig, topic: string): HookRow | undefined => subscribedRow(config, 'on_retain_lookup', topic)

const subscribedRow = (config: HookConfig, action: HookRow['action'], topic: string) =>
  config.subscribed.find((row) => row.action === action && topicMatches(row.topic ?? '#', topic))

/**
 * Whether a subscribed event is stale: its connection is over, or an unsubscribe has overtaken it. Asked after everything was
 * written, so that either this sees the end, or the end's handler sees what was written.
 */
export async function isStale(ports: Ports, event: SessionEvent, filter: string): Promise<boolean> {
  const [presence, unsubscribed] = await Promise.all([ports.clients.presence(event.clientid), hasUnsubscribed(ports, event, filter)])
  return subscriptionIsOver(presence, event) || unsubscribed
}

/** Whether the session unsubscribed from the filter at or after the event. */
export const hasUnsubscribed = async (ports: Ports, event: SessionEvent, filter: string): Promise<boolean> =>
  (await endsOf(ports, event, filter)).some((end) => end >= event.at)

/** When the session unsubscribed from the filter, as far as it is remembered. Milliseconds. */
export async function endsOf(
  ports: Ports,
  { clientid, session }: Pick<SessionEvent, 'clientid' | 'session'>,
  filter: string,
): Promise<number[]> {
  const gone = await ports.topics.goneSince(filter, clientid)
  return gone?.session === session ? [gone.until, gone.earlier] : []
}

interface SessionEvent {
  readonly clientid: string
  readonly session: string
  readonly at: number
}
