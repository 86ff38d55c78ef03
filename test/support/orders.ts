/** Orders in which events may arrive. */

/** All orders of the items. */
export function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))
}

/** All orders of the items in which one of them comes twice; each order once. */
export function permutationsWithRepeat<T>(items: readonly T[]): T[][] {
  const indices = items.map((_, i) => i)
  const orders = indices.flatMap((repeated) => permutations([...indices, repeated]))
  return [...new Set(orders.map((order) => order.join()))].map((order) => order.split(',').map((i) => items[Number(i)]!))
}
