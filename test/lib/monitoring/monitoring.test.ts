/** Alarms and dashboard: what they watch is what the functions emit or AWS counts, and each alarm says what to do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type App, Stack } from 'aws-cdk-lib/core'
import { type HookName, hookConfigs } from '../../../lambda/core/hooks.ts'
import * as metrics from '../../../lambda/core/metrics.ts'
import { LATEST_EVENT } from '../../../lambda/core/model/delivery-window.ts'
import { hookTableIn } from '../../../lib/conf/conf.ts'
import { DEFAULT_CONF } from '../../../lib/conf/conf-file.ts'
import { ALARMS, describeAlarm, LIMITS } from '../../../lib/monitoring/alarms.ts'
import { MqttBackend } from '../../../lib/mqtt-backend.ts'
import { HOOK_SETTINGS } from '../../../lib/pipeline/hook-settings.ts'
import { backend, EVERY_HOOK, type Properties, row, type SynthesizedTemplate, tableOf, templateOf } from '../../support/synthesized.ts'

const ENDPOINT = { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }
const ALARM = 'AWS::CloudWatch::Alarm'
const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:ops'

const everything = backend(EVERY_HOOK, { ...ENDPOINT, retainIndex: true, alarmQueueDepth: 1000, alarmQueueAge: 3600 })

interface Watched {
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[]
}

const alarmsOf = (template: SynthesizedTemplate): Properties[] => template.ofType(ALARM).map(([, { Properties }]) => Properties)
/** The metric of a query: `SELECT SUM(name) FROM SCHEMA(namespace, dimensions)`. */
const QUERY = /^SELECT SUM\((\w+)\) FROM SCHEMA\("([\w/]+)", ([\w, ]+)\)$/
function queried(expression: string): Watched {
  const [, MetricName = expression, Namespace = '', names = ''] = QUERY.exec(expression) ?? []
  return { Namespace, MetricName, Dimensions: names.split(', ').map((Name) => ({ Name, Value: 'any' })) }
}
const watchedBy = (alarm: Properties): Watched[] =>
  alarm.Metrics === undefined
    ? [{ Dimensions: [], ...alarm } as unknown as Watched]
    : alarm.Metrics.map(({ MetricStat, Expression }: Properties) => MetricStat?.Metric ?? queried(Expression))
const kindOf = (alarm: Properties): string => /docs\/operations\.md#([a-z-]+)$/.exec(alarm.AlarmDescription)?.[1] ?? 'none'
const ofKind = (template: SynthesizedTemplate, id: string) => alarmsOf(template).filter((alarm) => kindOf(alarm) === id)

/** The dashboard as CloudWatch reads it, what only a deployment knows shown as its logical id. */
function dashboardOf(template: SynthesizedTemplate): { widgets: Properties[] } {
  const body = template.one('AWS::CloudWatch::Dashboard').Properties.DashboardBody
  const parts: unknown[] = typeof body === 'string' ? [body] : body['Fn::Join'][1]
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : Object.values(part as object).flat()[0])).join(''))
}
/** Of the widgets' metric lists: `[namespace, name, dimension, value, ..., options]`. */
function shownBy({ widgets }: { widgets: Properties[] }): Watched[] {
  const arrays = widgets.flatMap(({ properties }) => (properties.metrics ?? []) as unknown[][])
  return arrays.flatMap((array) => {
    const texts = array.filter((part): part is string => typeof part === 'string')
    const [Namespace = '', MetricName = '', ...pairs] = texts
    const { expression } = array.at(-1) as { expression?: string }
    if (expression?.startsWith('SELECT')) return [queried(expression)]
    if (texts.length === 0) return []
    const Dimensions = pairs.flatMap((Name, i) => (i % 2 === 0 ? [{ Name, Value: pairs[i + 1] }] : []))
    return [{ Namespace, MetricName, Dimensions }]
  })
}

/** What AWS documents of its services' metrics, as aws-cdk-lib carries it: methods with the metric's name and one set of dimensions each. */
const DOCUMENTED: Record<string, string> = Object.fromEntries(
  Object.entries({ 'AWS/SQS': 'sqs', 'AWS/Lambda': 'lambda', 'AWS/DynamoDB': 'dynamodb' }).map(([namespace, service]) => {
    const file = join('node_modules', 'aws-cdk-lib', `aws-${service}`, 'lib', `${service}-canned-metrics.generated.d.ts`)
    return [namespace, readFileSync(join(import.meta.dirname, '..', '..', '..', file), 'utf8')]
  }),
)

