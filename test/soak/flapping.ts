/** A client that comes and goes until it is told to stop; then it is there. */
import { setTimeout as pause } from 'node:timers/promises'
import { orAborted } from './abort.ts'
import type { Dice } from './dice.ts'
import type { SoakClient } from './soak-client.ts'

export type Flap = 'clean disconnect' | 'network cut' | 'half open' | 'take-over' | 'unsubscribe'
export type FlapCounts = Record<Flap, number>

const LONGEST_STAY_MS = 3_000
const LONGEST_ABSENCE_MS = 1_500
const LONGEST_FREEZE_MS = 4_000

interface Flapping {
  readonly dice: Dice
  readonly counts: FlapCounts
  readonly stopped: () => boolean
  /** False while the stack has not come to terms with earlier flaps: IoT Core's lifecycle events know no back-pressure. */
  readonly mayFlap: () => boolean
  readonly signal: AbortSignal
}

export async function flap(client: SoakClient, { dice, counts, stopped, mayFlap, signal }: Flapping): Promise<void> {
  const wait = (most: number) => pause(200 + dice.below(most), undefined, { signal })
  const acts: Record<Flap, () => unknown> = {
    'clean disconnect': async () => {
      await client.leave()
      await wait(LONGEST_ABSENCE_MS)
      await client.connect(signal)
    },
    'network cut': () => client.cut(),
    'half open': () => client.freeze(1_000 + dice.below(LONGEST_FREEZE_MS), signal),
    'take-over': () => client.takeOver(signal),
    unsubscribe: async () => {
      await client.unsubscribe()
      await wait(LONGEST_ABSENCE_MS)
      await client.subscribe()
    },
  }
  const { filters } = client.role
  const possible = (Object.keys(acts) as Flap[]).filter((act) => act !== 'unsubscribe' || filters.length > 0)
  while (!stopped()) {
    await wait(LONGEST_STAY_MS)
    // One that its own network has cut waits until it is back.
    if (stopped() || !mayFlap() || !client.connected) continue
    const act = dice.pick(possible)
    counts[act]++
    // A connection that ends in the middle of an UNSUBSCRIBE is one more flap.
    await orAborted(Promise.resolve(acts[act]()), signal).catch((error) => {
      if (signal.aborted) throw error
    })
  }
}
