/** Reads a moment: of the calendar, or so long ago. */
import { reader } from './values.ts'

/** RFC 3339, its time of day or seconds left out where nobody needs them. Without a zone two readers would mean two moments. */
const CALENDAR = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2}))?$/
const AGO = /^(\d{1,9})(s|m|h|d)$/
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const read = (got: string): number | undefined => {
  const [, count, unit] = AGO.exec(got) ?? []
  if (count !== undefined) return Date.now() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
  const [, day, time = '00:00', zone = 'Z'] = CALENDAR.exec(got) ?? []
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${zone}`)
  // Date.parse makes March 2nd of February 30th.
  return Number.isNaN(at) || !isOfCalendar(day!) ? undefined : at
}

const isOfCalendar = (day: string): boolean => new Date(`${day}T00:00Z`).toISOString().startsWith(day)

/** Milliseconds since the epoch. A day alone begins at midnight, UTC. */
export const time = reader('a time such as 2026-03-31T08:00Z or 2026-03-31, or so long ago as 90s, 15m, 2h or 7d', read)
