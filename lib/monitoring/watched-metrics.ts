/** The metrics of alarms and dashboard: those that our functions emit, and those of AWS services. */
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Duration } from 'aws-cdk-lib/core'
import type { HookName } from '../../lambda/core/hooks.ts'
import { ALL_HOOKS, HOOK_DIMENSION, HOOKS_DIMENSION } from '../../lambda/core/metrics.ts'

/** The longest interval at which AWS publishes any of its metrics. */
const PERIOD = Duration.minutes(5)

interface Named {
  readonly namespace: string
  readonly metricName: string
  readonly dimensionsMap: Record<string, string>
}

const metric = (named: Named, statistic: string, label?: string): Metric =>
  new Metric({ ...named, statistic, period: PERIOD, ...(label === undefined ? {} : { label }) })

/** A metric that all hooks count into, as `lambda/adapters/function/emf.ts` writes it. */
export const sharedMetric = (namespace: string, metricName: string, statistic: string = Stats.SUM): Metric =>
  metric({ namespace, metricName, dimensionsMap: { [HOOKS_DIMENSION]: ALL_HOOKS } }, statistic)

/** A metric that is told apart by hook. */
export const hookMetric = (namespace: string, hook: HookName, metricName: string, statistic: string = Stats.SUM): Metric =>
  metric({ namespace, metricName, dimensionsMap: { [HOOK_DIMENSION]: hook } }, statistic, hook)

/** Of all functions of account and region: AWS counts throttles without any dimension too, and what runs out is the account's. */
export const accountThrottles = (): Metric => metric({ namespace: 'AWS/Lambda', metricName: 'Throttles', dimensionsMap: {} }, Stats.SUM)

/**
 * The sum of a metric of AWS/IoT over the rules of account and region. AWS makes such metrics when something first fails, one a rule: only a
 * query takes in what is not there yet. Its `WHERE` cannot name several rules.
 */
export const ruleMetric = (metricName: string, ...dimensions: string[]): MathExpression =>
  expression(`SELECT SUM(${metricName}) FROM SCHEMA("AWS/IoT", ${dimensions.join(', ')})`, [], metricName)

export const queueMetric = ({ queueName }: IQueue, metricName: string, label?: string): Metric =>
  metric({ namespace: 'AWS/SQS', metricName, dimensionsMap: { QueueName: queueName } }, Stats.MAXIMUM, label)

export const functionMetric = ({ functionName }: IFunction, metricName: string, statistic: string = Stats.SUM, label?: string): Metric =>
  metric({ namespace: 'AWS/Lambda', metricName, dimensionsMap: { FunctionName: functionName } }, statistic, label)

/** SQS's metric of waiting messages. */
export const VISIBLE = 'ApproximateNumberOfMessagesVisible'

export const throttlesOf = (tableName: string): Metric[] =>
  ['ReadThrottleEvents', 'WriteThrottleEvents'].map((metricName) =>
    metric({ namespace: 'AWS/DynamoDB', metricName, dimensionsMap: { TableName: tableName } }, Stats.SUM),
  )

/**
 * The sum of the metrics for a graph; missing values count as 0. No alarm is on one: what it says of a metric that never existed is not
 * documented. `ids` starts the terms' ids; two sums in one graph need different ones.
 */
export const sumOf = (metrics: readonly Metric[], label: string, ids = 'm'): MathExpression =>
  expression(metrics.map((_, i) => `FILL(${ids}${i}, 0)`).join(' + '), metrics, label, ids)

const expression = (text: string, metrics: readonly Metric[], label: string, ids = 'm') =>
  new MathExpression({
    expression: text,
    usingMetrics: Object.fromEntries(metrics.map((one, i): [string, IMetric] => [`${ids}${i}`, one])),
    period: PERIOD,
    label,
  })
