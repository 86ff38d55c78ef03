/**
 * Which history to run, as one word: `SEED`, or as the shrinker writes it `SEED/SCHEDULE/STEPS/WITHOUT`, for example
 * `123/4/0,3,7/crash,late`. The same word gives the same history.
 */
import { FAULT_NAMES, type FaultName } from './faults.ts'

export interface Plan {
  /** Decides the cast, what the world does, and what goes wrong. */
  readonly seed: number
  /** Decides the interleaving. */
  readonly schedule: number
  /** Numbers of the world's steps that happen; absent: all. */
  readonly steps?: readonly number[]
  readonly without: ReadonlySet<FaultName>
}

const NUMBER = /^\d{1,9}$/

export const planOf = (seed: number): Plan => ({ seed, schedule: 0, without: new Set() })

export function formatPlan({ seed, schedule, steps, without }: Plan): string {
  if (schedule === 0 && steps === undefined && without.size === 0) return `${seed}`
  return [seed, schedule, steps?.join(',') ?? '', [...without].join(',')].join('/')
}

/** @throws Error with one line that says what was wanted */
export function parsePlan(text: string): Plan {
  const [seed = '', schedule = '0', steps = '', without = '', ...more] = text.split('/')
  const numbers = steps === '' ? [] : steps.split(',')
  const faults = without === '' ? [] : without.split(',')
  if (more.length > 0 || ![seed, schedule, ...numbers].every((one) => NUMBER.test(one))) {
    throw new Error(`seed is '${text}', wanted a whole number, or SEED/SCHEDULE/STEPS/WITHOUT as a failed history prints it`)
  }
  const unknown = faults.find((name) => !(FAULT_NAMES as string[]).includes(name))
  if (unknown !== undefined) throw new Error(`seed is '${text}': no fault is named '${unknown}', wanted some of ${FAULT_NAMES.join(', ')}`)
  return {
    seed: Number(seed),
    schedule: Number(schedule),
    ...(numbers.length === 0 ? {} : { steps: numbers.map(Number) }),
    without: new Set(faults as FaultName[]),
  }
}
