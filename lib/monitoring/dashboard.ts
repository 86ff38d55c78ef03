import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  type Metric,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { HookName } from '../../lambda/core/hooks.ts'
import {
  ACK_REFUSED,
  EVENT_AGE,
  FAILED_DELIVERIES,
  GIVEN_UP,
  HANDLER_ERRORS,
  handledMetric,
  OPERATOR_ROW_IGNORED,
  OUTCOME_METRICS,
  PUBLISH_TO_STORED,
  QUEUE_AGE_MAX,
  QUEUE_DEPTH_MAX,
  RETAINED_CHECK_THROTTLED,
  SETTLED,
  SUBSCRIBE_TO_LAST_DELIVERED,
  THROTTLED_EVENTS,
  UNFINISHED,
} from '../../lambda/core/metrics.ts'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import type { MqttTables } from '../mqtt-tables.ts'
import type { HookPipeline } from '../pipeline/hook-pipeline.ts'
import { functionMetric, hookMetric, queueMetric, ruleMetric, sharedMetric, sumOf, throttlesOf, VISIBLE } from './watched-metrics.ts'

export interface DashboardProps {
  readonly namespace: string
  readonly hooks: ReadonlyMap<HookName, HookPipeline>
  readonly tables: MqttTables
  readonly ruleErrors: IQueue
  readonly alarms: readonly IAlarm[]
}

const WIDTH = 24
const PERCENTILES = [Stats.p(50), Stats.p(99), Stats.MAXIMUM]

/** One page: alarms, events handled, queues, deliveries, latencies, tables and functions. */
export class BackendDashboard extends Construct {
  readonly page: Dashboard
  private readonly props: DashboardProps

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id)
    this.props = props
    this.page = new Dashboard(this, 'Page', { widgets: this.rows() })
  }

  private rows(): IWidget[][] {
    const { hooks, alarms } = this.props
    const text = new TextWidget({
      width: WIDTH,
      height: 2,
      markdown: `**${this.props.namespace}**: what each alarm means is in docs/operations.md`,
    })
    const states = alarms.length === 0 ? [] : [[new AlarmStatusWidget({ width: WIDTH, height: 6, title: 'Alarms', alarms: [...alarms] })]]
    return [[text], ...states, ...(hooks.size === 0 ? [] : this.hookRows())]
  }

  private hookRows(): IWidget[][] {
    return [
      row(
        ['Events handled', this.ofHooks((hook) => this.shared(handledMetric(hook)))],
        ['Events that failed', this.ofHooks((hook) => hookMetric(this.props.namespace, hook, HANDLER_ERRORS))],
        [
          'Of all hooks',
          [HANDLER_ERRORS, THROTTLED_EVENTS, GIVEN_UP, UNFINISHED, ACK_REFUSED, OPERATOR_ROW_IGNORED].map((name) => this.shared(name)),
        ],
      ),
      row(
        ['Waiting', this.ofHooks((hook, { queue }) => queueMetric(queue.events, VISIBLE, hook))],
        ['Age of the oldest (s)', this.ofHooks((hook, { queue }) => queueMetric(queue.events, 'ApproximateAgeOfOldestMessage', hook))],
        ['Dead letters and rule errors', this.deadLetters()],
      ),
      row(
        ['Direct messages', this.deliveries()],
        ['Publish to stored (ms)', this.percentiles(PUBLISH_TO_STORED)],
        ['Subscribe to last delivered (ms)', this.percentiles(SUBSCRIBE_TO_LAST_DELIVERED)],
      ),
      row(
        ['Rules: failures of account and region', this.rules()],
        ['Rules: throttled', [ruleMetric('RuleMessageThrottled', 'RuleName')]],
        ['Ends of subscriptions and connections: age (ms)', [this.shared(EVENT_AGE, Stats.MAXIMUM)]],
      ),
      row(
        ['Deepest queue of a topic (messages, about)', [this.shared(QUEUE_DEPTH_MAX, Stats.MAXIMUM)]],
        ['Oldest message in the head of a topic (ms)', [this.shared(QUEUE_AGE_MAX, Stats.MAXIMUM)]],
      ),
      row(
        ['Tables: throttled', this.throttled()],
        ['Functions: longest (ms)', this.ofHooks((hook, { function: target }) => functionMetric(target, 'Duration', Stats.MAXIMUM, hook))],
        ['Functions: throttled', this.ofHooks((hook, { function: target }) => functionMetric(target, 'Throttles', Stats.SUM, hook))],
      ),
    ]
  }

  private ofHooks(metricOf: (hook: HookName, pipeline: HookPipeline) => IMetric): IMetric[] {
    return [...this.props.hooks].map(([hook, pipeline]) => metricOf(hook, pipeline))
  }

  private deadLetters(): IMetric[] {
    return [
      ...this.ofHooks((hook, { queue }) => queueMetric(queue.deadLetters, VISIBLE, hook)),
      queueMetric(this.props.ruleErrors, VISIBLE, 'rule errors'),
    ]
  }

  /** Direct messages by outcome, of all hooks. */
  private deliveries(): IMetric[] {
    return [...Object.values(OUTCOME_METRICS), FAILED_DELIVERIES, SETTLED, RETAINED_CHECK_THROTTLED].map((name) => this.shared(name))
  }

  private rules(): IMetric[] {
    return ['Failure', 'ErrorActionFailure'].map((name) => ruleMetric(name, 'RuleName', 'ActionType'))
  }

  private percentiles(name: string): IMetric[] {
    return PERCENTILES.map((statistic) => this.shared(name, statistic).with({ label: statistic }))
  }

  private shared(name: string, statistic?: string): Metric {
    return sharedMetric(this.props.namespace, name, statistic)
  }

  private throttled(): IMetric[] {
    const { tables } = this.props.tables
    return TABLE_NAMES.map((table, i) => sumOf(throttlesOf(tables[table].tableName), table, `t${i}_`))
  }
}

const row = (...graphs: [title: string, left: IMetric[]][]): IWidget[] =>
  graphs.map(([title, left]) => new GraphWidget({ title, left, width: WIDTH / graphs.length, height: 6 }))
