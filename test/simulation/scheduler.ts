/**
 * The simulation's only source of order and time. Whatever the code under test waits for is an operation held here; the scheduler
 * releases one at a time, chosen by its random numbers, so the same seed gives the same history.
 */
import type { Random } from './random.ts'

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

export class Scheduler {
  /** Milliseconds. */
  now = 1_800_000_000_000
  /** Operations released, and those of them that were chosen among several. */
  released = 0
  chosen = 0
  /** Stands for the order in which operations were released. */
  order = 0
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
    const due: number[] = []
    for (let i = 0; i < this.operations.length; i++) if (this.operations[i]!.at <= this.now) due.push(i)
    if (due.length === 0) return false
    const among = this.random.below(due.length)
    const [one] = this.operations.splice(due[among]!, 1)
    this.released++
    if (due.length > 1) this.chosen++
    this.order = (Math.imul(this.order, 31) + among * 16 + due.length) | 0
    this.now += this.random.below(8)
    one!.release()
    await settled()
    return true
  }

  dropDead(): void {
    this.operations = this.operations.filter(({ owner }) => owner.alive)
  }
}

/** After every promise that can be kept without us: a tick comes once no microtask is left. */
export const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))
