/**
 * What IoT Core gives a rule's error action, and the event that the rule's own action should have got.
 * AWS IoT developer guide, "Error handling (error action)".
 */

import type { HookName } from '../hooks.ts'
import { base64Field, type Fields, fieldsOf, isMissing, optionalText, textField } from './fields.ts'
import { LIFECYCLE_TOPICS } from './lifecycle-events.ts'
import { NO_CLIENT } from './publish-events.ts'

/** One message a rule and publish, whatever the number of actions that failed. */
export interface RuleError {
  readonly ruleName: string
  readonly topic: string
  /** Names the entries of IoT Core's log. */
  readonly cloudwatchTraceId: string
  readonly clientId: string
  readonly base64OriginalPayload: string
  readonly failures: readonly { readonly failedAction: string; readonly failedResource: string; readonly errorMessage: string }[]
}

/** The SQS message that carries a rule error. */
export interface RuleErrorMessage {
  readonly messageId: string
  /** Milliseconds since the epoch. */
  readonly sentAt: number
}

/** @throws BackendError `bad-event` */
export const ruleNameOf = (error: unknown): string => textField(fieldsOf(error), 'ruleName')

/**
 * The event as the rule selects it. A rule error tells neither the time of a publish nor its MQTT 5 properties. The event gets the time at
 * which SQS received the error, so that a second redrive makes the same message. It is marked as in doubt: IoT Core may have tried for seconds.
 * @throws BackendError `bad-event` where it is no rule error, `SyntaxError` where a lifecycle event is no JSON
 */
export function eventOfRuleError(hook: HookName, error: unknown, { messageId, sentAt }: RuleErrorMessage): unknown {
  const fields = fieldsOf(error)
  const payload = base64Field(fields, 'base64OriginalPayload')
  if (hook in LIFECYCLE_TOPICS) return JSON.parse(payload.toString('utf8'))
  const published = {
    topic: textField(fields, 'topic'),
    clientid: isMissing(fields.clientId) ? NO_CLIENT : textField(fields, 'clientId'),
    timestamp: sentAt,
    payload: payload.toString('base64'),
  }
  return hook === 'message.publish' ? { ...published, time_in_doubt: true, ...idsOf(fields, messageId) } : published
}

/** {@link parsePublish} uses the trace id if it is a UUID, as `traceid()` is. SQS's message id always is one. */
function idsOf(fields: Fields, messageId: string): { traceid?: string; uuid: string } {
  const traceid = optionalText(fields, 'cloudwatchTraceId')
  return { ...(traceid === undefined ? {} : { traceid }), uuid: messageId }
}
