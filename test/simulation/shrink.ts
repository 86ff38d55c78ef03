/** The shortest history that still shows a violation: fewer steps of the world, fewer kinds of faults, whatever interleaving it takes. */
import { FAULT_NAMES } from './faults.ts'
import { type HistoryOptions, type Outcome, runHistory } from './history.ts'
import type { Plan } from './plan.ts'

/** Interleavings that are tried of each smaller history. */
const SCHEDULES = 12

/** What a violation says, whoever it is about: the same fault in another history says it of other messages. */
export const kindOf = (violation: string): string => violation.replace(/[a-z]?\d+/g, '*')

export interface ShrinkOptions extends HistoryOptions {
  /** Histories to spend. */
  readonly tries: number
  readonly progress?: (shortest: Outcome, tried: number) => void
}

/** `found`: an outcome with violations; kept is the kind of its first. */
export async function shrink(found: Outcome, options: ShrinkOptions): Promise<Outcome> {
  const kind = kindOf(found.violations[0]!)
  let shortest = found
  let tried = 0

  async function shows(candidate: Omit<Plan, 'schedule'>): Promise<boolean> {
    const schedules = [shortest.plan.schedule, ...Array.from({ length: SCHEDULES }, (_, i) => i)]
    for (const schedule of schedules) {
      if (tried++ >= options.tries) return false
      const outcome = await runHistory({ ...candidate, schedule }, options)
      if (!outcome.violations.some((violation) => kindOf(violation) === kind)) continue
      shortest = outcome
      options.progress?.(shortest, tried)
      return true
    }
    return false
  }

  /** Without parts of the steps: halves, quarters, ... single ones. */
  async function fewerSteps(): Promise<boolean> {
    let any = false
    for (let size = Math.ceil(shortest.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < shortest.steps.length; ) {
        const steps = shortest.steps.filter((_, i) => i < from || i >= from + size)
        if (steps.length > 0 && (await shows({ ...shortest.plan, steps }))) any = true
        else from += size
      }
    }
    return any
  }

  async function fewerFaults(): Promise<boolean> {
    let any = false
    for (const name of FAULT_NAMES) {
      if (shortest.plan.without.has(name)) continue
      if (await shows({ ...shortest.plan, without: new Set([...shortest.plan.without, name]) })) any = true
    }
    return any
  }

  while (tried < options.tries) {
    const any = [await fewerSteps(), await fewerFaults()]
    if (!any.some(Boolean)) break
  }
  return shortest
}
