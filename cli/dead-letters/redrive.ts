/** A redrive: passes over all hooks' dead letters and over the rules' errors at the same time. */
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { HookName } from '../../lambda/core/hooks.ts'
import type { BackendQueues } from './backend-queues.ts'
import { deadLetterVerdict, ruleErrorVerdict } from './letter-verdict.ts'
import { type PassReport, type Progress, redriveQueue, type Source } from './queue-pass.ts'
import { SqsQueue } from './sqs-queue.ts'

export interface RedriveOptions {
  /** Only events of these hooks; default all. */
  readonly hooks?: readonly HookName[] | undefined
  readonly dryRun?: boolean
  readonly onProgress?: (progress: Progress) => void
  /** Asked before every ten letters. A redrive that is stopped leaves the other letters where they are. */
  readonly stopped?: () => boolean
}

const RULE_ERRORS = 'rule errors'

/** @returns a report for each queue, also for one whose pass failed: it may have redriven letters before */
export async function redrive(client: SQSClient, queues: BackendQueues, options: RedriveOptions = {}): Promise<PassReport[]> {
  const { hooks: only, dryRun = false, onProgress = () => undefined, stopped = () => false } = options
  const { sources, targets } = sourcesOf(client, queues, only)
  const run = { targets, dryRun, sentAs: new Set<string>(), onProgress, stopped, ...(only ? { only } : {}) }
  return await Promise.all(sources.map((source) => redriveQueue(source, run)))
}

/** Where letters are, and the hooks' queues to which they go. @param only of these hooks */
export function sourcesOf(
  client: SQSClient,
  queues: BackendQueues,
  only?: readonly HookName[],
): { readonly sources: Source[]; readonly targets: ReadonlyMap<HookName, SqsQueue> } {
  const queueAt = (url: string) => new SqsQueue(client, url)
  const targets = new Map([...queues.hooks].map(([hook, { events }]) => [hook, queueAt(events)]))
  const letters = [...queues.hooks].filter(([hook]) => !only || only.includes(hook))
  const sources: Source[] = letters.map(([hook, { deadLetters }]) => ({
    name: hook,
    queue: queueAt(deadLetters),
    verdict: (letter) => deadLetterVerdict(hook, letter),
  }))
  if (queues.ruleErrors !== undefined) sources.push({ name: RULE_ERRORS, queue: queueAt(queues.ruleErrors), verdict: ruleErrorVerdict })
  return { sources, targets }
}
