/** Keeps to IoT Core's 100 publishes a second and connection, whatever topics and actions send to a client side by side. */
import type { Clock } from './ports.ts'
import { PUBLISHES_PER_SECOND } from './settle.ts'

const INTERVAL = 1000 / PUBLISHES_PER_SECOND
/** Clients remembered before those whose turn has passed are forgotten. */
const REMEMBERED = 10_000

/** Waits for the client's next turn. One for each instance of a function: what others send to it is answered with 429. */
export function pacing(clock: Clock): (clientid: string) => Promise<void> {
  /** Client id -> when it may be sent to again, in ms. */
  const turns = new Map<string, number>()
  return async (clientid) => {
    const now = clock.now()
    const turn = Math.max(now, turns.get(clientid) ?? 0)
    if (turns.size > REMEMBERED) for (const [id, at] of turns) if (at <= now) turns.delete(id)
    turns.set(clientid, turn + INTERVAL)
    if (turn > now) await clock.sleep(turn - now)
  }
}