/** The sets of dimensions of a metric, each sorted. */
function documented(namespace: string, metricName: string): string[] {
  const method = `${metricName[0]!.toLowerCase()}${metricName.slice(1)}(?:Sum|Average|Maximum|Minimum)`
  const overloads = (DOCUMENTED[namespace] ?? '').matchAll(new RegExp(`static ${method}\\(this: void, dimensions: \\{([^}]*)\\}`, 'g'))
  return [...overloads].map(([, fields = '']) =>
    [...fields.matchAll(/(\w+):/g)]
      .map(([, name]) => name)
      .sort()
      .join(),
  )
}

const EMITTED = [
  ...hookConfigs(EVERY_HOOK).map(({ hook }) => metrics.handledMetric(hook)),
  ...Object.values(metrics.OUTCOME_METRICS),
  metrics.SETTLED,
  metrics.RETAINED_CHECK_THROTTLED,
  metrics.FAILED_DELIVERIES,
  metrics.ACK_REFUSED,
  metrics.OPERATOR_ROW_IGNORED,
  metrics.HANDLER_ERRORS,
  metrics.THROTTLED_EVENTS,
  metrics.GIVEN_UP,
  metrics.UNFINISHED,
  metrics.EVENT_AGE,
  metrics.PUBLISH_TO_STORED,
  metrics.SUBSCRIBE_TO_LAST_DELIVERED,
  metrics.QUEUE_DEPTH_MAX,
  metrics.QUEUE_AGE_MAX,
]

/** Metrics that aws-cdk-lib lacks. AWS IoT developer guide, "Rule (action) metrics"; Lambda developer guide, "Concurrency metrics". */
const ALSO_DOCUMENTED = [
  'AWS/IoT Failure ActionType,RuleName',
  'AWS/IoT ErrorActionFailure ActionType,RuleName',
  'AWS/IoT RuleMessageThrottled RuleName',
  'AWS/Lambda Throttles ',
]

function faultOf({ Namespace, MetricName, Dimensions }: Watched): string | undefined {
  const names = Dimensions.map(({ Name }) => Name)
    .sort()
    .join()
  const valueBy = (name: string) => Dimensions.find(({ Name }) => Name === name)?.Value as string
  const isShared = names === 'Hooks' && valueBy('Hooks') === 'all' && EMITTED.includes(MetricName)
  const isOfHook = names === 'Hook' && valueBy('Hook') in HOOK_SETTINGS && MetricName === metrics.HANDLER_ERRORS
  if (Namespace === 'MqttBackend' ? isShared || isOfHook : documented(Namespace, MetricName).includes(names)) return undefined
  return ALSO_DOCUMENTED.includes(`${Namespace} ${MetricName} ${names}`) ? undefined : `${Namespace} ${MetricName} by ${names}`
}

test.each<[Watched, string]>([
  [
    { Namespace: 'AWS/SQS', MetricName: 'ApproximateAgeOfOldestMesage', Dimensions: [{ Name: 'QueueName', Value: 'q' }] },
    'a misspelt metric',
  ],
  [{ Namespace: 'AWS/DynamoDB', MetricName: 'SystemErrors', Dimensions: [{ Name: 'TableName', Value: 't' }] }, 'a dimension too few'],
  [{ Namespace: 'MqttBackend', MetricName: 'delivery_lost', Dimensions: [{ Name: 'Hooks', Value: 'all' }] }, 'what nobody emits'],
  [
    { Namespace: 'MqttBackend', MetricName: 'message_publish', Dimensions: [{ Name: 'Hook', Value: 'message.publish' }] },
    'dimensions by which nobody emits it',
  ],
])('%j would be found: %s', (watched) => {
  expect(faultOf(watched)).toContain(watched.MetricName)
})

describe('every alarm', () => {
  test('watches a metric that the functions emit or that AWS documents, by its dimensions', () => {
    const watched = alarmsOf(everything).flatMap(watchedBy)
    expect(watched.length).toBeGreaterThan(20)
    expect(watched.map(faultOf).filter(Boolean)).toEqual([])
  })

  test('says what to do, and where more is written', () => {
    const { length } = alarmsOf(everything)
    expect(length).toBeGreaterThan(20)
    expect(alarmsOf(everything).map(kindOf)).toEqual(expect.arrayContaining(ALARMS.map(({ id }) => id)))
    expect(alarmsOf(everything).filter((alarm) => !ALARMS.some(({ id }) => id === kindOf(alarm)))).toEqual([])
    for (const { AlarmDescription } of alarmsOf(everything)) expect(AlarmDescription.length).toBeLessThanOrEqual(1024)
  })

  test('takes silence for well: nothing is counted where nothing happens', () => {
    expect(alarmsOf(everything).filter(({ TreatMissingData }) => TreatMissingData !== 'notBreaching')).toEqual([])
  })

  test('is on one metric, or on a query that takes in what is there: no sum says nothing because one of its metrics never existed', () => {
    for (const alarm of alarmsOf(everything)) {
      expect(watchedBy(alarm)).toHaveLength(1)
      for (const { Expression } of alarm.Metrics ?? []) expect(Expression).toMatch(QUERY)
    }
  })

  test('names the command that brings events back as it is typed', () => {
    const texts = alarmsOf(everything).map(({ AlarmDescription }) => AlarmDescription as string)
    expect(texts.filter((text) => text.includes('redrive')).length).toBeGreaterThan(7)
    expect(texts.filter((text) => text.includes('redrive') && !text.includes('npx mqtt-dynamodb dead-letters redrive'))).toEqual([])
  })
})

