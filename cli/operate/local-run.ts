/** What a run on this machine tells of itself under `/local`. */
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BackendError } from '../../lambda/core/errors.ts'
import { hookConfigs } from '../../lambda/core/hooks.ts'
import { QUEUE_AGE_MAX, QUEUE_DEPTH_MAX } from '../../lambda/core/metrics.ts'
import { readConf } from '../../lib/conf/conf-file.ts'
import type { RunConf } from '../../local/data-plane/local-operations.ts'

export interface LocalRunState {
  readonly connected: number
  readonly queues: readonly { readonly name: string; readonly waiting: number; readonly inFlight: number; readonly deadLetters: number }[]
  readonly ruleErrors: number
  /** Since the run began. */
  readonly published: number
  /** Direct messages with a PUBACK. */
  readonly delivered: number
  readonly failed: number
  /** About how many messages a publish has met on its topic, at most; 0: never a backlog. And the age of the oldest of them. */
  readonly deepest: number
  readonly oldestMs: number
  /** Hook and code -> events that failed with it. */
  readonly errors: ReadonlyMap<string, number>
}

interface Hook {
  readonly counts: Readonly<Record<string, number>>
  readonly outcomes: Readonly<Record<string, number>>
  readonly errors: Readonly<Record<string, number>>
  readonly latencies: Readonly<Record<string, { readonly max: number }>>
}

const TIMEOUT_MS = 5_000

/** @throws BackendError `unreachable` when the run has ended */
export async function localRunState(dataUrl: string): Promise<LocalRunState> {
  const [{ queues, ruleErrors }, { hooks }, { connected }] = await Promise.all([
    asked<{ queues: { name: string; waiting: number; inFlight: number; deadLetters: unknown[] }[]; ruleErrors: unknown[] }>(
      dataUrl,
      'queues',
    ),
    asked<{ hooks: Record<string, Hook> }>(dataUrl, 'metrics'),
    asked<{ connected: number }>(dataUrl, 'connections'),
  ])
  const all = Object.entries(hooks)
  const sum = (of: (hook: Hook) => number | undefined) => all.reduce((total, [, hook]) => total + (of(hook) ?? 0), 0)
  const errors = all.flatMap(([hook, { errors }]) => Object.entries(errors).map(([code, count]) => [`${hook}: ${code}`, count] as const))
  const failed = errors.reduce((total, [, count]) => total + count, 0)
  return {
    connected,
    queues: queues.map(({ deadLetters, ...queue }) => ({ ...queue, deadLetters: deadLetters.length })),
    ruleErrors: ruleErrors.length,
    published: sum(({ counts }) => counts.message_publish),
    delivered: sum(({ outcomes }) => outcomes.message_delivered),
    failed: failed + sum(({ counts }) => counts.delivery_failed),
    deepest: Math.max(0, ...all.map(([, { counts }]) => counts[QUEUE_DEPTH_MAX] ?? 0)),
    oldestMs: Math.max(0, ...all.map(([, { latencies }]) => latencies[QUEUE_AGE_MAX]?.max ?? 0)),
    errors: new Map(errors),
  }
}

/**
 * The conf that the run's handlers have.
 * @param given the conf that somebody named: it must say the same
 * @throws BackendError `usage` where it does not, `unreachable` when the run has ended
 */
export async function runConf(dataUrl: string, given?: string): Promise<RunConf> {
  const conf = await asked<RunConf>(dataUrl, 'conf')
  if (given === undefined || isDeepStrictEqual(hooksOf(readConf(given)), hooksOf(conf))) return conf
  const run = resolve(given) === conf.file ? 'it was changed since the run began' : `it has ${conf.file}`
  throw new BackendError('usage', `--conf is ${given}, which is another one than the run at ${dataUrl} has (${run}): wanted none`)
}

/** The URL of the run's DynamoDB; `undefined`: no run answers there. */
export const dynamodbOf = async (dataUrl: string): Promise<string | undefined> =>
  (await asked<{ dynamodb?: string }>(dataUrl, 'health').catch(() => undefined))?.dynamodb

/** What the handlers know of it. JSON leaves out what is undefined. */
const hooksOf = ({ table }: Pick<RunConf, 'table'>): unknown => JSON.parse(JSON.stringify(hookConfigs(table)))

async function asked<T>(dataUrl: string, what: string): Promise<T> {
  const url = `${dataUrl.replace(/\/$/, '')}/local/${what}`
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (answer.ok) return (await answer.json()) as T
    throw new BackendError('unreachable', `${url} answered ${answer.status}, wanted a run of mqtt-dynamodb start there`)
  } catch (error) {
    if (error instanceof BackendError) throw error
    throw endedAt(dataUrl)
  }
}

export const endedAt = (dataUrl: string): BackendError =>
  new BackendError('unreachable', `nothing answers at ${dataUrl}: the local run has ended, or listens elsewhere (--endpoint)`)
