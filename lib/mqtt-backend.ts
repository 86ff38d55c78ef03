import { Stack } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { type HookName, type HookTable, hookConfigs } from '../lambda/core/hooks.ts'
import { pascalCase } from './construct-ids.ts'
import { DataEndpoint } from './data-endpoint.ts'
import { HandlerCode } from './handler-code.ts'
import { HookPipeline } from './hook-pipeline.ts'
import { Monitoring } from './monitoring.ts'
import { MqttTables } from './mqtt-tables.ts'
import { type BackendOptions, checkOptions } from './options.ts'
import { RuleTarget } from './rule-target.ts'

export interface MqttBackendProps extends BackendOptions {
  /** Which action runs on which hook: `parseConf` reads it from a conf file. */
  readonly hookTable: HookTable
}

/** DynamoDB message storage for the IoT Core of this account and region: six tables, and a pipeline for each hook of the table. */
export class MqttBackend extends Construct {
  readonly tables: MqttTables
  readonly ruleTarget: RuleTarget
  readonly hooks: ReadonlyMap<HookName, HookPipeline>
  readonly monitoring: Monitoring
  private readonly givenEndpoint: string | undefined
  private endpoint: DataEndpoint | undefined

  constructor(scope: Construct, id: string, { hookTable, ...options }: MqttBackendProps) {
    super(scope, id)
    checkOptions(options)
    this.givenEndpoint = options.dataEndpoint
    this.tables = new MqttTables(this, 'Tables', options)
    this.ruleTarget = new RuleTarget(this, 'Rules')
    // A second stack of the account counts apart.
    const namespace = Stack.of(this).stackName
    this.hooks = this.pipelines(hookTable, { retainIndex: options.retainIndex ?? false, namespace })
    const { hooks, tables } = this
    this.monitoring = new Monitoring(this, 'Monitoring', { ...options, namespace, hooks, tables, ruleErrors: this.ruleTarget.errors })
  }

  /** Host name or URL of the data plane, undefined if no hook calls it. */
  get dataEndpoint(): string | undefined {
    return this.givenEndpoint ?? this.endpoint?.address
  }

  private pipelines(hookTable: HookTable, settings: { retainIndex: boolean; namespace: string }): Map<HookName, HookPipeline> {
    const configs = hookConfigs(hookTable)
    const shared = {
      acks: configs.some(({ hook }) => hook === 'message.acked'),
      ruleTarget: this.ruleTarget,
      tables: this.tables,
      ...settings,
      code: new HandlerCode(configs.map(({ hook }) => hook)),
      dataEndpoint: () => this.givenEndpoint ?? this.lookedUpEndpoint(),
    }
    return new Map(configs.map((config) => [config.hook, new HookPipeline(this, pascalCase(config.hook), { ...shared, config })]))
  }

  private lookedUpEndpoint(): string {
    this.endpoint ??= new DataEndpoint(this, 'DataEndpoint')
    return this.endpoint.address
  }
}