describe('the default conf', () => {
  const template = backend(hookTableIn(readFileSync(DEFAULT_CONF, 'utf8'), 'default'), {}, 'us-west-2')

  test('has at most 30 alarm metrics, each of which AWS bills', () => {
    expect(alarmsOf(template).flatMap(watchedBy)).toHaveLength(30)
  })

  test('has at most 110 resources', () => {
    expect(Object.keys(template.resources).length).toBeLessThanOrEqual(110)
  })
})

test('each kind has a heading of its own, whose anchor is its id', () => {
  expect(ALARMS.map(({ title }) => title.toLowerCase().replaceAll(' ', '-'))).toEqual(ALARMS.map(({ id }) => id))
  expect(new Set(ALARMS.map(({ id }) => id)).size).toBe(ALARMS.length)
  expect(describeAlarm('dead-letters', 'message.publish')).toMatch(
    /^Dead letters: message\.publish\. .* docs\/operations\.md#dead-letters$/,
  )
})

describe('the alarms', () => {
  test.each(['dead-letters', 'waiting-events', 'function-errors'])('%s is of every hook', (id) => {
    const subjects = ofKind(everything, id).map(({ AlarmDescription }) => /: ([a-z.]+)\. /.exec(AlarmDescription)?.[1])
    expect(subjects.sort()).toEqual(
      hookConfigs(EVERY_HOOK)
        .map(({ hook }) => hook)
        .sort(),
    )
  })

  test('dead letters are those of the hook, and of the rules the queue of their errors', () => {
    const queues = [...ofKind(everything, 'dead-letters'), ...ofKind(everything, 'rule-errors')].map(
      (alarm) => watchedBy(alarm)[0]!.Dimensions[0]!.Value as { 'Fn::GetAtt': [string] },
    )
    const ids = queues.map((queue) => queue['Fn::GetAtt'][0])
    expect(ids.slice(0, -1).every((id) => id.includes('QueueDeadLetters'))).toBe(true)
    expect(ids.at(-1)).toMatch(/^RulesErrors/)
    expect(new Set(ids).size).toBe(8)
  })

  test('a hook that delivers backlogs may let its events wait longer than others', () => {
    const limits = Object.fromEntries(
      ofKind(everything, 'waiting-events').map(({ AlarmDescription, Threshold }) => [/: (\S+)\. /.exec(AlarmDescription)?.[1], Threshold]),
    )
    expect(limits).toEqual(
      Object.fromEntries(hookConfigs(EVERY_HOOK).map(({ hook }) => [hook, metrics.DELIVERING_HOOKS.includes(hook) ? 900 : 300])),
    )
  })

  test('old events are told by as much as settling trusts, by the longest wait of any', () => {
    expect(LIMITS.oldEvents.threshold).toBe(LATEST_EVENT)
    expect(metrics.DELIVERING_HOOKS).not.toContain('session.unsubscribed' satisfies HookName)
    expect(ofKind(everything, 'old-events')).toMatchObject([
      { MetricName: 'event_age', Statistic: 'Maximum', Threshold: 300_000, Dimensions: [{ Name: 'Hooks', Value: 'all' }] },
    ])
  })

  test('a backlog rings where a threshold is given, in messages or in seconds, at its largest', () => {
    const of = (id: string) => ofKind(everything, id)
    expect([...of('deep-queue'), ...of('old-messages')]).toMatchObject([
      { MetricName: 'queue_depth_max', Statistic: 'Maximum', Threshold: 1000, EvaluationPeriods: 1 },
      { MetricName: 'queue_age_max', Statistic: 'Maximum', Threshold: 3_600_000, EvaluationPeriods: 1 },
    ])
    const none = backend(EVERY_HOOK, ENDPOINT)
    expect([...ofKind(none, 'deep-queue'), ...ofKind(none, 'old-messages')]).toEqual([])
    const presence = tableOf(row('client.connected', 'on_client_connected'))
    expect(() => backend(presence, { ...ENDPOINT, alarmQueueAge: 60 })).toThrow(
      /^option alarmQueueAge is given, and the conf has no row of message.publish/,
    )
  })

  test('are of what the conf uses: presence alone delivers nothing', () => {
    const template = backend(tableOf(row('client.connected', 'on_client_connected')), ENDPOINT)
    expect(ofKind(template, 'failed-deliveries')).toEqual([])
    expect(ofKind(template, 'dead-letters')).toHaveLength(1)
  })

  test('do not grow with the filters of a conf', () => {
    const filters = Array.from({ length: 20 }, (_, i) => row('message.publish', 'on_message_publish', `plant/site${i}/#`))
    const count = (...rows: Parameters<typeof tableOf>) => alarmsOf(backend(tableOf(...rows), ENDPOINT)).length
    expect(count(...filters)).toBe(count(filters[0]!))
  })
})

