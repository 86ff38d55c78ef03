/** The kinds of alarms, what each means, and its limits. Each has a heading in `docs/operations.md`, which its description links to. */

/** `id`: anchor of the heading with this `title`. `advice`: what to do first. */
export const ALARMS = [
  { id: 'dead-letters', title: 'Dead letters', advice: 'Read the log for the reason, repair it, then npm run redrive.' },
  {
    id: 'rule-errors',
    title: 'Rule errors',
    advice: 'IoT Core could not send events to a queue: check role, queue and quotas, then npm run redrive.',
  },
  {
    id: 'old-events',
    title: 'Old events',
    advice: 'Events wait longer than they should: look at errors, throttles and the concurrency of the function.',
  },
  {
    id: 'growing-queue',
    title: 'Growing queue',
    advice: 'More comes in than is handled: look at throttled tables and the concurrency of the function.',
  },
  {
    id: 'handler-errors',
    title: 'Handler errors',
    advice: 'Events fail again and again: the log lines with outcome failed say action, code and reason.',
  },
  {
    id: 'function-errors',
    title: 'Function errors',
    advice: 'Whole invocations fail: a timeout, no memory, or code that does not load. Read the log.',
  },
  {
    id: 'function-throttles',
    title: 'Function throttles',
    advice: 'The account is out of concurrent executions: raise the quota or reserve some.',
  },
  {
    id: 'slow-function',
    title: 'Slow function',
    advice: 'Invocations come close to their timeout: look at throttled tables and unanswered deliveries.',
  },
  {
    id: 'throttled-table',
    title: 'Throttled table',
    advice: 'Raise its capacity, or look for a topic or client that gets all the traffic.',
  },
  {
    id: 'table-errors',
    title: 'Table errors',
    advice: 'DynamoDB answers with errors of its own: look at the AWS Health Dashboard. Events wait and are tried again.',
  },
  {
    id: 'forbidden-deliveries',
    title: 'Forbidden deliveries',
    advice: "A client's policy lacks iot:Receive on the topic: the log names client and topic.",
  },
  {
    id: 'unsendable-deliveries',
    title: 'Unsendable deliveries',
    advice: 'Messages that no direct message can carry are passed over: look for their topics.',
  },
  {
    id: 'throttled-deliveries',
    title: 'Throttled deliveries',
    advice: 'SendDirectMessage is over a quota: deliveries are late. Raise it.',
  },
  {
    id: 'unanswered-deliveries',
    title: 'Unanswered deliveries',
    advice: 'Clients do not acknowledge direct messages: half-open connections, or a library that drops them.',
  },
  {
    id: 'retained-check-throttled',
    title: 'Retained check throttled',
    advice: 'GetRetainedMessage is over its quota: narrow the filter of on_message_retain, or set its "retain".',
  },
] as const

export type AlarmId = (typeof ALARMS)[number]['id']

/** The alarm's description: title, subject, advice and link. */
export function describeAlarm(id: AlarmId, subject: string): string {
  const { title, advice } = ALARMS.find((alarm) => alarm.id === id)!
  return `${title}: ${subject}. ${advice} docs/operations.md#${id}`
}

/** The alarm goes off when the metric is at `threshold` or above in `periods` periods in a row. */
export interface Limit {
  readonly threshold: number
  readonly periods: number
  readonly periodSeconds: number
}

const ONCE = { periods: 1, periodSeconds: 300 }
/** A quarter of an hour: on-demand tables and Lambda's concurrency grow within minutes, and waiting events are tried again. */
const LASTING = { periods: 3, periodSeconds: 300 }

export const LIMITS = {
  /** Each dead letter is an event that nobody handles any more: in normal work there is none. */
  deadLetters: { threshold: 1, periods: 1, periodSeconds: 60 },
  /** Seconds. Settling trusts that an unsubscribed event is handled within 300 (LATEST_UNSUBSCRIBE of lambda/core/model/delivery-window.ts). */
  oldEvents: { ...ONCE, threshold: 300 },
  /** Seconds. A backlog of deliveries goes on at the event's next receive, 130 s later, and may take several receives. */
  oldDeliveries: { ...ONCE, threshold: 900 },
  /** Messages by which the queue grew in five minutes, while it is deeper than {@link DEEP}. */
  growingQueue: { ...LASTING, threshold: 1 },
  /** One event that cannot be handled fails every 40 s at most, then ends as a dead letter. Ten failures are several events. */
  handlerErrors: { ...ONCE, threshold: 10 },
  /** Handlers catch the errors of single events: in normal work no whole invocation fails. */
  functionErrors: { ...ONCE, threshold: 1 },
  functionThrottles: { ...LASTING, threshold: 1 },
  throttledTable: { ...LASTING, threshold: 1 },
  /** DynamoDB promises 99.99 %: single errors happen, and the SDK tries again. */
  tableErrors: { ...LASTING, threshold: 5 },
  /** A wrong policy, or a message that cannot be sent, does not repair itself. */
  forbidden: { ...ONCE, threshold: 1 },
  unsendable: { ...ONCE, threshold: 1 },
  /** Each function keeps to 100 messages a second for a client; several functions together may exceed it for a moment. */
  throttledDeliveries: { ...LASTING, threshold: 100 },
  /** A half-open client costs one unanswered message every 5 to 13 s until IoT Core notices: 100 are several clients, for long. */
  unanswered: { ...LASTING, threshold: 100 },
  /** Each throttled check is repeated, which asks again. */
  retainedCheck: { ...ONCE, threshold: 1 },
} as const satisfies Record<string, Limit>

/** Messages. A shorter queue is drained in seconds. */
export const DEEP = 1000

/** Deliveries stop 8 s before the end of an invocation (CLOSING_TIME of lambda/core/queue/patient-sender.ts): an invocation that ends in the last 4 s is late. */
export const slowFunction = (timeoutSeconds: number): Limit => ({ ...LASTING, threshold: (timeoutSeconds - 4) * 1000 })
