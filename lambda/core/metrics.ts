/**
 * The metrics that the functions emit, as CloudWatch and the local run see them: one namespace a stack, dimension `Hook`. Handled events
 * are counted under EMQX's hook names. Nothing here tells a client, a topic or a payload (I10).
 */
import type { HookName } from './hooks.ts'

/** Environment variable with the namespace, the stack's name: two stacks of an account do not count into each other. Absent: no metrics. */
export const METRICS_NAMESPACE_VARIABLE = 'METRICS_NAMESPACE'

export const HOOK_DIMENSION = 'Hook'
/** Code of the error, of {@link HANDLER_ERRORS} only. */
export const REASON_DIMENSION = 'Reason'

/** Events of the hook that were handled: `client.connected` -> `client_connected`. */
export const handledMetric = (hook: HookName): string => hook.replace('.', '_')

/** `gone`: not connected; `unknown`: no PUBACK in time, the client may have it; `throttled`: again later. */
export type SendOutcome = 'acked' | 'gone' | 'unknown' | 'throttled' | 'forbidden' | 'unsendable'

/** Direct messages by outcome; every try counts. `unknown` is a 504: no PUBACK in time. */
export const OUTCOME_METRICS: Readonly<Record<SendOutcome, string>> = {
  acked: 'message_delivered',
  gone: 'delivery_gone',
  unknown: 'delivery_unknown',
  throttled: 'delivery_throttled',
  forbidden: 'delivery_forbidden',
  unsendable: 'delivery_unsendable',
}

/** Messages that were taken off their queue without a PUBACK, because IoT Core delivered them natively. */
export const SETTLED = 'message_settled'
/** GetRetainedMessage answered 429. */
export const RETAINED_CHECK_THROTTLED = 'retained_check_throttled'
/** Events that failed, by code. */
export const HANDLER_ERRORS = 'handler_errors'
/** Events that continue at their next try: a backlog larger than one invocation, a client not reachable yet. No fault. */
export const UNFINISHED = 'event_unfinished'
/** Milliseconds from the publish, by the rule's clock, to its row in mqtt_msg. */
export const PUBLISH_TO_STORED = 'publish_to_stored'
/** Milliseconds from the subscribe or connect, by its event, to the PUBACK of the last message that it brought. */
export const SUBSCRIBE_TO_LAST_DELIVERED = 'subscribe_to_last_delivered'

/** Hooks whose events bring queued and retained messages: those of {@link SUBSCRIBE_TO_LAST_DELIVERED}. */
export const SUBSCRIBING_HOOKS: readonly HookName[] = ['session.subscribed', 'client.connected', 'session.created']

/** Acknowledgements on the ack topic that can never succeed: dropped, with a log line. */
export const ACK_REFUSED = 'ack_refused'
/** Operator's rows that can never bring anything: passed over, with a log line each, at every connect. */
export const OPERATOR_ROW_IGNORED = 'operator_row_ignored'
/** Code of the error of an event that a client made wrong: it is dropped, because no further try and no operator can mend it. */
export const REFUSED_CODE = 'bad-ack'

/** Code of the error of an event that continues at its next try. */
export const UNFINISHED_CODE = 'unfinished'
