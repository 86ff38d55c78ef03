/** One axis of a chart: where a value lies on it, and which values are worth a line. */
export interface Axis {
  /** 0 at its beginning, 1 at its end. */
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

/** Values this far apart are told apart on a logarithmic axis only. */
const WIDE = 40

const wantsLog = (values: readonly number[]): boolean => {
  const least = Math.min(...values)
  return least > 0 && Math.max(...values) / least >= WIDE
}

/** A little wider than the values; ticks at powers of ten, and between them where there are few. */
export function logAxis(values: readonly number[]): Axis {
  const [least, most] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))]
  const room = Math.max(0.04 * (most - least), 0.02)
  const [from, to] = [least - room, most + room]
  const isWithin = (value: number) => Math.log10(value) >= from && Math.log10(value) <= to
  const powers = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => Math.floor(from) + i)
  const ticksOf = (times: readonly number[]) => powers.flatMap((power) => times.map((one) => Number(`${one}e${power}`))).filter(isWithin)
  const tens = ticksOf([1])
  return { at: (value) => (Math.log10(value) - from) / (to - from), ticks: tens.length < 3 ? ticksOf([1, 2, 5]) : tens }
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
