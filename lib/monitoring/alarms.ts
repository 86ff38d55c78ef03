/** The kinds of alarms, what each means, and its limits. Each has a heading in `docs/operations.md`, which its description links to. */

/** `id`: anchor of the heading with this `title`. `advice`: what to do first. */
export const ALARMS = [
  {
    id: 'dead-letters',
    title: 'Dead letters',
    advice: 'Read the log for the reason, repair it, then npx mqtt-dynamodb dead-letters redrive.',
  },
  {
    id: 'more-dead-letters',
    title: 'More dead letters',
    advice: 'Events go on failing for good, while others are dead already: the log lines with outcome failed say why.',
  },
  {
    id: 'rule-errors',
    title: 'Rule errors',
    advice: 'IoT Core could not send events to a queue: check role, queue and quotas, then npx mqtt-dynamodb dead-letters redrive.',
  },
  {
    id: 'lost-events',
    title: 'Lost events',
    advice: 'Neither the queue nor the queue of rule errors took an event of a rule, so it is lost: check both roles of the rules now.',
  },
  {
    id: 'throttled-rules',
    title: 'Throttled rules',
    advice: 'IoT Core dropped publishes before a rule: raise its quotas of rules, or publish less.',
  },
  {
    id: 'waiting-events',
    title: 'Waiting events',
    advice: 'More comes in than is handled, or nothing reads the queue: look at throttles, the mapping and the role of the function.',
  },
  {
    id: 'old-events',
    title: 'Old events',
    advice: 'Ends of subscriptions and connections are handled late: look at errors and throttles. Settling trusts five minutes.',
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
    advice: 'The account is out of concurrent executions: raise the quota, or set concurrency.',
  },
  {
    id: 'throttled-events',
    title: 'Throttled events',
    advice: 'DynamoDB or GetRetainedMessage refuses requests for their rate: the log says which. Events are tried again.',
  },
  {
    id: 'failed-deliveries',
    title: 'Failed deliveries',
    advice: 'Direct messages stay without PUBACK: the dashboard shows why. The messages stay queued.',
  },
  {
    id: 'deep-queue',
    title: 'Deep queue',
    advice: 'As many messages as the option alarmQueueDepth says wait on one topic: npx mqtt-dynamodb queues list says on which.',
  },
  {
    id: 'old-messages',
    title: 'Old messages',
    advice: 'A message waits for as long as the option alarmQueueAge says: its client is away, or subscribes to another topic.',
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
const AT_ONCE = { periods: 1, periodSeconds: 60 }

export const LIMITS = {
  /** Each dead letter is an event that nobody handles any more: in normal work there is none. */
  deadLetters: { ...AT_ONCE, threshold: 1 },
  /** The alarm is over when no more came in a period, so the next one is told again. */
  moreDeadLetters: { ...ONCE, threshold: 1 },
  lostEvents: { ...AT_ONCE, threshold: 1 },
  throttledRules: { ...AT_ONCE, threshold: 1 },
  /** Seconds. What fails is received three times soon, and SQS leaves it out: other alarms are for that. */
  waitingEvents: { ...ONCE, threshold: 300 },
  /** Seconds. A backlog of deliveries goes on at the event's next receive, 130 s later, and may take several receives. */
  waitingDeliveries: { ...ONCE, threshold: 900 },
  /** Milliseconds. Settling trusts that an unsubscribed event is handled within them (LATEST_EVENT of lambda/core/model/delivery-window.ts). */
  oldEvents: { ...ONCE, threshold: 300_000 },
  /** One event that cannot be handled fails every 25 s at most, then ends as a dead letter. Fifteen failures are several events. */
  handlerErrors: { ...ONCE, threshold: 15 },
  /** Handlers catch the errors of single events: in normal work no whole invocation fails. */
  functionErrors: { ...ONCE, threshold: 1 },
  functionThrottles: { ...LASTING, threshold: 1 },
  throttledEvents: { ...LASTING, threshold: 1 },
  /** A half-open client costs one unanswered message every 5 to 13 s until IoT Core notices: 100 are several clients, for long. */
  failedDeliveries: { ...LASTING, threshold: 100 },
  /** The thresholds are options: what is a backlog depends on the fleet. Only a publish measures, so one period with one is enough. */
  backlog: ONCE,
} as const satisfies Record<string, Omit<Limit, 'threshold'> & Partial<Limit>>
