/** The template's topic rules: every message that one selects goes to its queue. */
import type { BackendError } from '../../lambda/core/errors.ts'
import type { Queue } from '../functions/queue.ts'
import type { Misbehaviour } from '../misbehaviour.ts'
import { compileRule, type Rule, type RuleMessage } from './rule-evaluator.ts'

export interface QueueRule {
  readonly name: string
  readonly sql: string
  readonly queue: Queue
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

  /** How many rules matched. A rule that fails is logged and skipped, as on IoT Core. */
  run(message: RuleMessage): number {
    let matched = 0
    for (const { name, rule, queue } of this.#rules) {
      const selected = this.#evaluate(name, rule, message)
      if (!selected) continue
      matched++
      const body = JSON.stringify(selected)
      for (const delayMs of this.#options.misbehaviour.copies()) queue.send(body, delayMs)
    }
    return matched
  }

  #evaluate(name: string, rule: Rule, message: RuleMessage): Record<string, unknown> | undefined {
    try {
      return rule.evaluate(message)
    } catch (error) {
      this.#options.warn(`rule ${name} on ${message.topic}: ${(error as BackendError).message}`)
      return undefined
    }
  }
}
