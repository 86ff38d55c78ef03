/** CloudWatch's embedded metric format: metrics as log lines ("Specification: embedded metric format"). */
import type { HookName } from '../../core/hooks.ts'
import { ALL_HOOKS, HANDLER_ERRORS, HOOK_DIMENSION, HOOKS_DIMENSION, REASON_DIMENSION, THROTTLED_CODES } from '../../core/metrics.ts'

/** What one invocation of a function measured. */
export interface Measured {
  readonly hook: HookName
  /** Metric -> how many. */
  readonly counts: ReadonlyMap<string, number>
  /** Metric -> milliseconds, one for each message or event. */
  readonly latencies: ReadonlyMap<string, readonly number[]>
  /** Code -> how many events failed with it. */
  readonly errors: ReadonlyMap<string, number>
}

/** Values of a metric in one line at most. */
const MAX_VALUES = 100

const OF_ALL = [HOOKS_DIMENSION]
/** For each hook and by reason: for people, not for alarms. */
const OF_REASON = [[HOOK_DIMENSION], [HOOK_DIMENSION, REASON_DIMENSION]]

/**
 * The measures as log lines; none where nothing was measured. It takes several lines where events failed for several reasons, each of which
 * is a dimension's value, or where there are more values than fit into one. `at`: in ms.
 */
export function emfLines(namespace: string, { hook, counts, latencies, errors }: Measured, at: number): string[] {
  const reasons = [...errors]
  const longest = Math.max(0, ...[...latencies.values()].map(({ length }) => length))
  const lines = Math.max(counts.size > 0 ? 1 : 0, reasons.length, Math.ceil(longest / MAX_VALUES))
  return Array.from({ length: lines }, (_, i) => {
    const counted = i === 0 ? [...counts] : []
    const timed = [...latencies].flatMap(([name, values]) => {
      const some = values.slice(i * MAX_VALUES, (i + 1) * MAX_VALUES)
      return some.length > 0 ? [[name, some] as const] : []
    })
    const [reason, failed] = reasons[i] ?? []
    const directive = (Dimensions: string[][], Metrics: object[]) =>
      Metrics.length > 0 ? [{ Namespace: namespace, Dimensions, Metrics }] : []
    const metric =
      (Unit: string) =>
      ([Name]: readonly [string, unknown]) => ({ Name, Unit })
    const ofAll = [...counted.map(metric('Count')), ...timed.map(metric('Milliseconds'))]
    return JSON.stringify({
      _aws: {
        Timestamp: at,
        CloudWatchMetrics: [
          ...directive([OF_ALL], ofAll),
          ...(reason === undefined ? [] : directive(errorDimensions(reason), [{ Name: HANDLER_ERRORS, Unit: 'Count' }])),
        ],
      },
      [HOOKS_DIMENSION]: ALL_HOOKS,
      [HOOK_DIMENSION]: hook,
      ...Object.fromEntries([...counted, ...timed]),
      ...(reason === undefined ? {} : { [REASON_DIMENSION]: reason, [HANDLER_ERRORS]: failed }),
    })
  })
}

/** What was throttled is no error that somebody must repair: it has a count and an alarm of its own. */
const errorDimensions = (reason: string): string[][] => (THROTTLED_CODES.includes(reason) ? OF_REASON : [OF_ALL, ...OF_REASON])
