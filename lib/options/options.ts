/** The options of `cdk synth -c name=value`, and of an app that imports the construct. */
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import { BackendError } from '../../lambda/core/errors.ts'
import { LEAST_BACKLOG } from '../../lambda/core/metrics.ts'
import type { TableName } from '../../lambda/core/tables.ts'
import { type Choice, flag, matching, oneOf, type PerHook, perHook, tableNames, where, whole } from './choices.ts'

/** The options: docs/deploy.md says more of each. */
export interface BackendOptions {
  /** Stands before every table name. Default: none, so that the names are EMQX's. */
  readonly prefix?: string
  /** `provisioned`: 5 read and 5 write units a table, as on EMQX's page; `provisioned:R/W`: other units. Default `on-demand`. */
  readonly billing?: Billing
  /** `R/W`: the most read and write units a second of each on-demand table that the stack makes. DynamoDB throttles what is above. Default `10000/10000`. */
  readonly maxUnits?: `${number}/${number}`
  /** Uses tables that exist instead of making them: all six, or those named. Default false. */
  readonly existingTables?: boolean | readonly TableName[]
  /** Adds an index to `mqtt_retain`, so that wildcard subscriptions need no scan. Default false, as on EMQX's page. */
  readonly retainIndex?: boolean
  /** `keep` (default): tables stay when the stack goes, with deletion protection and point-in-time recovery. `dev`: none of that. */
  readonly retention?: 'keep' | 'dev'
  /** DynamoDB deletes expired messages and markers from the tables that the stack makes. Default true. */
  readonly ttl?: boolean
  /** ARN of a customer-managed KMS key for the tables and the hooks' queues, in the stack's region. Default: DynamoDB's and SQS's own keys. */
  readonly keyArn?: string
  /** Host name or URL of the IoT data plane. Default: a custom resource asks IoT Core for it at deployment. */
  readonly dataEndpoint?: string
  /** Days for which CloudWatch keeps the functions' logs. Default 30. */
  readonly logRetention?: number
  /** `warn`: the functions log failed events only, and metrics. Default `info`: a line for each event. */
  readonly logLevel?: 'info' | 'warn'
  /** E-mail address that alarms notify. Default: none. */
  readonly alarmEmail?: string
  /** US dollars a month, of the whole account: `alarmEmail` is told when so much is forecast, and when 80 % or all of it is spent. Default: none. */
  readonly monthlyBudget?: number
  /** ARN of an SNS topic that alarms notify, in the stack's region. Default: none. */
  readonly alarmTopicArn?: string
  /** Messages: an alarm goes off when about so many wait on one topic to which somebody publishes. Default: no such alarm. */
  readonly alarmQueueDepth?: number
  /** Seconds: an alarm goes off when a message has waited for so long on a topic to which somebody publishes. Default: no such alarm. */
  readonly alarmQueueAge?: number
  /** Memory of the functions in megabytes. The defaults of this and the next options: docs/deploy.md, "Options". */
  readonly memory?: PerHook<number>
  /** Timeout of an invocation in seconds. */
  readonly timeout?: PerHook<number>
  /** Concurrent invocations for one hook's queue, at most. */
  readonly concurrency?: PerHook<number>
  /** Events in one invocation, at most. */
  readonly batchSize?: PerHook<number>
  /** Seconds that Lambda waits to fill a batch. */
  readonly batchWindow?: PerHook<number>
}

/** Of the tables that the stack makes. */
export type Billing = 'on-demand' | 'provisioned' | `provisioned:${number}/${number}`

export const DEFAULT_STACK_NAME = 'MqttBackend'

/** The options of the construct, and those that only the app has. */
export interface AppOptions extends BackendOptions {
  /** Path of the conf file. Default: {@link DEFAULT_CONF} of lib/conf/conf-file.ts. */
  readonly conf?: string
  /** Name of the stack, and what the names of its rules and queues begin with. Default {@link DEFAULT_STACK_NAME}. */
  readonly stackName?: string
  /** Adds rules and a queue by which `mqtt-dynamodb smoke` learns what AWS does not document. Default false. */
  readonly probe?: boolean
}

/** Of an on-demand table: two or three times what one topic may have, and far below what costs a fortune in a night. */
export const DEFAULT_MAX_UNITS = '10000/10000'

