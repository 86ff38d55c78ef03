/** Whether a letter can succeed: it is parsed as its hook will parse it. */
import { BackendError } from '../../lambda/core/errors.ts'
import { eventOfRuleError, ruleNameOf } from '../../lambda/core/events/rule-errors.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import { hookOfRule } from './aws-names.ts'
import { EVENT_PARSERS } from './event-parsers.ts'
import type { Fault, Letter, Verdict } from './letter.ts'

/** A dead letter goes back to its hook's queue unchanged. */
export function deadLetterVerdict(hook: HookName, { body }: Letter): Verdict {
  try {
    EVENT_PARSERS[hook](JSON.parse(body))
    return { hook, body }
  } catch (error) {
    return { hook, ...faultOf(error, 'the message') }
  }
}

/** From a rule's error the event is made that the rule should have sent. */
export function ruleErrorVerdict(letter: Letter): Verdict {
  let hook: HookName | undefined
  try {
    const error: unknown = JSON.parse(letter.body)
    hook = hookOfRule(ruleNameOf(error))
    if (hook === undefined) throw new BackendError('unknown-rule', 'ruleName is none of this backend, wanted a rule named after its hook')
    const event = eventOfRuleError(hook, error, letter)
    EVENT_PARSERS[hook](event)
    return { hook, body: JSON.stringify(event) }
  } catch (error) {
    return { ...(hook === undefined ? {} : { hook }), ...faultOf(error, hook === undefined ? 'the message' : 'its original payload') }
  }
}

function faultOf(error: unknown, text: string): Fault {
  if (error instanceof BackendError) return { code: error.code, why: error.message }
  // JSON.parse quotes the payload in its message, which nobody may print (I10).
  if (error instanceof SyntaxError) return { code: 'bad-event', why: `bad event: ${text} is no JSON, wanted what an IoT rule selects` }
  throw error
}
