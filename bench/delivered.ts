/** What devices got, judged: nothing missing, in order, not too fast. */
import type { Delivered } from './puback-server.ts'

/** What the n-th message of a topic says. */
export const payloadOf = (n: number): string => `${n}`.padEnd(100, '.')
const numberOf = ({ payload }: Delivered): number => Number(payload.replace(/\.*$/, ''))

export interface Judged {
  /** Messages that never came. */
  readonly lost: number
  /** Messages that came again. */
  readonly again: number
}

/**
 * Of `count` messages of one topic. A delivery that was cut short may begin again before where it ended; from there on it goes on in order.
 * @throws where the order is broken, or a message is none of these
 */
export function judge(topic: string, all: readonly Delivered[], count: number): Judged {
  const numbers = all.filter((one) => one.topic === topic).map(numberOf)
  const met = new Set<number>()
  let before = -1
  for (const n of numbers) {
    if (!Number.isInteger(n) || n < 0 || n >= count) throw new Error(`topic ${topic}: got message ${n}, wanted one of ${count}`)
    // Onwards by one, or back to one that is known.
    if (n !== before + 1 && !met.has(n)) throw new Error(`topic ${topic}: message ${n} came after message ${before}: not in order`)
    met.add(n)
    before = n
  }
  return { lost: count - met.size, again: numbers.length - met.size }
}

/** Per second, from the first to the last. */
export function rateOf(all: readonly Delivered[]): number {
  const seconds = (all.at(-1)!.at - all[0]!.at) / 1000
  return (all.length - 1) / seconds
}

/** The most within a second, wherever it begins. Times in ms, in order. */
export function mostInASecond(all: readonly number[]): number {
  let most = 0
  for (let from = 0, to = 0; to < all.length; to++) {
    while (all[to]! - all[from]! >= 1000) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}
