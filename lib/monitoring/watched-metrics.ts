/** The metrics of alarms and dashboard: those that our functions emit, and those of AWS services. */
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Duration } from 'aws-cdk-lib/core'
import type { HookName } from '../../lambda/core/hooks.ts'
import { HOOK_DIMENSION } from '../../lambda/core/metrics.ts'

/** The longest interval at which AWS publishes any of its metrics. */
const PERIOD = Duration.minutes(5)

interface Named {
  readonly namespace: string
  readonly metricName: string
  readonly dimensionsMap: Record<string, string>
}

const metric = (named: Named, statistic: string, label?: string): Metric =>
  new Metric({ ...named, statistic, period: PERIOD, ...(label === undefined ? {} : { label }) })

/** A metric of one hook's function, as `lambda/adapters/function/emf.ts` writes it. */
export const hookMetric = (namespace: string, hook: HookName, metricName: string, statistic: string = Stats.SUM): Metric =>
  metric({ namespace, metricName, dimensionsMap: { [HOOK_DIMENSION]: hook } }, statistic, hook)

export const queueMetric = ({ queueName }: IQueue, metricName: string, label?: string): Metric =>
  metric({ namespace: 'AWS/SQS', metricName, dimensionsMap: { QueueName: queueName } }, Stats.MAXIMUM, label)

export const functionMetric = ({ functionName }: IFunction, metricName: string, statistic: string = Stats.SUM, label?: string): Metric =>
  metric({ namespace: 'AWS/Lambda', metricName, dimensionsMap: { FunctionName: functionName } }, statistic, label)

/** `more`: further dimensions: an index or an operation. */
export const tableMetric = (tableName: string, metricName: string, more: Record<string, string> = {}): Metric =>
  metric({ namespace: 'AWS/DynamoDB', metricName, dimensionsMap: { TableName: tableName, ...more } }, Stats.SUM)

/** SQS's metric of waiting messages. */
export const VISIBLE = 'ApproximateNumberOfMessagesVisible'

/** `place`: dimension of an index. The table's own metrics do not count an index's throttles. */
export const throttlesOf = (tableName: string, place: Record<string, string> = {}): Metric[] =>
  ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) => tableMetric(tableName, name, place))

/**
 * The sum of the metrics; missing values count as 0. Alarms on DynamoDB's metrics need it even for one metric: they ignore
 * `TreatMissingData` (PutMetricAlarm). An alarm takes 10 metrics at most. `ids` starts the terms' ids; two sums in one graph need different ones.
 */
export const sumOf = (metrics: readonly Metric[], label: string, ids = 'm'): MathExpression =>
  expression(metrics.map((_, i) => `FILL(${ids}${i}, 0)`).join(' + '), metrics, label, ids)

/** How much `depth` has grown since the period before, while it is above `least`; otherwise 0. */
export const growthAbove = (least: number, depth: Metric, label: string): MathExpression =>
  expression(`IF(m0 > ${least}, DIFF(m0), 0)`, [depth], label)

const expression = (text: string, metrics: readonly Metric[], label: string, ids = 'm') =>
  new MathExpression({
    expression: text,
    usingMetrics: Object.fromEntries(metrics.map((one, i): [string, IMetric] => [`${ids}${i}`, one])),
    period: PERIOD,
    label,
  })
