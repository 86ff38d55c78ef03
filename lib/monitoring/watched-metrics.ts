/** The metrics that alarms and dashboard show: what the functions emit, and what AWS counts of its own. */
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Duration } from 'aws-cdk-lib/core'
import type { HookName } from '../../lambda/core/hooks.ts'
import { HOOK_DIMENSION } from '../../lambda/core/metrics.ts'

/** Of AWS's own, the longest that any is published apart. */
const PERIOD = Duration.minutes(5)

interface Named {
  readonly namespace: string
  readonly metricName: string
  readonly dimensionsMap: Record<string, string>
}

const metric = (named: Named, statistic: string, label?: string): Metric =>
  new Metric({ ...named, statistic, period: PERIOD, ...(label === undefined ? {} : { label }) })

/** Of one hook's function, as `lambda/adapters/function/emf.ts` writes it. */
export const hookMetric = (namespace: string, hook: HookName, metricName: string, statistic: string = Stats.SUM): Metric =>
  metric({ namespace, metricName, dimensionsMap: { [HOOK_DIMENSION]: hook } }, statistic, hook)

export const queueMetric = ({ queueName }: IQueue, metricName: string, label?: string): Metric =>
  metric({ namespace: 'AWS/SQS', metricName, dimensionsMap: { QueueName: queueName } }, Stats.MAXIMUM, label)

export const functionMetric = ({ functionName }: IFunction, metricName: string, statistic: string = Stats.SUM, label?: string): Metric =>
  metric({ namespace: 'AWS/Lambda', metricName, dimensionsMap: { FunctionName: functionName } }, statistic, label)

/** `more`: dimensions besides the table: an index or an operation. */
export const tableMetric = (tableName: string, metricName: string, more: Record<string, string> = {}): Metric =>
  metric({ namespace: 'AWS/DynamoDB', metricName, dimensionsMap: { TableName: tableName, ...more } }, Stats.SUM)

/** Messages that wait. */
export const VISIBLE = 'ApproximateNumberOfMessagesVisible'

/** `place`: of an index, which the table's own do not count. */
export const throttlesOf = (tableName: string, place: Record<string, string> = {}): Metric[] =>
  ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) => tableMetric(tableName, name, place))

/**
 * The sum, where what was not counted is 0. For DynamoDB's also of a single one: its alarms keep their state while data is missing,
 * whatever they are told (PutMetricAlarm, `TreatMissingData`). An alarm takes 10 metrics at most.
 * `ids`: how the terms' ids begin, which a graph's must not share.
 */
export const sumOf = (metrics: readonly Metric[], label: string, ids = 'm'): MathExpression =>
  expression(metrics.map((_, i) => `FILL(${ids}${i}, 0)`).join(' + '), metrics, label, ids)

/** How much `metric` has grown since the period before, where it is above `least`. */
export const growthAbove = (least: number, depth: Metric, label: string): MathExpression =>
  expression(`IF(m0 > ${least}, DIFF(m0), 0)`, [depth], label)

const expression = (text: string, metrics: readonly Metric[], label: string, ids = 'm') =>
  new MathExpression({
    expression: text,
    usingMetrics: Object.fromEntries(metrics.map((one, i): [string, IMetric] => [`${ids}${i}`, one])),
    period: PERIOD,
    label,
  })
