/** Handlers and the whole stack killed, spread over the publishes. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Dice } from './dice.ts'
import type { Stage } from './soak-stage.ts'

export interface HavocCounts {
  kills: number
  /** Invocations that these cut short. */
  interrupted: number
}

interface Havoc {
  readonly stage: Stage
  readonly dice: Dice
  readonly kills: number
  readonly restarts: number
  readonly publishes: number
  /** How many are published by now. */
  readonly published: () => number
  readonly counts: HavocCounts
  readonly signal: AbortSignal
}

const POLL_MS = 20

export async function havoc(plan: Havoc): Promise<void> {
  const { stage, dice, kills, restarts, publishes, published, counts, signal } = plan
  const spread = (count: number) => Array.from({ length: count }, (_, i) => ((i + (1 + dice.below(98)) / 100) * publishes) / count)
  const acts = [
    ...spread(kills).map((at) => ({ at, act: () => killBusy(stage, dice, counts, signal) })),
    ...spread(restarts).map((at) => ({ at, act: () => stage.killAndRestart() })),
  ].sort((a, b) => a.at - b.at)
  for (const { at, act } of acts) {
    while (published() < at) await pause(POLL_MS, undefined, { signal })
    signal.throwIfAborted()
    await act()
  }
}

/** Some function that is in the middle of something. */
async function killBusy({ control }: Stage, dice: Dice, counts: HavocCounts, signal: AbortSignal): Promise<void> {
  for (;;) {
    const busy = await control.busyFunctions()
    const interrupted = busy.length > 0 ? await control.kill(dice.pick(busy)) : 0
    if (interrupted > 0) {
      counts.kills++
      counts.interrupted += interrupted
      return
    }
    await pause(POLL_MS, undefined, { signal })
  }
}
