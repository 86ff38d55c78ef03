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
import { HANDLER_ERRORS, OUTCOME_METRICS, RETAINED_CHECK_THROTTLED } from '../../lambda/core/metrics.ts'
import { RETAIN_INDEX, TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import { pascalCase } from '../construct-ids.ts'
import type { MqttTables } from '../mqtt-tables.ts'
import type { BackendOptions } from '../options/options.ts'
import type { HookPipeline } from '../pipeline/hook-pipeline.ts'
import { AlarmTopic } from './alarm-topic.ts'
import { type AlarmId, DEEP, describeAlarm, LIMITS, type Limit, slowFunction } from './alarms.ts'
import { BackendDashboard } from './dashboard.ts'
import { functionMetric, growthAbove, hookMetric, queueMetric, sumOf, tableMetric, throttlesOf, VISIBLE } from './watched-metrics.ts'

export interface MonitoringProps extends Pick<BackendOptions, 'alarmTopicArn' | 'alarmEmail'> {
  /** CloudWatch namespace of the functions' metrics. */
  readonly namespace: string
  readonly hooks: ReadonlyMap<HookName, HookPipeline>
  readonly tables: MqttTables
  readonly ruleErrors: IQueue
}

/** The alarms, and a dashboard of the same metrics. */
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
    if (props.hooks.size > 0) this.alarm('rule-errors', 'IoT Core', queueMetric(props.ruleErrors, VISIBLE), LIMITS.deadLetters)
    for (const table of TABLE_NAMES) this.watchTable(table)
    this.watchDeliveries()
    this.dashboard = new BackendDashboard(this, 'Dashboard', { ...props, alarms: this.alarms })
  }

  private watchHook(hook: HookName, { queue, function: target, settings: { timeoutSeconds } }: HookPipeline): void {
    const age = timeoutSeconds * TRIES > LIMITS.oldEvents.threshold ? LIMITS.oldDeliveries : LIMITS.oldEvents
    this.alarm('dead-letters', hook, queueMetric(queue.deadLetters, VISIBLE), LIMITS.deadLetters)
    this.alarm('old-events', hook, queueMetric(queue.events, 'ApproximateAgeOfOldestMessage'), age)
    this.alarm('growing-queue', hook, growthAbove(DEEP, queueMetric(queue.events, VISIBLE), hook), LIMITS.growingQueue)
    this.alarm('handler-errors', hook, hookMetric(this.props.namespace, hook, HANDLER_ERRORS), LIMITS.handlerErrors)
    this.alarm('function-errors', hook, functionMetric(target, 'Errors'), LIMITS.functionErrors)
    this.alarm('function-throttles', hook, functionMetric(target, 'Throttles'), LIMITS.functionThrottles)
    this.alarm('slow-function', hook, functionMetric(target, 'Duration', Stats.MAXIMUM), slowFunction(timeoutSeconds))
  }

  /** A table that no function uses gets no alarm. */
  private watchTable(table: TableName): void {
    const grants = [...this.props.hooks.values()].map((pipeline) => pipeline.grants)
    const indexed = table === 'mqtt_retain' && grants.some(({ retainIndex }) => retainIndex)
    const operations = [...new Set([...grants.flatMap(({ tables }) => tables[table] ?? []), ...(indexed ? ['Query'] : [])])]
    if (operations.length === 0) return
    const { tableName } = this.props.tables.tables[table]
    const places: Record<string, string>[] = [{}, ...(indexed ? [{ GlobalSecondaryIndexName: RETAIN_INDEX.name }] : [])]
    const throttles = places.flatMap((place) => throttlesOf(tableName, place))
    const errors = operations.map((Operation) => tableMetric(tableName, 'SystemErrors', { Operation }))
    this.alarm('throttled-table', table, sumOf(throttles, table), LIMITS.throttledTable)
    this.alarm('table-errors', table, sumOf(errors, table), LIMITS.tableErrors)
  }

  private watchDeliveries(): void {
    const { forbidden, unsendable, throttled, unknown } = OUTCOME_METRICS
    this.alarmOfHooks('forbidden-deliveries', 'SendDirectMessage', forbidden, LIMITS.forbidden)
    this.alarmOfHooks('unsendable-deliveries', 'SendDirectMessage', unsendable, LIMITS.unsendable)
    this.alarmOfHooks('throttled-deliveries', 'SendDirectMessage', throttled, LIMITS.throttledDeliveries)
    this.alarmOfHooks('unanswered-deliveries', 'SendDirectMessage', unknown, LIMITS.unanswered)
    this.alarmOfHooks('retained-check-throttled', 'GetRetainedMessage', RETAINED_CHECK_THROTTLED, LIMITS.retainedCheck)
  }

  /** One alarm for all hooks that make the call. */
  private alarmOfHooks(id: AlarmId, call: 'SendDirectMessage' | 'GetRetainedMessage', name: string, limit: Limit): void {
    const calling = [...this.props.hooks].filter(([, { grants }]) => grants.dataPlane.includes(call)).map(([hook]) => hook)
    if (calling.length === 0) return
    const metrics = calling.map((hook) => hookMetric(this.props.namespace, hook, name))
    this.alarm(id, call, sumOf(metrics, name), limit)
  }

  private alarm(id: AlarmId, subject: string, metric: Metric | MathExpression, { threshold, periods, periodSeconds }: Limit): void {
    const alarm = new Alarm(this, `${pascalCase(id)}${pascalCase(subject.replace(' ', '.'))}`, {
      alarmDescription: describeAlarm(id, subject),
      metric: metric.with({ period: Duration.seconds(periodSeconds) }),
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // AWS publishes no value for a period in which nothing happened.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    alarm.addAlarmAction(...this.actions)
    this.alarms.push(alarm)
  }
}

/** Events may wait for as long as this many invocations in a row use their whole timeout: that is no fault. */
const TRIES = 3
