/** What the bench makes of many samples. */

/** The middle one, or the mean of the two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('no median of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** How much y grows with x: least squares. @throws where all x are one */
export function slopeOf(points: readonly Point[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const x = mean(points.map((point) => point.x))
  const y = mean(points.map((point) => point.y))
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  if (!(spread > 0)) throw new Error(`no slope of ${points.length} points, wanted two different x at least`)
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread
}
