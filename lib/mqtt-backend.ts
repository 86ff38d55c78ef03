import type { Alarm, Dashboard } from 'aws-cdk-lib/aws-cloudwatch'
import type { ITable } from 'aws-cdk-lib/aws-dynamodb'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Stack, Token } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { BackendError } from '../lambda/core/errors.ts'
import { type HookConfig, type HookName, type HookTable, hookConfigs } from '../lambda/core/hooks.ts'
import type { TableName } from '../lambda/core/tables.ts'
import { cdkVersion } from './cdk-version.ts'
import { pascalCase } from './construct-ids.ts'
import { Monitoring } from './monitoring/monitoring.ts'
import { MqttTables } from './mqtt-tables.ts'
import { refuseContradictions } from './options/contradictions.ts'
import { type BackendOptions, checkedOptions } from './options/options.ts'
import { type OwnResources, refuseWrongResources } from './options/own-resources.ts'
import { DataEndpoint } from './pipeline/data-endpoint.ts'
import { HandlerCode } from './pipeline/handler-code.ts'
import { HookPipeline } from './pipeline/hook-pipeline.ts'
import type { HookResources } from './pipeline/hook-resources.ts'
import { hookSettings } from './pipeline/hook-settings.ts'
import { RuleTarget } from './pipeline/rule-target.ts'

const NO_HOOKS = 'the hook table has no hook at all, wanted at least one row (backend.dynamo.hook.<hook>.<label> = {...} of the conf)'

/** The hook table, options, and resources of the app. */
export interface MqttBackendProps extends BackendOptions, OwnResources {
  /** Which action runs on which hook: `hookTableIn` reads it from a conf. */
  readonly hookTable: HookTable
}

/** DynamoDB message storage for IoT Core of the stack's account and region: six tables, and rules, a queue and a function for each hook of the table. */
export class MqttBackend extends Construct {
  /** Made by the stack, existing ones, or the app's own. */
  readonly tables: Readonly<Record<TableName, ITable>>
  /** Names of the tables that stay when the stack is destroyed. The app's own tables are not among them. */
  readonly keptTables: readonly string[]
  /** What the hooks of the hook table have; a hook without a row is not there. */
  readonly hooks: ReadonlyMap<HookName, HookResources>
  /** Errors of the IoT rules, each with the event that failed. */
  readonly ruleErrors: IQueue
  /** Each notifies `alarmTopic`, `alarmTopicArn` and `alarmEmail`, where given. */
  readonly alarms: readonly Alarm[]
  /** Alarms and metrics on one page. */
  readonly dashboard: Dashboard
  private readonly options: BackendOptions
  private readonly logRetention: number
  private endpoint: DataEndpoint | undefined

  /** @throws BackendError `option` for wrong or contradicting options, `bad-conf` for a hook table without hooks, `usage` for a CDK that is too old */
  constructor(scope: Construct, id: string, { hookTable, key, alarmTopic, tables: own, ...given }: MqttBackendProps) {
    super(scope, id)
    cdkVersion()
    const options = checkedOptions(given)
    const resources = { ...(key && { key }), ...(alarmTopic && { alarmTopic }), ...(own && { tables: own }) }
    const configs = hookConfigs(hookTable)
    if (configs.length === 0) throw new BackendError('bad-conf', NO_HOOKS)
    const region = regionOf(this)
    refuseWrongResources(resources, options, region)
    refuseContradictions({ ...options, ...resources }, { hooks: configs.map(({ hook }) => hook), region })
    this.options = options
    this.logRetention = options.logRetention ?? RetentionDays.ONE_MONTH
    const tables = new MqttTables(this, 'Tables', { ...options, ...resources })
    const ruleTarget = new RuleTarget(this, 'Rules', tables)
    // Each stack has a namespace of its own, so that two stacks do not count together.
    const namespace = Stack.of(this).stackName
    const hooks = this.pipelines(configs, { tables, ruleTarget, namespace })
    ruleTarget.orderRules()
    const { errors: ruleErrors } = ruleTarget
    const watched = { namespace, hooks, tables, ruleErrors }
    const monitoring = new Monitoring(this, 'Monitoring', { ...options, ...resources, ...watched })
    this.tables = tables.tables
    this.keptTables = tables.kept
    this.hooks = new Map([...hooks].map(([hook, pipeline]) => [hook, pipeline.resources]))
    this.ruleErrors = ruleErrors
    this.alarms = monitoring.alarms
    this.dashboard = monitoring.dashboard.page
  }

  /** Host name or URL of the data plane; undefined if no hook uses it. */
  get dataEndpoint(): string | undefined {
    return this.options.dataEndpoint ?? this.endpoint?.address
  }

  private pipelines(
    configs: readonly HookConfig[],
    common: { readonly tables: MqttTables; readonly ruleTarget: RuleTarget; readonly namespace: string },
  ): Map<HookName, HookPipeline> {
    const shared = {
      ...common,
      acks: configs.some(({ hook }) => hook === 'message.acked'),
      retainIndex: this.options.retainIndex ?? false,
      logRetention: this.logRetention,
      logLevel: this.options.logLevel ?? 'info',
      code: new HandlerCode(configs.map(({ hook }) => hook)),
      dataEndpoint: () => this.options.dataEndpoint ?? this.lookedUpEndpoint(),
    }
    const pipelines = new Map<HookName, HookPipeline>()
    const delivers = ({ hook, deliveryHook }: HookConfig) => hook === deliveryHook
    // The one that delivers comes first: the others send to its queue.
    for (const config of [...configs.filter(delivers), ...configs.filter((one) => !delivers(one))]) {
      const { hook } = config
      const deliveries = config.deliveryHook && pipelines.get(config.deliveryHook)?.queue.events
      const settings = hookSettings(hook, this.options)
      pipelines.set(hook, new HookPipeline(this, pascalCase(hook), { ...shared, config, settings, deliveries }))
    }
    return new Map(configs.map(({ hook }) => [hook, pipelines.get(hook)!]))
  }

  private lookedUpEndpoint(): string {
    this.endpoint ??= new DataEndpoint(this, 'DataEndpoint', { logRetention: this.logRetention })
    return this.endpoint.address
  }
}

/** Undefined if the stack has no fixed region. */
function regionOf(scope: Construct): string | undefined {
  const { region } = Stack.of(scope)
  return Token.isUnresolved(region) ? undefined : region
}
