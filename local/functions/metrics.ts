/** The functions' metrics, as CloudWatch would show them: their lines in the embedded metric format, added up since the run began. */
import { HANDLER_ERRORS, HOOK_DIMENSION, OUTCOME_METRICS, QUEUE_DEPTH_MAX, REASON_DIMENSION } from '../../lambda/core/metrics.ts'

/** So many values of each metric are kept for percentiles. */
const KEPT = 10_000
const OUTCOMES: readonly string[] = Object.values(OUTCOME_METRICS)

export interface Latency {
  /** Of all that were measured. */
  readonly count: number
  /** Milliseconds: percentiles of the last 10,000, and the longest of all. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** By the names that CloudWatch knows them by. */
export interface HookMetrics {
  readonly counts: Readonly<Record<string, number>>
  /** Of direct messages. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Code -> events that failed with it. */
  readonly errors: Readonly<Record<string, number>>
  readonly latencies: Readonly<Record<string, Latency>>
}

interface Held {
  readonly counts: Map<string, number>
  readonly errors: Map<string, number>
  readonly latencies: Map<string, { count: number; max: number; readonly last: number[] }>
}

type EmfLine = Readonly<Record<string, unknown>> & {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly { readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[] }[]
  }
}

export class FunctionMetrics {
  readonly #hooks = new Map<string, Held>()

  /** Takes any line that a function printed, and ignores those that are no metrics. */
  read(line: string): void {
    const emf = emfOf(line)
    if (emf === undefined) return
    const hook = `${emf[HOOK_DIMENSION]}`
    const held = this.#hooks.get(hook) ?? { counts: new Map(), errors: new Map(), latencies: new Map() }
    this.#hooks.set(hook, held)
    for (const { Name, Unit } of emf._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics)) {
      if (Unit === 'Milliseconds') keep(held, Name, [emf[Name]].flat() as number[])
      else if (Name === HANDLER_ERRORS) add(held.errors, `${emf[REASON_DIMENSION]}`, emf[Name] as number)
      else if (Name === QUEUE_DEPTH_MAX) held.counts.set(Name, Math.max(emf[Name] as number, held.counts.get(Name) ?? 0))
      else add(held.counts, Name, emf[Name] as number)
    }
  }

  /** Hook -> its metrics; hooks that handled nothing are not there. */
  report(): Record<string, HookMetrics> {
    return Object.fromEntries([...this.#hooks].map(([hook, held]) => [hook, metricsOf(held)]))
  }
}

function emfOf(line: string): EmfLine | undefined {
  if (!line.startsWith('{"_aws"')) return undefined
  try {
    return JSON.parse(line) as EmfLine
  } catch {
    // A thread that was killed may leave half a line.
    return undefined
  }
}

const add = (counts: Map<string, number>, name: string, more: number) => void counts.set(name, (counts.get(name) ?? 0) + more)

function keep({ latencies }: Held, name: string, values: readonly number[]): void {
  const held = latencies.get(name) ?? { count: 0, max: 0, last: [] }
  latencies.set(name, held)
  held.count += values.length
  held.max = Math.max(held.max, ...values)
  held.last.push(...values)
  if (held.last.length > KEPT) held.last.splice(0, held.last.length - KEPT)
}

function metricsOf({ counts, errors, latencies }: Held): HookMetrics {
  const where = (keeps: (name: string) => boolean) => Object.fromEntries([...counts].filter(([name]) => keeps(name)))
  return {
    counts: where((name) => !OUTCOMES.includes(name)),
    outcomes: where((name) => OUTCOMES.includes(name)),
    errors: Object.fromEntries(errors),
    latencies: Object.fromEntries(
      [...latencies].map(([name, { count, max, last }]): [string, Latency] => {
        const sorted = last.toSorted((a, b) => a - b)
        return [name, { count, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), max }]
      }),
    ),
  }
}

/** By nearest rank. */
const percentile = (sorted: readonly number[], part: number): number => sorted[Math.ceil(part * sorted.length) - 1]!
