/** The template's queues, joined as it joins them: hook queue to dead letters, rule to hook queue and to the queue of rule errors. */

import type { Backlog } from '../mqtt/backlog.ts'
import type { QueueRule } from '../rules/rules.ts'
import type { Journal } from '../state/journal.ts'
import type { KeptState } from '../state/kept-state.ts'
import type { Template } from '../template/template.ts'
import { Queue } from './queue.ts'

export interface Queues {
  /** Those that rules send to and functions handle. */
  readonly hooks: readonly Queue[]
  /** Of the rules' error actions. */
  readonly ruleErrors: readonly Queue[]
  /** Dead letters besides. */
  readonly all: readonly Queue[]
  readonly rules: readonly QueueRule[]
}

export interface QueueParts {
  /** Knows of every event that a hook has still to handle. */
  readonly backlog: Backlog
  readonly retryAfterMs: number
  readonly journal?: Pick<Journal, 'append' | 'kept'> | undefined
}

/** With what an earlier run left in them. */
export function connectQueues(template: Template, parts: QueueParts): Queues {
  const queues = queuesOf(template, parts)
  const all = [...queues.values()]
  if (parts.journal) restore(all, parts.journal.kept)
  const rules = template.rules.map(({ name, sql, queue, errors }) => ({
    name,
    sql,
    queue: queues.get(queue)!,
    ...(errors === undefined ? {} : { errors: queues.get(errors)! }),
  }))
  const ruleErrors = all.filter((queue) => rules.some(({ errors }) => errors === queue))
  const handled = handledIn(template)
  return { hooks: all.filter(({ options }) => handled.has(options.arn)), ruleErrors, all, rules }
}

/** By ARN. What nothing consumes (the probe's queue) keeps no publish waiting. */
function handledIn(template: Template): ReadonlySet<string> {
  const sent = new Set(template.rules.map(({ queue }) => queue))
  return new Set(
    template
      .sources('')
      .map(({ queue }) => queue)
      .filter((queue) => sent.has(queue)),
  )
}

/** By ARN. */
function queuesOf(template: Template, { backlog, retryAfterMs, journal }: QueueParts): Map<string, Queue> {
  const { queues } = template
  const handled = handledIn(template)
  const made = new Map<string, Queue>()
  // Those without dead letters first: they are the others' dead letters.
  for (const { name, arn, redrivePolicy } of [...queues].sort(
    (a, b) => Number(Boolean(a.redrivePolicy)) - Number(Boolean(b.redrivePolicy)),
  )) {
    const counted = handled.has(arn)
    const policy = redrivePolicy && { ...redrivePolicy, deadLetters: made.get(redrivePolicy.deadLetters)! }
    made.set(
      arn,
      new Queue({
        name,
        arn,
        retryAfterMs,
        journal: journal?.append,
        ...(policy ? { redrivePolicy: policy } : {}),
        ...(counted ? { onEntered: () => backlog.added(), onLeft: () => backlog.handled() } : {}),
      }),
    )
  }
  return made
}

function restore(queues: readonly Queue[], { waiting, deadLetters }: KeptState): void {
  const queueOf = (name: string) => queues.find((queue) => queue.name === name)
  for (const message of waiting.values()) queueOf(message.queue)?.restore(message)
  for (const letter of deadLetters.values()) queueOf(letter.queue)?.restoreDeadLetter(letter)
}
