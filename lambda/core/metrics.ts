/**
 * The metrics that the functions emit, as CloudWatch and the local run see them: one namespace a stack. Handled events
 * are counted under EMQX's hook names. Nothing here tells a client, a topic or a payload (I10).
 */
import type { HookName } from './hooks.ts'

/** Environment variable with the namespace, the stack's name: two stacks of an account do not count into each other. Absent: no metrics. */
export const METRICS_NAMESPACE_VARIABLE = 'METRICS_NAMESPACE'

/** How often SQS hands out an event before it becomes a dead letter. Environment variable of a function. */
export const MAX_RECEIVES_VARIABLE = 'MAX_RECEIVES'

/** Environment variable of a function that logs failures only: `warn`. Absent: a line for each event. */
export const LOG_LEVEL_VARIABLE = 'LOG_LEVEL'

/** The one set of dimensions that all hooks share: `Hooks` = `all`. An alarm on it needs no sum of metrics that may not exist yet. */
export const HOOKS_DIMENSION = 'Hooks'
export const ALL_HOOKS = 'all'
/** The hook of a line. A dimension of {@link HANDLER_ERRORS} only. */
export const HOOK_DIMENSION = 'Hook'
/** Code of the error, of {@link HANDLER_ERRORS} only. */
export const REASON_DIMENSION = 'Reason'

/** Events of the hook that were handled: `client.connected` -> `client_connected`. */
export const handledMetric = (hook: HookName): string => hook.replace('.', '_')

/** `gone`: not connected; `silent`: no PUBACK in time, `unknown`: IoT Core failed, and the client may have it; `throttled`: again later. */
export type SendOutcome = 'acked' | 'gone' | 'silent' | 'unknown' | 'throttled' | 'forbidden' | 'unsendable'

/** Direct messages by outcome; every try counts. */
export const OUTCOME_METRICS: Readonly<Record<SendOutcome, string>> = {
  acked: 'message_delivered',
  gone: 'delivery_gone',
  silent: 'delivery_unknown',
  unknown: 'delivery_unknown',
  throttled: 'delivery_throttled',
  forbidden: 'delivery_forbidden',
  unsendable: 'delivery_unsendable',
}

/** Messages that were taken off their queue without a PUBACK, because IoT Core delivered them natively. */
export const SETTLED = 'message_settled'
/** Receipts that the sender of a message has got, and tries to send one that it did not get. They are no deliveries. */
export const RECEIPTS_SENT = 'receipt_sent'
export const RECEIPTS_UNSENT = 'receipt_unsent'
/** GetRetainedMessage answered 429. */
export const RETAINED_CHECK_THROTTLED = 'retained_check_throttled'
/** Direct messages without a PUBACK, but those to a client that is gone. */
export const FAILED_DELIVERIES = 'delivery_failed'
/** Events that failed, by hook and by code. Those that were throttled are not in the sum of all hooks. */
export const HANDLER_ERRORS = 'handler_errors'
/** Events that failed because DynamoDB or IoT Core refused a request for its rate: they are tried again. */
export const THROTTLED_EVENTS = 'event_throttled'
/** Events that failed at their last receive: SQS makes dead letters of them. */
export const GIVEN_UP = 'event_given_up'
/** Milliseconds from an event's entry into its queue to this receive of it, of {@link AGED_HOOKS}. */
export const EVENT_AGE = 'event_age'
/** Hooks whose events must not be late, because settling trusts that. */
export const AGED_HOOKS: readonly HookName[] = ['client.disconnected', 'session.unsubscribed', 'message.acked']
/** Events that continue at their next try: a backlog larger than one invocation, a client not reachable yet. No fault. */
export const UNFINISHED = 'event_unfinished'
/** Milliseconds from the publish, by the rule's clock, to its row in mqtt_msg. */
export const PUBLISH_TO_STORED = 'publish_to_stored'
/** Milliseconds from the subscribe or connect, by its event, to the PUBACK of the last message that it brought. */
export const SUBSCRIBE_TO_LAST_DELIVERED = 'subscribe_to_last_delivered'

/** Below both of these a queue is no backlog, and is not measured: on each publish's line it would cost more than it tells. */
export const LEAST_BACKLOG = { messages: 16, ms: 60_000 } as const
/** About how many messages wait on the topic that is deepest of an invocation's publishes. Of a backlog only. */
export const QUEUE_DEPTH_MAX = 'queue_depth_max'
/** Milliseconds since the oldest message that the heads of these topics name was published. Of a backlog only. */
export const QUEUE_AGE_MAX = 'queue_age_max'

/**
 * Hooks whose events bring queued and retained messages: those of {@link SUBSCRIBE_TO_LAST_DELIVERED}. They may come back for as long as a
 * client's backlog lasts, so their age says nothing.
 */
export const DELIVERING_HOOKS: readonly HookName[] = ['session.subscribed', 'client.connected', 'session.created']

/** Acknowledgements on the ack topic that can never succeed: dropped, with a log line. */
export const ACK_REFUSED = 'ack_refused'
/** Operator's rows that can never bring anything: passed over, with a log line each, at every connect. */
export const OPERATOR_ROW_IGNORED = 'operator_row_ignored'
/** Limits that were hit, with a log line each: which limit, whose, and what happens next. */
export const LIMIT_REACHED = 'limit_reached'

/** Code of the error of an event that a client made wrong: it is dropped, because no further try and no operator can mend it. */
export const REFUSED_CODE = 'bad-ack'

/** Code of the error of an event that continues at its next try. */
export const UNFINISHED_CODE = 'unfinished'

/** Names of the errors of a table, or of GetRetainedMessage, that is asked too fast. */
export const THROTTLED_CODES: readonly string[] = ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded']
