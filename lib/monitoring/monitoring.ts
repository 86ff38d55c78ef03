import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type MathExpression,
  type Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Duration } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import type { HookName } from '../../lambda/core/hooks.ts'
import {
  AGED_HOOKS,
  DELIVERING_HOOKS,
  EVENT_AGE,
  FAILED_DELIVERIES,
  GIVEN_UP,
  HANDLER_ERRORS,
  QUEUE_AGE_MAX,
  QUEUE_DEPTH_MAX,
  THROTTLED_EVENTS,
} from '../../lambda/core/metrics.ts'
import { pascalCase } from '../construct-ids.ts'
import type { MqttTables } from '../mqtt-tables.ts'
import type { BackendOptions } from '../options/options.ts'
import type { OwnResources } from '../options/own-resources.ts'
import type { HookPipeline } from '../pipeline/hook-pipeline.ts'
import { AccountBudget } from './account-budget.ts'
import { AlarmTopic } from './alarm-topic.ts'
import { type AlarmId, describeAlarm, LIMITS, type Limit } from './alarms.ts'
import { BackendDashboard } from './dashboard.ts'
import { accountThrottles, functionMetric, queueMetric, ruleMetric, sharedMetric, VISIBLE } from './watched-metrics.ts'

export interface MonitoringProps
  extends Pick<BackendOptions, 'alarmTopicArn' | 'alarmEmail' | 'alarmQueueDepth' | 'alarmQueueAge' | 'monthlyBudget'>,
    Pick<OwnResources, 'alarmTopic'> {
  /** CloudWatch namespace of the functions' metrics. */
  readonly namespace: string
  readonly hooks: ReadonlyMap<HookName, HookPipeline>
  readonly tables: MqttTables
  readonly ruleErrors: IQueue
}

/** The alarms, a dashboard of the same metrics, and a budget. */
export class Monitoring extends Construct {
  readonly alarms: Alarm[] = []
  readonly dashboard: BackendDashboard
  private readonly props: MonitoringProps
  private readonly actions: readonly IAlarmAction[]

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id)
    this.props = props
    this.actions = new AlarmTopic(this, 'Alarms', { ...props, key: props.tables.key }).actions
    for (const [hook, pipeline] of props.hooks) this.watchHook(hook, pipeline)
    if (props.hooks.size > 0) this.watchRules()
    if (props.hooks.size > 0) this.watchHandlers()
    this.watchBacklog()
    const { monthlyBudget: amount, alarmEmail: email } = props
    if (amount !== undefined && email !== undefined) new AccountBudget(this, 'AccountBudget', { amount, email })
    this.dashboard = new BackendDashboard(this, 'Dashboard', { ...props, alarms: this.alarms })
  }

  private watchHook(hook: HookName, { queue, function: target }: HookPipeline): void {
    const age = DELIVERING_HOOKS.includes(hook) ? LIMITS.waitingDeliveries : LIMITS.waitingEvents
    this.alarm('dead-letters', hook, queueMetric(queue.deadLetters, VISIBLE), LIMITS.deadLetters)
    this.alarm('waiting-events', hook, queueMetric(queue.events, 'ApproximateAgeOfOldestMessage'), age)
    this.alarm('function-errors', hook, functionMetric(target, 'Errors'), LIMITS.functionErrors)
  }

  /** An event whose action failed is in the queue of rule errors. An event that is lost or throttled before is in no queue. */
  private watchRules(): void {
    this.alarm('rule-errors', 'IoT Core', queueMetric(this.props.ruleErrors, VISIBLE), LIMITS.deadLetters)
    this.alarm('lost-events', 'IoT Core', ruleMetric('ErrorActionFailure', 'RuleName', 'ActionType'), LIMITS.lostEvents)
    this.alarm('throttled-rules', 'IoT Core', ruleMetric('RuleMessageThrottled', 'RuleName'), LIMITS.throttledRules)
  }

  /** Each on one metric into which all functions count. */
  private watchHandlers(): void {
    const { namespace, hooks } = this.props
    const shared = (name: string, statistic?: string) => sharedMetric(namespace, name, statistic)
    this.alarm('more-dead-letters', 'all hooks', shared(GIVEN_UP), LIMITS.moreDeadLetters)
    this.alarm('handler-errors', 'all hooks', shared(HANDLER_ERRORS), LIMITS.handlerErrors)
    this.alarm('throttled-events', 'all hooks', shared(THROTTLED_EVENTS), LIMITS.throttledEvents)
    this.alarm('function-throttles', 'Lambda', accountThrottles(), LIMITS.functionThrottles)
    if ([...hooks.keys()].some((hook) => AGED_HOOKS.includes(hook)))
      this.alarm('old-events', 'all hooks', shared(EVENT_AGE, Stats.MAXIMUM), LIMITS.oldEvents)
    if ([...hooks.values()].some(({ grants }) => grants.dataPlane.includes('SendDirectMessage')))
      this.alarm('failed-deliveries', 'SendDirectMessage', shared(FAILED_DELIVERIES), LIMITS.failedDeliveries)
  }

  /** Off unless a threshold is given. */
  private watchBacklog(): void {
    const { namespace, alarmQueueDepth: depth, alarmQueueAge: seconds } = this.props
    const largest = (name: string) => sharedMetric(namespace, name, Stats.MAXIMUM)
    if (depth !== undefined) this.alarm('deep-queue', 'topics', largest(QUEUE_DEPTH_MAX), { ...LIMITS.backlog, threshold: depth })
    if (seconds !== undefined)
      this.alarm('old-messages', 'topics', largest(QUEUE_AGE_MAX), { ...LIMITS.backlog, threshold: seconds * 1000 })
  }

  private alarm(id: AlarmId, subject: string, metric: Metric | MathExpression, { threshold, periods, periodSeconds }: Limit): void {
    const alarm = new Alarm(this, `${pascalCase(id)}${pascalCase(subject.replaceAll(' ', '.'))}`, {
      alarmDescription: describeAlarm(id, subject),
      metric: metric.with({ period: Duration.seconds(periodSeconds) }),
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // AWS publishes no value for a period in which nothing happened.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    alarm.addAlarmAction(...this.actions)
    alarm.addOkAction(...this.actions)
    this.alarms.push(alarm)
  }
}
