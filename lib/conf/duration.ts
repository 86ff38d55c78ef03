/** Durations as EMQX's conf files write them (cuttlefish_duration): `2h`, `1h30m`, `7d`, or a number of seconds. */
const SECONDS_OF: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 }
const DURATION = /^(?:\d{1,9}[wdhms])+$/
const SECONDS = /^\d{1,10}$/

export const DURATION_WANTED = 'a duration such as 90s, 15m, 2h, 1h30m or 7d, or a number of seconds, more than 0'

/** Whole seconds, more than 0; undefined if `text` is no duration. */
export function parseDuration(text: string): number | undefined {
  const written = text.toLowerCase()
  if (SECONDS.test(written)) return Number(written) || undefined
  if (!DURATION.test(written)) return undefined
  const parts = written.matchAll(/(\d+)([wdhms])/g)
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (SECONDS_OF[unit ?? ''] ?? 0), 0) || undefined
}