describe('who is told', () => {
  /** The same when an alarm begins and when it is over. */
  const actionsOf = (template: SynthesizedTemplate) => [
    ...new Set(alarmsOf(template).flatMap(({ AlarmActions, OKActions }) => [AlarmActions, OKActions].map((each) => JSON.stringify(each)))),
  ]

  test('nobody by default: the alarms are there all the same', () => {
    expect(actionsOf(everything)).toEqual([undefined])
    expect(everything.ofType('AWS::SNS::Topic')).toEqual([])
  })

  test('a topic that is there', () => {
    const template = backend(EVERY_HOOK, { ...ENDPOINT, alarmTopicArn: TOPIC })
    expect(actionsOf(template)).toEqual([JSON.stringify([TOPIC])])
    expect(template.ofType('AWS::SNS::Topic')).toEqual([])
  })

  test('an address, by a topic to which only alarms of this account and TLS may come', () => {
    const template = backend(EVERY_HOOK, { ...ENDPOINT, alarmEmail: 'ops@example.com' })
    const [[id, topic]] = template.ofType('AWS::SNS::Topic') as unknown as [[string, { Properties: Properties }]]
    expect(actionsOf(template)).toEqual([JSON.stringify([{ Ref: id }])])
    expect(template.one('AWS::SNS::Subscription').Properties).toEqual({
      Protocol: 'email',
      Endpoint: 'ops@example.com',
      TopicArn: { Ref: id },
    })
    expect(topic.Properties.KmsMasterKeyId).toBeUndefined()
    const { Statement } = template.one('AWS::SNS::TopicPolicy').Properties.PolicyDocument
    expect(Statement).toEqual([
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      {
        Sid: 'AlarmsOfThisAccount',
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: { Ref: id },
        Condition: {
          StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
          ArnLike: {
            'aws:SourceArn': {
              'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':cloudwatch:eu-west-1:', { Ref: 'AWS::AccountId' }, ':alarm:*']],
            },
          },
        },
      },
    ])
  })

  test("the stack's key encrypts that topic", () => {
    const template = backend(EVERY_HOOK, { ...ENDPOINT, alarmEmail: 'ops@example.com', keyArn: KEY })
    expect(template.one('AWS::SNS::Topic').Properties.KmsMasterKeyId).toBe(KEY)
  })
})

describe('the dashboard', () => {
  test('shows metrics that are emitted or documented, and every one that the functions emit', () => {
    const shown = shownBy(dashboardOf(everything))
    expect(shown.map(faultOf).filter(Boolean)).toEqual([])
    expect(new Set(shown.filter(({ Namespace }) => Namespace === 'MqttBackend').map(({ MetricName }) => MetricName))).toEqual(
      new Set(EMITTED),
    )
  })

  test('has widgets side by side within the 24 columns, and no id twice in one', () => {
    for (const { x, width, properties } of dashboardOf(everything).widgets) {
      expect(x + width).toBeLessThanOrEqual(24)
      const ids = ((properties.metrics ?? []) as unknown[][]).flatMap((metric) => (metric.at(-1) as { id?: string }).id ?? [])
      expect(ids).toEqual([...new Set(ids)])
    }
  })

  test('shows the state of every alarm', () => {
    const widget = dashboardOf(everything).widgets.find(({ type }) => type === 'alarm')!
    expect(widget.properties.alarms).toHaveLength(alarmsOf(everything).length)
  })
})

test('the metrics of a second stack are counted apart: the namespace is the name of the stack', () => {
  const template = templateOf((app: App) => {
    const stack = new Stack(app, 'OtherApp', { env: { region: 'eu-west-1' } })
    new MqttBackend(stack, 'Mqtt', { hookTable: EVERY_HOOK, ...ENDPOINT })
    return stack
  })
  const namespaces = template
    .ofType('AWS::Lambda::Function')
    .map(([, { Properties }]) => Properties.Environment.Variables.METRICS_NAMESPACE)
  expect(new Set(namespaces)).toEqual(new Set(['OtherApp']))
  const watched = alarmsOf(template)
    .flatMap(watchedBy)
    .filter(({ Dimensions }) => Dimensions.some(({ Name }) => Name === 'Hooks'))
  expect(new Set(watched.map(({ Namespace }) => Namespace))).toEqual(new Set(['OtherApp']))
})
