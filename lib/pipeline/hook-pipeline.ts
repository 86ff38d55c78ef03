import { Architecture, EventSourceMapping, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import type { HookConfig } from '../../lambda/core/hooks.ts'
import { LOG_LEVEL_VARIABLE, MAX_RECEIVES_VARIABLE, METRICS_NAMESPACE_VARIABLE } from '../../lambda/core/metrics.ts'
import {
  DATA_ENDPOINT_VARIABLE,
  DELIVERY_QUEUE_VARIABLE,
  RETAIN_INDEX,
  RETAIN_INDEX_VARIABLE,
  TABLE_NAMES,
  tableVariable,
} from '../../lambda/core/tables.ts'
import type { MqttTables } from '../mqtt-tables.ts'
import { type Grants, grantsOf } from './grants.ts'
import type { HandlerCode } from './handler-code.ts'
import { HookQueue } from './hook-queue.ts'
import type { HookResources } from './hook-resources.ts'
import { hookRole } from './hook-role.ts'
import type { HookSettings } from './hook-settings.ts'
import { hookRules } from './rule-sql.ts'
import type { RuleTarget } from './rule-target.ts'

export interface HookPipelineProps {
  readonly config: HookConfig
  readonly settings: HookSettings
  /** Days for which logs are kept. */
  readonly logRetention: number
  readonly logLevel: 'info' | 'warn'
  /** Whether message.acked is configured. Publishes on the ack topic are then acknowledgements and no messages. */
  readonly acks: boolean
  readonly ruleTarget: RuleTarget
  readonly tables: MqttTables
  readonly retainIndex: boolean
  readonly code: HandlerCode
  /** Host name or URL of the data plane. Called only for hooks that use it. */
  readonly dataEndpoint: () => string
  /** CloudWatch namespace of the function's metrics. */
  readonly namespace: string
  /** The queue of the function that delivers what this one requests; absent of that one itself. */
  readonly deliveries: IQueue | undefined
}

/** The path of one hook's events: rules, a queue with a dead-letter queue, and a function whose role allows what its actions call. */
export class HookPipeline extends Construct {
  readonly settings: HookSettings
  readonly queue: HookQueue
  readonly function: LambdaFunction
  /** What the function may call. */
  readonly grants: Grants

  constructor(scope: Construct, id: string, props: HookPipelineProps) {
    super(scope, id)
    const { config, settings, acks, ruleTarget } = props
    this.settings = settings
    this.queue = new HookQueue(this, 'Queue', { settings, key: props.tables.key })
    this.grants = grantsOf(config, { retainIndex: props.retainIndex })
    const delivers = config.deliveryHook === config.hook
    this.function = this.createFunction(delivers ? { ...props, deliveries: this.queue.events } : props)
    const source = new EventSourceMapping(this, 'Source', {
      target: this.function,
      eventSourceArn: this.queue.events.queueArn,
      batchSize: settings.batchSize,
      ...(settings.batchWindowSeconds === 0 ? {} : { maxBatchingWindow: Duration.seconds(settings.batchWindowSeconds) }),
      ...(settings.maxConcurrency === undefined ? {} : { maxConcurrency: settings.maxConcurrency }),
      // One event that fails does not send its batch back to the queue (I8).
      reportBatchItemFailures: true,
    })
    for (const statement of hookRules(config, { acks })) ruleTarget.rule(this, { statement, queue: this.queue.events, after: source })
    this.acknowledge()
  }

  get resources(): HookResources {
    return { function: this.function, events: this.queue.events, deadLetters: this.queue.deadLetters }
  }

  private acknowledge(): void {
    const deadLetters = 'Its source is a queue, which invokes it synchronously and has dead letters of its own.'
    Validations.of(this).acknowledge(
      { id: 'Serverless-LambdaDLQ', reason: deadLetters },
      { id: 'Serverless-LambdaEventSourceMappingDestination', reason: deadLetters },
      {
        id: 'Serverless-LambdaTracing',
        reason: 'X-Ray is paid by the trace, asks for xray:PutTraceSegments on *, and an IoT rule hands on no trace to continue.',
      },
    )
  }

  private createFunction(props: HookPipelineProps): LambdaFunction {
    const { grants } = this
    const { config, settings, tables, code, logRetention, deliveries } = props
    const logs = new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY })
    return new LambdaFunction(this, 'Function', {
      description: describe(config),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: code.of(config),
      timeout: Duration.seconds(settings.timeoutSeconds),
      memorySize: settings.memoryMegabytes,
      environment: environment(props, grants),
      logGroup: logs,
      role: hookRole(this, 'Role', { grants, tables, events: this.queue.events, logs, deliveries }),
    })
  }
}

/** The variables that the handlers read from `process.env`, and no others. */
function environment(
  { tables, dataEndpoint, namespace, settings, logLevel, deliveries }: HookPipelineProps,
  grants: Grants,
): Record<string, string> {
  const used = TABLE_NAMES.filter((name) => grants.tables[name] !== undefined)
  return {
    ...Object.fromEntries(used.map((name) => [tableVariable(name), tables.tables[name].tableName])),
    ...(grants.retainIndex ? { [RETAIN_INDEX_VARIABLE]: RETAIN_INDEX.name } : {}),
    ...(grants.dataPlane.length > 0 ? { [DATA_ENDPOINT_VARIABLE]: dataEndpoint() } : {}),
    ...(grants.requestsDelivery && deliveries !== undefined ? { [DELIVERY_QUEUE_VARIABLE]: deliveries.queueUrl } : {}),
    [METRICS_NAMESPACE_VARIABLE]: namespace,
    ...(logLevel === 'info' ? {} : { [LOG_LEVEL_VARIABLE]: logLevel }),
    [MAX_RECEIVES_VARIABLE]: `${settings.maxReceives}`,
  }
}

const MAX_DESCRIPTION = 256

/** Lists the hook's rows, so that a reviewer sees them in the template. */
function describe({ hook, rows }: HookConfig): string {
  const text = `${hook}: ${rows.map(({ action, topic }) => (topic === undefined ? action : `${action} ${topic}`)).join(', ')}`
  return text.length <= MAX_DESCRIPTION ? text : `${text.slice(0, MAX_DESCRIPTION - 3)}...`
}
