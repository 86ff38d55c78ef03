/** The kinds of alarms: what each means, and from when on. `docs/operations.md` has a heading for each, which its description names. */

/** `id`: of the heading, as its title makes it. `advice`: what to do first. */
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

/** What the alarm tells whoever it wakes. */
export function describeAlarm(id: AlarmId, subject: string): string {
  const { title, advice } = ALARMS.find((alarm) => alarm.id === id)!
  return `${title}: ${subject}. ${advice} docs/operations.md#${id}`
}

/** From which value on, in how many periods in a row, each of so many seconds. */
export interface Limit {
  readonly threshold: number
  readonly periods: number
  readonly periodSeconds: number
}

const ONCE = { periods: 1, periodSeconds: 300 }
/** A quarter of an hour: on-demand tables and Lambda's concurrency grow within minutes, and what waits meanwhile is tried again. */
const LASTING = { periods: 3, periodSeconds: 300 }

export const LIMITS = {
  /** Each is an event that nobody handles any more: none is normal. */
  deadLetters: { threshold: 1, periods: 1, periodSeconds: 60 },
  /** Seconds. Settling trusts that an unsubscribed event is handled within 300 (LATEST_UNSUBSCRIBE of lambda/core/model/delivery-window.ts). */
  oldEvents: { ...ONCE, threshold: 300 },
  /** Seconds. A backlog of deliveries goes on in the event's next receive, 130 s later: that may take a few. */
  oldDeliveries: { ...ONCE, threshold: 900 },
  /** Messages more than five minutes ago, of a queue deeper than {@link DEEP}. */
  growingQueue: { ...LASTING, threshold: 1 },
  /** One event that cannot be handled fails every 40 s or slower and ends as a dead letter: these are more than one. */
  handlerErrors: { ...ONCE, threshold: 10 },
  /** Handlers catch what events do to them: an invocation as a whole never fails in normal work. */
  functionErrors: { ...ONCE, threshold: 1 },
  functionThrottles: { ...LASTING, threshold: 1 },
  throttledTable: { ...LASTING, threshold: 1 },
  /** DynamoDB's 99.99 %: single ones happen, and the SDK repeats them. */
  tableErrors: { ...LASTING, threshold: 5 },
  /** A policy or a message that is wrong stays wrong. */
  forbidden: { ...ONCE, threshold: 1 },
  unsendable: { ...ONCE, threshold: 1 },
  /** A client's 100 a second are paced here; a burst of several functions to one client passes. */
  throttledDeliveries: { ...LASTING, threshold: 100 },
  /** A half-open client leaves one unanswered every 5 to 13 s until IoT Core notices: these are several at once, for long. */
  unanswered: { ...LASTING, threshold: 100 },
  /** Each is an event that is tried again, which asks once more. */
  retainedCheck: { ...ONCE, threshold: 1 },
} as const satisfies Record<string, Limit>

/** A queue below this is drained in seconds. Messages. */
export const DEEP = 1000

/** Deliveries stop 8 s before the end of an invocation (CLOSING_TIME of lambda/core/queue/patient-sender.ts): what comes nearer than half of it is late. */
export const slowFunction = (timeoutSeconds: number): Limit => ({ ...LASTING, threshold: (timeoutSeconds - 4) * 1000 })
