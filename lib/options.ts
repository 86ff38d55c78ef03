/** What may be chosen at `cdk synth -c name=value`, or by an app that imports the construct. */
import { BackendError } from '../lambda/core/errors.ts'

export interface BackendOptions {
  /** Before every table name; default none, so that the names are EMQX's. */
  readonly prefix?: string
  /** `provisioned`: the page's 5 read and 5 write units a table. Default `on-demand`. */
  readonly billing?: Billing
  /** Use the six tables that are already there instead of making them. Default false. */
  readonly existingTables?: boolean
  /** An index of `mqtt_retain` for wildcard subscriptions, instead of scans. Default false: the page's definition. */
  readonly retainIndex?: boolean
  /** Keep nothing: no deletion protection, no point-in-time recovery, tables go with the stack. Default false. */
  readonly dev?: boolean
  /** ARN of a customer-managed KMS key for the tables. Default: DynamoDB's own key. */
  readonly keyArn?: string
  /** Host name or URL of the IoT data plane. Default: asked of IoT Core at deployment. */
  readonly dataEndpoint?: string
  /** ARN of an SNS topic that is told of alarms. Default: nobody is. */
  readonly alarmTopicArn?: string
  /** Address that is told of alarms, by a topic of the stack's own. With `keyArn` that key encrypts it: its policy must let CloudWatch use it. */
  readonly alarmEmail?: string
}

export type Billing = 'on-demand' | 'provisioned'

/** The options, and what only the app itself needs to know. */
export interface AppOptions extends BackendOptions {
  /** Path of the conf file, if not the default one. */
  readonly conf?: string
}

interface Choice {
  readonly wanted: string
  /** The option's value, undefined if it is not allowed. */
  readonly read: (value: unknown) => string | boolean | undefined
}

const matching = (wanted: string, pattern: RegExp): Choice => ({
  wanted,
  read: (value) => (typeof value === 'string' && pattern.test(value) ? value : undefined),
})
const flag: Choice = {
  wanted: 'true or false',
  read: (value) => (value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined),
}

/** Table names are letters, digits, `_`, `-`, `.`, at most 255 characters; `mqtt_topic_msg_map` is the longest. */
const PREFIX = /^[\w.-]{0,237}$/
const HOST = /^(?:https?:\/\/)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?\/?$/

const CHOICES: Record<keyof AppOptions, Choice> = {
  conf: matching('the path of a conf file', /./),
  prefix: matching('letters, digits, "_", "-" and ".", at most 237', PREFIX),
  billing: matching('on-demand or provisioned', /^(?:on-demand|provisioned)$/),
  existingTables: flag,
  retainIndex: flag,
  dev: flag,
  keyArn: matching('the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>)', /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/),
  dataEndpoint: matching('a host name or an http(s) URL without a path', HOST),
  alarmTopicArn: matching(
    'the ARN of an SNS topic (arn:aws:sns:<region>:<account>:<name>)',
    /^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}$/,
  ),
  alarmEmail: matching('an e-mail address', /^[^\s@]+@[^\s@]+\.[^\s@]+$/),
}

const isOption = (name: string): name is keyof AppOptions => Object.hasOwn(CHOICES, name)

/**
 * The options among a CDK app's context. Names with `:`, `/` or `@` are CDK's own; of the others each must be an option.
 * @throws BackendError `option` with one line that says what is allowed.
 */
export function optionsOf(context: Readonly<Record<string, unknown>>): AppOptions {
  const ours = Object.entries(context).filter(([name]) => !/[:/@]/.test(name))
  return Object.fromEntries(ours.map(([name, value]) => [name, choose(name, value)]))
}

/** @throws BackendError `option`, as {@link optionsOf} does; for apps that import the construct. */
export function checkOptions(options: BackendOptions): void {
  for (const [name, value] of Object.entries(options)) if (value !== undefined) choose(name, value)
}

function choose(name: string, value: unknown): string | boolean {
  if (!isOption(name)) throw new BackendError('option', `unknown option ${name}, wanted one of ${Object.keys(CHOICES).join(', ')}`)
  const { wanted, read } = CHOICES[name]
  const chosen = read(value)
  if (chosen === undefined) throw new BackendError('option', `option ${name} is ${JSON.stringify(value)}, wanted ${wanted}`)
  return chosen
}
