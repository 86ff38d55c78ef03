/** The casts of the histories: one for each seed, in turn. */

/** Who is there, and how much is published. */
export interface Cast {
  readonly natives: number
  readonly operators: Readonly<Record<string, readonly string[]>>
  readonly topics: readonly string[]
  readonly bursts: readonly number[]
}
export const CASTS: readonly Cast[] = [
  { natives: 3, operators: { s1: ['a/1'], s2: ['a/+'] }, topics: ['a/1', 'a/2'], bursts: [1, 1, 2, 8] },
  // Nobody empties the queues at once: they are sealed into segments.
  { natives: 2, operators: {}, topics: ['a/1', 'a/2'], bursts: [1, 4, 12, 24] },
  { natives: 2, operators: { s1: ['a/1'] }, topics: ['a/1'], bursts: [1, 4, 12, 24] },
  // More clients than a head has room for.
  { natives: 7, operators: { s1: ['a/1'] }, topics: ['a/1'], bursts: [1, 2, 8] },
]
