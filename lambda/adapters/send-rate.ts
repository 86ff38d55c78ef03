/** Keeps below IoT Core's 100 publishes a second to one connection, over all topics and actions that send to a client. */

import { PUBLISHES_PER_SECOND } from '../core/model/delivery-window.ts'
import type { Clock } from '../core/model/ports.ts'

const INTERVAL = 1000 / PUBLISHES_PER_SECOND
/** In this time no more than the quota are sent: a second, and what one message may take longer on its way than another. Milliseconds. */
const SECOND = 1020
/** With more clients than this in memory, those whose turns are over are forgotten. */
const REMEMBERED = 10_000

/** When a message was sent, or will be. Milliseconds. */
interface Turn {
  at: number
}

/** Waits for the client's next turn. Each execution environment counts its own messages: if several send too fast, IoT Core answers with 429. */
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
    // A late timer lets several messages go at once: so the distance to the message one quota before is checked again.
    const early = endOf(quotaAgo) - clock.now()
    if (early > 0) await clock.sleep(early)
    turn.at = Math.max(turn.at, clock.now())
  }
}

const endOf = (turn: Turn | undefined): number => (turn === undefined ? 0 : turn.at + SECOND)
