/** Random choices that a seed repeats. */
import { seededRandom } from '../../local/seeded-random.ts'

export class Random {
  private next: () => number

  constructor(...seeds: number[]) {
    this.next = seededRandom(mixed(seeds))
  }

  /** Goes on as from these seeds, whatever was chosen before. */
  reseed(...seeds: number[]): void {
    this.next = seededRandom(mixed(seeds))
  }

  chance = (share: number): boolean => share > 0 && this.next() < share
  /** Whole number from 0 to n - 1. */
  below = (n: number): number => Math.floor(this.next() * n)
  between = (low: number, high: number): number => low + this.below(high - low + 1)
  pick = <T>(all: readonly T[]): T => all[this.below(all.length)]!
  shuffled = <T>(all: readonly T[]): T[] => {
    const mixed = [...all]
    for (let i = mixed.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!]
    }
    return mixed
  }
}

const mixed = (seeds: readonly number[]): number =>
  seeds.reduce((state, seed) => Math.imul(state ^ (seed + 0x9e3779b9), 0x85ebca6b) ^ (state >>> 13), 0x2545f491) >>> 0
