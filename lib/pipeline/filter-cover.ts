/**
 * Topic filters as sets of topics, as the FROM clause of AWS IoT SQL matches them: `a/#` does not match `a`.
 * A filter that starts with a wildcard matches no topic that starts with `$` [MQTT-4.7.2-1]: our WHERE clauses exclude those topics.
 */
interface Shape {
  readonly filter: string
  /** The levels before a final `#`. */
  readonly fixed: readonly string[]
  /** Whether the filter ends in `#`, which stands for one level or more. */
  readonly rest: boolean
}

const shapeOf = (filter: string): Shape => {
  const levels = filter.split('/')
  const rest = levels.at(-1) === '#'
  return { filter, fixed: rest ? levels.slice(0, -1) : levels, rest }
}

const startsWithWildcard = ({ filter }: Shape) => filter.startsWith('+') || filter.startsWith('#')
const startsWithDollar = ({ filter }: Shape) => filter.startsWith('$')
const dollarApart = (a: Shape, b: Shape) => (startsWithDollar(a) && startsWithWildcard(b)) || (startsWithDollar(b) && startsWithWildcard(a))

/** Whether `outer` matches every topic that `inner` matches. */
export const covers = (outer: string, inner: string): boolean => coversShape(shapeOf(outer), shapeOf(inner))

function coversShape(big: Shape, small: Shape): boolean {
  const deepEnough = big.rest ? small.fixed.length + (small.rest ? 1 : 0) > big.fixed.length : !small.rest && lengthsAgree(big, small)
  return !dollarApart(big, small) && deepEnough && big.fixed.every((level, i) => level === '+' || level === small.fixed[i])
}

/** Whether both filters match some topic. */
export function overlaps(a: string, b: string): boolean {
  const [one, other] = [shapeOf(a), shapeOf(b)]
  const agree = one.fixed.every((level, i) => {
    const opposite = other.fixed[i]
    return opposite === undefined || level === '+' || opposite === '+' || level === opposite
  })
  return !dollarApart(one, other) && lengthsAgree(one, other) && agree
}

function lengthsAgree(a: Shape, b: Shape): boolean {
  if (a.rest) return b.rest || b.fixed.length > a.fixed.length
  return b.rest ? a.fixed.length > b.fixed.length : a.fixed.length === b.fixed.length
}

/** AWS filters that together match what the MQTT filter matches. For `a/#` they are `a` and `a/#`: in MQTT `a/#` matches `a` too [MQTT-4.7.1-2]. */
export function awsFilters(filter: string): string[] {
  // In MQTT `+/#` matches every topic of one level or more, as `#` does.
  if (filter === '#' || filter === '+/#') return ['#']
  return filter.endsWith('/#') ? [filter.slice(0, -2), filter] : [filter]
}

/** The AWS filters of MQTT filters, without those that another one covers: exact filters first, then `prefix/#`, then those with `+`. */
export function awsCover(filters: readonly string[]): string[] {
  const all = [...new Set(filters.flatMap(awsFilters))].map(shapeOf)
  const widest = all.filter((shape) => !all.some((other) => other !== shape && coversShape(other, shape))).map(({ filter }) => filter)
  const difficulty = (filter: string) => (filter.split('/').includes('+') ? 2 : filter.endsWith('#') ? 1 : 0)
  return widest.sort((a, b) => difficulty(a) - difficulty(b))
}
