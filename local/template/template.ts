/** The parts of the synthesized template that the local run uses: tables, rules, queues, functions and what connects them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackendError } from '../../lambda/core/errors.ts'
import { type Resource, resolveValue, type TemplateContext } from './template-values.ts'

export interface TemplateQueue {
  /** Logical id without CDK's hash: `MessagePublishQueueEvents`. */
  readonly name: string
  readonly arn: string
  readonly redrivePolicy?: { readonly maxReceiveCount: number /** ARN */; readonly deadLetters: string }
}

export interface TemplateRule {
  readonly name: string
  readonly sql: string
  /** ARN of the queue that its action sends to. */
  readonly queue: string
  /** ARN of the queue of its error action. */
  readonly errors?: string
}

export interface TemplateFunction {
  readonly name: string
  /** Directory with the bundle. */
  readonly code: string
  readonly handler: string
  readonly timeoutMs: number
  readonly memoryMegabytes: number
  readonly environment: Readonly<Record<string, string>>
}

export interface TemplateSource {
  /** ARN of the queue. */
  readonly queue: string
  readonly function: TemplateFunction
  readonly batchSize: number
  readonly partialResponses: boolean
  /** Absent: as many invocations at a time as the account has. */
  readonly maxConcurrency?: number
}

export interface TemplateTable {
  /** The request to CreateTable. */
  readonly create: Readonly<Record<string, unknown>> & { readonly TableName: string }
  /** The attribute of the time to live. */
  readonly ttl?: string
}

export interface Template {
  readonly region: string
  readonly tables: readonly TemplateTable[]
  readonly queues: readonly TemplateQueue[]
  readonly rules: readonly TemplateRule[]
  /** `dataEndpoint`: the data plane's URL, for the functions' environments. */
  sources(dataEndpoint: string): TemplateSource[]
}

const STACK = 'MqttBackend'
const DEFAULT_REGION = 'us-east-1'
const CREATE_TABLE = [
  'TableName',
  'AttributeDefinitions',
  'KeySchema',
  'BillingMode',
  'ProvisionedThroughput',
  'GlobalSecondaryIndexes',
] as const

type Properties = Record<string, unknown>
interface Scaling {
  readonly MaximumConcurrency?: number
}
interface SqsAction {
  readonly Sqs?: { readonly QueueUrl: string }
}

/** Reads a cloud assembly. @throws BackendError `template` */
export function readTemplate(directory: string): Template {
  const { Resources: resources } = readJson(join(directory, `${STACK}.template.json`)) as { Resources: Record<string, Resource> }
  const region = regionOf(directory)
  const inContext = (dataEndpoint: string) => new Reader(directory, { region, resources, dataEndpoint })
  const reader = inContext('')
  const sources = (dataEndpoint: string) => inContext(dataEndpoint).sources()
  return { region, tables: reader.tables(), queues: reader.queues(), rules: reader.rules(), sources }
}

class Reader {
  readonly #directory: string
  readonly #context: TemplateContext

  constructor(directory: string, context: TemplateContext) {
    this.#directory = directory
    this.#context = context
  }

