/** The window in which a client surely was subscribed natively. */

import { type Window, windowOf } from '../model/delivery-window.ts'
import type { Ports } from '../model/ports.ts'
import type { Live } from '../model/topic-row.ts'

/**
 * A persistent session that goes on may keep its identifier: what was published between its connections IoT Core may still hold, so
 * the window begins with the connection. A subscribed event that is tried again after its unsubscribe makes the client live for a moment, or for as long as that try stays
 * dead: the ends that are remembered know better than the live entry.
 */
export async function provenWindow(
  ports: Ports,
  { clientid, filter, live }: { clientid: string; filter: string; live: Live },
  { until, doubt }: { until: number; doubt: () => Promise<number> },
): Promise<Window> {
  const [uncertain, presence, gone] = await Promise.all([
    doubt(),
    ports.clients.presence(clientid),
    ports.topics.goneSince(filter, clientid),
  ])
  // Not known where a disconnect overtook its connect: then nothing is proven.
  const connectedAt = presence?.session === live.session ? (presence.connectedAt ?? Number.POSITIVE_INFINITY) : 0
  const same = gone?.session === live.session
  const ends = same ? [gone.until, gone.earlier].filter((end) => end >= live.since && end < until) : []
  const since = Math.max(connectedAt, ends.some((end) => end < live.at) ? live.at : live.since)
  // Two ends are remembered, whoever's: before the older one, or before another session's, there may have been more.
  const forgotten = gone !== undefined && (same ? gone.earlier : gone.until) >= since
  return windowOf({ since }, forgotten ? since : Math.min(until, ...ends.filter((end) => end >= live.at)), uncertain)
}
