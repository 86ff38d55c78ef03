/** The template's queues, connected as in the template: hook queue to dead letters, rule to hook queue and to the queue of rule errors. */

import type { Backlog } from '../mqtt/backlog.ts'
import type { QueueRule } from '../rules/rules.ts'
import type { Journal } from '../state/journal.ts'
import type { KeptState } from '../state/kept-state.ts'
import type { Template } from '../template/template.ts'
import { Queue } from './queue.ts'

export interface Queues {
  /** Queues that rules send to and functions read. */
  readonly hooks: readonly Queue[]
  /** Queues of the rules' error actions. */
  readonly ruleErrors: readonly Queue[]
  /** All queues, dead-letter queues too. */
  readonly all: readonly Queue[]
  readonly rules: readonly QueueRule[]
}

export interface QueueParts {
  /** Counts the events that no hook has handled yet. */
  readonly backlog: Backlog
  readonly retryAfterMs: number
  readonly warn: (text: string) => void
  readonly journal?: Pick<Journal, 'append' | 'kept'> | undefined
}

/** Makes the queues, with the messages that an earlier run left. */
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

/** ARNs of the queues that a function reads. Messages in others (the probe's queue) hold no publish back. */
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
function queuesOf(template: Template, { backlog, retryAfterMs, journal, warn }: QueueParts): Map<string, Queue> {
  const { queues } = template
  const handled = handledIn(template)
  const made = new Map<string, Queue>()
  // Queues without a redrive policy first: some of them are the dead-letter queues of the others.
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
        warn,
        ...(policy ? { redrivePolicy: policy } : {}),
        ...(counted ? { onEntered: (bytes: number) => backlog.added(bytes), onLeft: (bytes: number) => backlog.handled(bytes) } : {}),
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
