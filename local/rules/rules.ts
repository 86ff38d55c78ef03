/** The template's topic rules. What a rule selects goes to its queue; if its action fails, an error goes to the queue of rule errors. */
import type { BackendError } from '../../lambda/core/errors.ts'
import { NO_CLIENT } from '../../lambda/core/events/publish-events.ts'
import type { RuleError } from '../../lambda/core/events/rule-errors.ts'
import type { Misbehaviour } from '../misbehaviour.ts'
import type { Queue } from '../sqs/queue.ts'
import { compileRule, type Rule } from './rule-evaluator.ts'
import type { RuleMessage } from './rule-message.ts'

export interface QueueRule {
  readonly name: string
  readonly sql: string
  readonly queue: Queue
  /** Of the rule's error action. */
  readonly errors?: Queue
}

interface Compiled extends QueueRule {
  readonly rule: Rule
}

export class Rules {
  readonly #rules: readonly Compiled[]
  readonly #options: { readonly misbehaviour: Misbehaviour; readonly warn: (text: string) => void }

  /** Throws where a rule's SQL is not what the evaluator knows. */
  constructor(rules: readonly QueueRule[], options: { misbehaviour: Misbehaviour; warn: (text: string) => void }) {
    this.#rules = rules.map((rule) => ({ ...rule, rule: compileRule(rule.sql) }))
    this.#options = options
  }

  /** Runs all rules. Returns how many matched. A rule that fails is logged and skipped, as in IoT Core. */
  run(message: RuleMessage): number {
    let matched = 0
    for (const rule of this.#rules) {
      const body = this.#evaluate(rule, message)
      if (body === undefined) continue
      matched++
      if (this.#options.misbehaviour.failsAction()) rule.errors?.send(JSON.stringify(actionError(rule, message)))
      else this.#send(rule.queue, body)
    }
    return matched
  }

  #send(queue: Queue, body: string): void {
    for (const delayMs of this.#options.misbehaviour.copies()) queue.send(body, delayMs)
  }

  /** What the rule selects, as JSON. JSON.parse reads more levels than JSON.stringify writes. */
  #evaluate({ name, rule }: Compiled, message: RuleMessage): string | undefined {
    try {
      return JSON.stringify(rule.evaluate(message))
    } catch (error) {
      const why = error instanceof RangeError ? 'selects JSON of too many levels' : (error as BackendError).message
      this.#options.warn(`rule ${name} on ${JSON.stringify(message.topic)}: ${why}`)
      return undefined
    }
  }
}

const actionError = ({ name, queue }: Compiled, { topic, clientid, traceid, uuid, payload }: RuleMessage): RuleError => ({
  ruleName: name,
  topic,
  cloudwatchTraceId: traceid ?? uuid,
  clientId: clientid ?? NO_CLIENT,
  base64OriginalPayload: payload.toString('base64'),
  failures: [{ failedAction: 'SqsAction', failedResource: queue.queueName, errorMessage: 'refused on purpose (--fail-action)' }],
})