  tables(): TemplateTable[] {
    return this.#all('AWS::DynamoDB::Table').map(({ id, properties }) => {
      const create = Object.fromEntries(CREATE_TABLE.filter((key) => key in properties).map((key) => [key, properties[key]]))
      const ttl = properties.TimeToLiveSpecification as { AttributeName: string; Enabled: boolean } | undefined
      return { create: { TableName: id, ...create }, ...(ttl?.Enabled ? { ttl: ttl.AttributeName } : {}) }
    })
  }

  queues(): TemplateQueue[] {
    return this.#all('AWS::SQS::Queue').map(({ id, properties }) => {
      const redrive = properties.RedrivePolicy as { maxReceiveCount: number; deadLetterTargetArn: string } | undefined
      const redrivePolicy = redrive && { maxReceiveCount: redrive.maxReceiveCount, deadLetters: redrive.deadLetterTargetArn }
      const arn = this.#value({ 'Fn::GetAtt': [id, 'Arn'] }) as string
      return { name: shortName(id), arn, ...(redrivePolicy ? { redrivePolicy } : {}) }
    })
  }

  rules(): TemplateRule[] {
    const urls = new Map(
      this.#all('AWS::SQS::Queue').map(({ id }) => [this.#value({ Ref: id }), this.#value({ 'Fn::GetAtt': [id, 'Arn'] }) as string]),
    )
    return this.#all('AWS::IoT::TopicRule').flatMap(({ id, properties }) => {
      const { Sql, Actions, ErrorAction } = properties.TopicRulePayload as { Sql: string; Actions: SqsAction[]; ErrorAction?: SqsAction }
      const name = (properties.RuleName as string | undefined) ?? id
      const queueOf = ({ Sqs }: SqsAction): string => {
        const queue = Sqs && urls.get(Sqs.QueueUrl)
        if (!queue) throw new BackendError('template', `rule ${name} has an action that is not to one of the template's queues`)
        return queue
      }
      const errors = ErrorAction && queueOf(ErrorAction)
      return Actions.map((action) => ({ name, sql: Sql, queue: queueOf(action), ...(errors === undefined ? {} : { errors }) }))
    })
  }

  sources(): TemplateSource[] {
    return this.#all('AWS::Lambda::EventSourceMapping').map(({ properties }) => {
      const { MaximumConcurrency: maxConcurrency } = (properties.ScalingConfig as Scaling | undefined) ?? {}
      return {
        queue: properties.EventSourceArn as string,
        function: this.#function(properties.FunctionName as string),
        batchSize: (properties.BatchSize as number | undefined) ?? 10,
        partialResponses: ((properties.FunctionResponseTypes as string[] | undefined) ?? []).includes('ReportBatchItemFailures'),
        ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
      }
    })
  }

  #function(name: string): TemplateFunction {
    const found = this.#all('AWS::Lambda::Function').find(({ id }) => this.#value({ Ref: id }) === name)
    const path = found && this.#context.resources[found.id]!.Metadata?.['aws:asset:path']
    if (!found || typeof path !== 'string') throw new BackendError('template', `function ${name}: no code among the template's assets`)
    const { properties } = found
    const { Variables = {} } = (properties.Environment as { Variables?: Record<string, string> } | undefined) ?? {}
    return {
      name: shortName(found.id),
      code: join(this.#directory, path),
      handler: properties.Handler as string,
      timeoutMs: ((properties.Timeout as number | undefined) ?? 3) * 1000,
      memoryMegabytes: (properties.MemorySize as number | undefined) ?? 128,
      environment: Variables,
    }
  }

  #all(type: string): { id: string; properties: Properties }[] {
    const ofType = Object.entries(this.#context.resources).filter(([, { Type }]) => Type === type)
    return ofType.map(([id, resource]) => ({ id, properties: this.#properties(resource) }))
  }

  /** Without properties that the local run does not need (roles, code location, logs, keys): their values are not resolved. */
  #properties({ Type, Properties = {} }: Resource): Properties {
    const skip = Type === 'AWS::Lambda::Function' ? ['Role', 'Code', 'LoggingConfig', 'KmsKeyArn'] : ['SSESpecification', 'KmsMasterKeyId']
    const wanted = Object.entries(Properties).filter(([key]) => !skip.includes(key))
    return Object.fromEntries(wanted.map(([key, value]) => [key, this.#value(key === 'TopicRulePayload' ? withoutRoles(value) : value)]))
  }

  #value(value: unknown): unknown {
    return resolveValue(value, this.#context)
  }
}

function withoutRoles(payload: unknown): unknown {
  const { Sql, Actions, ErrorAction } = payload as { Sql: unknown; Actions: SqsAction[]; ErrorAction?: SqsAction }
  const withoutRole = ({ Sqs }: SqsAction) => (Sqs ? { Sqs: { QueueUrl: Sqs.QueueUrl } } : {})
  return { Sql, Actions: Actions.map(withoutRole), ...(ErrorAction ? { ErrorAction: withoutRole(ErrorAction) } : {}) }
}

const shortName = (id: string): string => id.replace(/[0-9A-F]{8}$/, '')

/** The stack's environment is `aws://account/region`. */
function regionOf(directory: string): string {
  const manifest = readJson(join(directory, 'manifest.json')) as { artifacts?: Record<string, { environment?: string }> }
  const region = manifest.artifacts?.[STACK]?.environment?.split('/').at(-1)
  return region && region !== 'unknown-region' ? region : DEFAULT_REGION
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new BackendError('template', `cannot read ${file}: ${(error as Error).message}`)
  }
}
