/** Keeps to IoT Core's 100 publishes a second and connection, whatever topics and actions send to a client side by side. */

import { PUBLISHES_PER_SECOND } from '../core/model/delivery-window.ts'
import type { Clock } from '../core/model/ports.ts'

const INTERVAL = 1000 / PUBLISHES_PER_SECOND
/** In which no more than the quota are sent: a second, and what one message may take longer on its way than another. Milliseconds. */
const SECOND = 1020
/** Clients remembered before those whose turn has passed are forgotten. */
const REMEMBERED = 10_000

/** When a message was let go, or will be. Milliseconds. */
interface Turn {
  at: number
}

/** Waits for the client's next turn. One for each instance of a function: what others send to it is answered with 429. */
export function pacing(clock: Clock): (clientid: string) => Promise<void> {
  /** Client id -> its last turns, as many as the quota. */
  const clients = new Map<string, Turn[]>()
  return async (clientid) => {
    const now = clock.now()
    const turns = clients.get(clientid) ?? []
    if (clients.size > REMEMBERED) for (const [id, all] of clients) if (all.at(-1)!.at + SECOND <= now) clients.delete(id)
    clients.set(clientid, turns)
    const last = turns.at(-1)
    const quotaAgo = turns.length < PUBLISHES_PER_SECOND ? undefined : turns.shift()
    const turn = { at: Math.max(now, last === undefined ? 0 : last.at + INTERVAL, endOf(quotaAgo)) }
    turns.push(turn)
    if (turn.at > now) await clock.sleep(turn.at - now)
    // Timers that fire late let several go at once: those that come a quota later keep their distance.
    const early = endOf(quotaAgo) - clock.now()
    if (early > 0) await clock.sleep(early)
    turn.at = Math.max(turn.at, clock.now())
  }
}

const endOf = (turn: Turn | undefined): number => (turn === undefined ? 0 : turn.at + SECOND)
