/** One axis of a chart: where a value lies on it, and which values are worth a line. */
export interface Axis {
  /** 0 at its beginning, 1 at its end. */
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

/** Values this far apart are told apart on a logarithmic axis only. */
const WIDE = 40

export const wantsLog = (values: readonly number[]): boolean => {
  const least = Math.min(...values)
  return least > 0 && Math.max(...values) / least >= WIDE
}

/** From a power of ten at or below the values to one at or above them. */
export function logAxis(values: readonly number[]): Axis {
  const from = Math.floor(Math.log10(Math.min(...values)) + 1e-9)
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9))
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => Number(`1e${from + i}`))
  return { at: (value) => (Math.log10(value) - from) / (to - from), ticks }
}

/** From zero, or a round number below the values, in round steps. */
export function linearAxis(values: readonly number[]): Axis {
  const least = Math.min(0, ...values)
  const most = Math.max(...values, least + Number.EPSILON)
  const step = roundStep((most - least) / 5)
  const from = Math.floor(least / step + 1e-9)
  const to = Math.max(from + 1, Math.ceil(most / step - 1e-9))
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => Number(((from + i) * step).toPrecision(12)))
  return { at: (value) => (value / step - from) / (to - from), ticks }
}

/** 1, 2 or 5 times a power of ten, at least as wide. */
function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted))
  return (([1, 2, 5] as const).find((times) => times * power >= wanted * (1 - 1e-9)) ?? 10) * power
}

export const axisOf = (values: readonly number[]): Axis => (wantsLog(values) ? logAxis(values) : linearAxis(values))
