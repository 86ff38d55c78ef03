/**
 * The simulation's only source of order and time. Whatever the code under test waits for is an operation held here; the scheduler
 * releases one at a time, chosen by its random numbers, so the same seed gives the same history.
 */
import { seededRandom } from '../../local/seeded-random.ts'

/** What a run of a handler looks like from here: its operations die with it. */
export interface Owner {
  alive: boolean
}

interface Operation {
  readonly owner: Owner
  /** Milliseconds: not before. */
  readonly at: number
  readonly release: () => void
}

export class Random {
  private readonly next: () => number
  constructor(seed: number) {
    this.next = seededRandom(seed)
  }

  chance = (share: number): boolean => this.next() < share
  /** Whole number from 0 to n - 1. */
  below = (n: number): number => Math.floor(this.next() * n)
  between = (low: number, high: number): number => low + this.below(high - low + 1)
  pick = <T>(all: readonly T[]): T => all[this.below(all.length)]!
  shuffled = <T>(all: readonly T[]): T[] => {
    const rest = [...all]
    return all.map(() => rest.splice(this.below(rest.length), 1)[0]!)
  }
}

export class Scheduler {
  /** Milliseconds. */
  now = 1_800_000_000_000
  readonly random: Random
  private operations: Operation[] = []

  constructor(random: Random) {
    this.random = random
  }

  /** Waits until the scheduler lets the owner go on, `delay` ms from now at the earliest; for ever, if the owner has died. */
  turn(owner: Owner, delay = 0): Promise<void> {
    return new Promise((resolve) => this.operations.push({ owner, at: this.now + delay, release: resolve }))
  }

  get idle(): boolean {
    return this.operations.length === 0
  }

  /** When the next operation can go on at the earliest. */
  get next(): number {
    return Math.min(...this.operations.map(({ at }) => at))
  }

  /** Releases one operation whose time has come, and lets all that follows from it happen. Returns whether there was one. */
  async step(): Promise<boolean> {
    this.operations = this.operations.filter(({ owner }) => owner.alive)
    const due = this.operations.filter(({ at }) => at <= this.now)
    if (due.length === 0) return false
    const one = this.random.pick(due)
    this.operations.splice(this.operations.indexOf(one), 1)
    this.now += this.random.below(8)
    one.release()
    await settled()
    return true
  }

  dropDead(): void {
    this.operations = this.operations.filter(({ owner }) => owner.alive)
  }
}

/** After every promise that can be kept without us. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
