import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Stack, Token } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { BackendError } from '../lambda/core/errors.ts'
import { type HookConfig, type HookName, type HookTable, hookConfigs } from '../lambda/core/hooks.ts'
import { pascalCase } from './construct-ids.ts'
import { Monitoring } from './monitoring/monitoring.ts'
import { MqttTables } from './mqtt-tables.ts'
import { refuseContradictions } from './options/contradictions.ts'
import { type BackendOptions, checkedOptions } from './options/options.ts'
import { DataEndpoint } from './pipeline/data-endpoint.ts'
import { HandlerCode } from './pipeline/handler-code.ts'
import { HookPipeline } from './pipeline/hook-pipeline.ts'
import { hookSettings } from './pipeline/hook-settings.ts'
import { RuleTarget } from './pipeline/rule-target.ts'

const NO_HOOKS = 'the hook table has no hook at all, wanted at least one row (backend.dynamo.hook.<hook>.<label> = {...} of the conf)'

export interface MqttBackendProps extends BackendOptions {
  /** Which action runs on which hook: `hookTableIn` of lib/conf/conf.ts reads it from a conf. */
  readonly hookTable: HookTable
}

/** DynamoDB message storage for IoT Core of the stack's account and region: six tables, and a pipeline for each hook of the table. */
export class MqttBackend extends Construct {
  readonly tables: MqttTables
  readonly ruleTarget: RuleTarget
  readonly hooks: ReadonlyMap<HookName, HookPipeline>
  readonly monitoring: Monitoring
  private readonly options: BackendOptions
  private readonly logRetention: number
  private endpoint: DataEndpoint | undefined

  /** @throws BackendError `option` for wrong or contradicting options, `bad-conf` for a hook table without hooks */
  constructor(scope: Construct, id: string, { hookTable, ...given }: MqttBackendProps) {
    super(scope, id)
    const options = checkedOptions(given)
    const configs = hookConfigs(hookTable)
    if (configs.length === 0) throw new BackendError('bad-conf', NO_HOOKS)
    refuseContradictions(options, { hooks: configs.map(({ hook }) => hook), region: regionOf(this) })
    this.options = options
    this.logRetention = options.logRetention ?? RetentionDays.ONE_MONTH
    this.tables = new MqttTables(this, 'Tables', options)
    this.ruleTarget = new RuleTarget(this, 'Rules', this.tables)
    // Each stack has a namespace of its own, so that two stacks do not count together.
    const namespace = Stack.of(this).stackName
    this.hooks = this.pipelines(configs, namespace)
    this.ruleTarget.orderRules()
    const { hooks, tables } = this
    this.monitoring = new Monitoring(this, 'Monitoring', { ...options, namespace, hooks, tables, ruleErrors: this.ruleTarget.errors })
  }

  /** Host name or URL of the data plane; undefined if no hook uses it. */
  get dataEndpoint(): string | undefined {
    return this.options.dataEndpoint ?? this.endpoint?.address
  }

  private pipelines(configs: readonly HookConfig[], namespace: string): Map<HookName, HookPipeline> {
    const shared = {
      acks: configs.some(({ hook }) => hook === 'message.acked'),
      ruleTarget: this.ruleTarget,
      tables: this.tables,
      retainIndex: this.options.retainIndex ?? false,
      logRetention: this.logRetention,
      logLevel: this.options.logLevel ?? 'info',
      namespace,
      code: new HandlerCode(configs.map(({ hook }) => hook)),
      dataEndpoint: () => this.options.dataEndpoint ?? this.lookedUpEndpoint(),
    }
    const pipelines = new Map<HookName, HookPipeline>()
    for (const config of configs) {
      const { hook } = config
      // The hooks that deliver come before the one that stores (HOOKS of lambda/core/hooks.ts).
      const deliveries = config.deliveryHook && pipelines.get(config.deliveryHook)?.queue.events
      const settings = hookSettings(hook, this.options)
      pipelines.set(hook, new HookPipeline(this, pascalCase(hook), { ...shared, config, settings, deliveries }))
    }
    return pipelines
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
