/** Alarms and dashboard: what they watch is what the functions emit or AWS counts, and each alarm says what to do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type App, Stack } from 'aws-cdk-lib/core'
import { hookConfigs } from '../../../lambda/core/hooks.ts'
import * as metrics from '../../../lambda/core/metrics.ts'
import { LATEST_EVENT } from '../../../lambda/core/model/delivery-window.ts'
import { ALARMS, describeAlarm, LIMITS, slowFunction } from '../../../lib/monitoring/alarms.ts'
import { MqttBackend } from '../../../lib/mqtt-backend.ts'
import { HOOK_SETTINGS } from '../../../lib/pipeline/hook-settings.ts'
import { backend, EVERY_HOOK, type Properties, row, type SynthesizedTemplate, tableOf, templateOf } from '../../support/synthesized.ts'

const ENDPOINT = { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }
const ALARM = 'AWS::CloudWatch::Alarm'
const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:ops'

const everything = backend(EVERY_HOOK, { ...ENDPOINT, retainIndex: true })

interface Watched {
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[]
}

const alarmsOf = (template: SynthesizedTemplate): Properties[] => template.ofType(ALARM).map(([, { Properties }]) => Properties)
const watchedBy = (alarm: Properties): Watched[] =>
  alarm.Metrics === undefined
    ? [alarm as unknown as Watched]
    : alarm.Metrics.flatMap(({ MetricStat }: Properties) => (MetricStat === undefined ? [] : [MetricStat.Metric]))
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
  metrics.HANDLER_ERRORS,
  metrics.UNFINISHED,
  metrics.PUBLISH_TO_STORED,
  metrics.SUBSCRIBE_TO_LAST_DELIVERED,
]

function faultOf({ Namespace, MetricName, Dimensions }: Watched): string | undefined {
  const names = Dimensions.map(({ Name }) => Name)
    .sort()
    .join()
  const hook = Dimensions.find(({ Name }) => Name === 'Hook')?.Value as string
  const isOurs = Namespace === 'MqttBackend' && EMITTED.includes(MetricName) && names === 'Hook' && hook in HOOK_SETTINGS
  return isOurs || documented(Namespace, MetricName).includes(names) ? undefined : `${Namespace} ${MetricName} by ${names}`
}

test.each<[Watched, string]>([
  [
    { Namespace: 'AWS/SQS', MetricName: 'ApproximateAgeOfOldestMesage', Dimensions: [{ Name: 'QueueName', Value: 'q' }] },
    'a misspelt metric',
  ],
  [{ Namespace: 'AWS/DynamoDB', MetricName: 'SystemErrors', Dimensions: [{ Name: 'TableName', Value: 't' }] }, 'a dimension too few'],
  [
    { Namespace: 'MqttBackend', MetricName: 'delivery_lost', Dimensions: [{ Name: 'Hook', Value: 'message.publish' }] },
    'what nobody emits',
  ],
])('%j would be found: %s', (watched) => {
  expect(faultOf(watched)).toContain(watched.MetricName)
})

describe('every alarm', () => {
  test('watches a metric that the functions emit or that AWS documents, by its dimensions', () => {
    const watched = alarmsOf(everything).flatMap(watchedBy)
    expect(watched.length).toBeGreaterThan(80)
    expect(watched.map(faultOf).filter(Boolean)).toEqual([])
  })

  test('says what to do, and where more is written', () => {
    const { length } = alarmsOf(everything)
    expect(length).toBeGreaterThan(60)
    expect(alarmsOf(everything).map(kindOf)).toEqual(expect.arrayContaining(ALARMS.map(({ id }) => id)))
    expect(alarmsOf(everything).filter((alarm) => !ALARMS.some(({ id }) => id === kindOf(alarm)))).toEqual([])
    for (const { AlarmDescription } of alarmsOf(everything)) expect(AlarmDescription.length).toBeLessThanOrEqual(1024)
  })

  test('takes silence for well: nothing is counted where nothing happens', () => {
    expect(alarmsOf(everything).filter(({ TreatMissingData }) => TreatMissingData !== 'notBreaching')).toEqual([])
  })

  test('of DynamoDB gets a number also where there is none: such alarms never forget otherwise', () => {
    const ofDynamoDb = alarmsOf(everything).filter((alarm) => watchedBy(alarm).some(({ Namespace }) => Namespace === 'AWS/DynamoDB'))
    expect(ofDynamoDb).toHaveLength(12)
    for (const { Metrics } of ofDynamoDb) {
      const terms = Metrics.filter(({ MetricStat }: Properties) => MetricStat).map(({ Id }: Properties) => `FILL(${Id}, 0)`)
      expect(Metrics.find(({ Expression }: Properties) => Expression).Expression).toBe(terms.join(' + '))
    }
  })

  test('has at most the 10 metrics that CloudWatch takes', () => {
    expect(alarmsOf(everything).filter((alarm) => watchedBy(alarm).length > 10)).toEqual([])
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
  test.each(['dead-letters', 'old-events', 'growing-queue', 'handler-errors', 'function-errors', 'function-throttles', 'slow-function'])(
    '%s is of every hook',
    (id) => {
      const subjects = ofKind(everything, id).map(({ AlarmDescription }) => /: ([a-z.]+)\. /.exec(AlarmDescription)?.[1])
      expect(subjects.sort()).toEqual(
        hookConfigs(EVERY_HOOK)
          .map(({ hook }) => hook)
          .sort(),
      )
    },
  )

  test('dead letters are those of the hook, and of the rules the queue of their errors', () => {
    const queues = [...ofKind(everything, 'dead-letters'), ...ofKind(everything, 'rule-errors')].map(
      (alarm) => watchedBy(alarm)[0]!.Dimensions[0]!.Value as { 'Fn::GetAtt': [string] },
    )
    const ids = queues.map((queue) => queue['Fn::GetAtt'][0])
    expect(ids.slice(0, -1).every((id) => id.includes('QueueDeadLetters'))).toBe(true)
    expect(ids.at(-1)).toMatch(/^RulesErrors/)
    expect(new Set(ids).size).toBe(8)
  })

  test('a hook that delivers backlogs may let its events wait longer; others by as much as settling trusts', () => {
    const limits = Object.fromEntries(
      ofKind(everything, 'old-events').map(({ AlarmDescription, Threshold }) => [AlarmDescription.split(/[ .]/)[3], Threshold]),
    )
    expect(limits).toEqual({
      connected: 900,
      created: 900,
      disconnected: 300,
      subscribed: 900,
      unsubscribed: 300,
      publish: 900,
      acked: 300,
    })
    expect(LIMITS.oldEvents.threshold * 1000).toBe(LATEST_EVENT)
  })

  test.each(Object.entries(HOOK_SETTINGS))('%s is slow shortly before it would be cut off', (hook, { timeoutSeconds }) => {
    const [alarm] = ofKind(everything, 'slow-function').filter(({ AlarmDescription }) => AlarmDescription.includes(`: ${hook}.`))
    expect(alarm).toMatchObject({ Threshold: slowFunction(timeoutSeconds).threshold, MetricName: 'Duration', Statistic: 'Maximum' })
    expect(alarm!.Threshold).toBeLessThan(timeoutSeconds * 1000)
  })

  test('of the index are there with the index only', () => {
    const indexes = (template: SynthesizedTemplate) =>
      alarmsOf(template)
        .flatMap(watchedBy)
        .filter(({ Dimensions }) => Dimensions.some(({ Name }) => Name === 'GlobalSecondaryIndexName'))
    expect(
      indexes(everything)
        .map(({ MetricName }) => MetricName)
        .sort(),
    ).toEqual(['ReadThrottleEvents', 'WriteThrottleEvents'])
    expect(indexes(backend(EVERY_HOOK, ENDPOINT))).toEqual([])
  })

  test('are of what the conf uses: presence alone delivers nothing and calls three tables', () => {
    const template = backend(tableOf(row('client.connected', 'on_client_connected')), ENDPOINT)
    expect(ofKind(template, 'throttled-table')).toHaveLength(3)
    for (const id of ['forbidden-deliveries', 'unanswered-deliveries', 'retained-check-throttled']) expect(ofKind(template, id)).toEqual([])
    expect(ofKind(template, 'dead-letters')).toHaveLength(1)
  })
})

describe('who is told', () => {
  const actionsOf = (template: SynthesizedTemplate) => [
    ...new Set(alarmsOf(template).map(({ AlarmActions }) => JSON.stringify(AlarmActions))),
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
    .filter(({ Dimensions }) => Dimensions.some(({ Name }) => Name === 'Hook'))
  expect(new Set(watched.map(({ Namespace }) => Namespace))).toEqual(new Set(['OtherApp']))
})
