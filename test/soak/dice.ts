/** Choices from a seed. */
import { seededRandom } from '../../local/seeded-random.ts'

export interface Dice {
  /** A whole number from 0 to below `end`. */
  below(end: number): number
  chance(share: number): boolean
  pick<T>(from: readonly T[]): T
  /** So many different ones, or all where there are fewer. */
  some<T>(from: readonly T[], count: number): T[]
}

export function dice(seed: number): Dice {
  const random = seededRandom(seed)
  const below = (end: number) => Math.floor(random() * end)
  return {
    below,
    chance: (share) => random() < share,
    pick: (from) => from[below(from.length)]!,
    some(from, count) {
      const left = [...from]
      return Array.from({ length: Math.min(count, left.length) }, () => left.splice(below(left.length), 1)[0]!)
    },
  }
}
