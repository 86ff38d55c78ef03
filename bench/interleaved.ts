/** Competitors side by side: a busy machine disturbs neighbours in time alike, so rounds alternate and medians are compared. */

export const median = (values: readonly number[]): number => {
  if (values.length === 0) throw new Error('no median of nothing: not one round was run')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export interface Medians<Name extends string> {
  readonly of: Readonly<Record<Name, number>>
  /** Median of the one against the median of the other. */
  ratio(one: Name, other: Name): number
}

/** Each competitor once a round, in their order, then the next round. `work` gives what it measured. */
export async function interleaved<Name extends string>(
  competitors: Readonly<Record<Name, (round: number) => Promise<number>>>,
  rounds: number,
): Promise<Medians<Name>> {
  const names = Object.keys(competitors) as Name[]
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round < rounds; round++) for (const name of names) measured[name].push(await competitors[name](round))
  const of = Object.fromEntries(names.map((name) => [name, median(measured[name])])) as Record<Name, number>
  return { of, ratio: (one, other) => of[one] / of[other] }
}