/** Table names are letters, digits, `_`, `-`, `.`, at most 255 characters; `mqtt_topic_msg_map` is the longest. */
const PREFIX = /^[\w.-]{0,237}$/
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?'
const HOST = new RegExp(`^(?:https?://)?${LABEL}(?:\\.${LABEL})*(?::[1-9]\\d{0,4})?/?$`)
const isHost = (text: string): boolean => HOST.test(text) && URL.canParse(text.includes('://') ? text : `https://${text}`)
/** DynamoDB's quota of a table is 40,000 units. */
const UNITS = '(?:[1-9]\\d{0,3}|[1-3]\\d{4}|40000)'
const LOG_DAYS = Object.values(RetentionDays).filter((days): days is number => typeof days === 'number' && days !== RetentionDays.INFINITE)

const CHOICES: Record<keyof AppOptions, Choice> = {
  conf: matching('the path of a conf file', /./),
  stackName: matching('letters, digits and "-", first a letter, at most 22 (names of queues have 80)', /^[A-Za-z][A-Za-z0-9-]{0,21}$/),
  prefix: matching('letters, digits, "_", "-" and ".", at most 237', PREFIX),
  billing: matching(
    'on-demand, provisioned (5/5) or provisioned:R/W with read and write units from 1 to 40000',
    new RegExp(`^(?:on-demand|provisioned(?::${UNITS}/${UNITS})?)$`),
  ),
  maxUnits: matching('R/W: read and write units from 1 to 40000', new RegExp(`^${UNITS}/${UNITS}$`)),
  existingTables: tableNames,
  retainIndex: flag,
  retention: matching('keep or dev', /^(?:keep|dev)$/),
  ttl: flag,
  keyArn: matching('the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>)', /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/),
  dataEndpoint: where('a host name or an http(s) URL without a path', isHost),
  logRetention: oneOf('days that CloudWatch knows', LOG_DAYS),
  logLevel: matching('info or warn', /^(?:info|warn)$/),
  alarmEmail: matching('an e-mail address', /^[^\s@,;<>"]+@[^\s@,;<>".]+(?:\.[^\s@,;<>".]+)+$/),
  monthlyBudget: whole('US dollars', 1, 1_000_000),
  alarmTopicArn: matching(
    'the ARN of a standard SNS topic (arn:aws:sns:<region>:<account>:<name>)',
    /^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}$/,
  ),
  // Less is no backlog, and not measured: LEAST_BACKLOG of lambda/core/metrics.ts.
  alarmQueueDepth: whole('messages', LEAST_BACKLOG.messages, 100_000_000),
  alarmQueueAge: whole('seconds', LEAST_BACKLOG.ms / 1000, 100_000_000),
  memory: perHook(whole('megabytes', 128, 10_240)),
  // A handler stops deliveries 8 s before its timeout: with less than 15 s it would deliver nothing.
  timeout: perHook(whole('seconds', 15, 900)),
  // SQS event sources take no 1. Reserved concurrency is no option: each of its throttles counts as a receive of the event.
  concurrency: perHook(whole('invocations at a time', 2, 1000)),
  batchSize: perHook(whole('events', 1, 10_000)),
  batchWindow: perHook(whole('seconds', 0, 300)),
  probe: flag,
}

export const OPTION_NAMES: readonly string[] = Object.keys(CHOICES)

const isOption = (name: string): name is keyof AppOptions => Object.hasOwn(CHOICES, name)

/**
 * The options in a CDK app's context. Names with `:`, `/` or `@` belong to CDK; every other name must be an option.
 * @throws BackendError `option` with one line that says what is allowed
 */
export function optionsOf(context: Readonly<Record<string, unknown>>): AppOptions {
  return chosen(Object.entries(context).filter(([name]) => !/[:/@]/.test(name)))
}

/**
 * The options of an app that imports the construct.
 * @throws BackendError `option`, as {@link optionsOf} does
 */
export const checkedOptions = (options: BackendOptions): BackendOptions =>
  chosen(Object.entries(options).filter(([, value]) => value !== undefined))

const chosen = (given: readonly [name: string, value: unknown][]): AppOptions =>
  Object.fromEntries(given.map(([name, value]) => [name, choose(name, value)]))

function choose(name: string, value: unknown): unknown {
  if (!isOption(name)) throw new BackendError('option', `unknown option ${name}, wanted one of ${OPTION_NAMES.join(', ')}`)
  const { wanted, read } = CHOICES[name]
  const result = read(value)
  if (result === undefined) throw new BackendError('option', `option ${name} is ${JSON.stringify(value)}, wanted ${wanted}`)
  return result
}
