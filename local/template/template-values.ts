/** CloudFormation's intrinsic functions: those that the template uses in the parts that the local run reads. */
import { BackendError } from '../../lambda/core/errors.ts'

export interface Resource {
  readonly Type: string
  readonly Properties?: Readonly<Record<string, unknown>>
  readonly Metadata?: Readonly<Record<string, unknown>>
}

export interface TemplateContext {
  readonly region: string
  readonly resources: Readonly<Record<string, Resource>>
  /** In AWS the answer of the custom resource that asks for IoT Core's endpoint. */
  readonly dataEndpoint: string
}

const ACCOUNT = '000000000000'

/** A value with its intrinsic functions resolved. Throws `template` on one that is not known here. */
export function resolveValue(value: unknown, context: TemplateContext): unknown {
  if (Array.isArray(value)) return value.map((one) => resolveValue(one, context))
  if (typeof value !== 'object' || value === null) return value
  const [[name, argument] = ['', undefined], ...more] = Object.entries(value)
  if (more.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return call(name, argument, context)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolveValue(one, context)]))
}

function call(name: string, argument: unknown, context: TemplateContext): unknown {
  if (name === 'Ref') return reference(argument as string, context)
  if (name === 'Fn::GetAtt') return attribute(...(argument as [string, string]), context)
  if (name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]]
    return parts.map((part) => resolveValue(part, context)).join(separator)
  }
  if (name === 'Fn::Sub' && typeof argument === 'string')
    return argument.replace(/\$\{([^.}]+)(?:\.([^}]+))?\}/g, (_, id: string, of?: string) =>
      String(of === undefined ? reference(id, context) : attribute(id, of, context)),
    )
  throw new BackendError('template', `the template uses ${name}, wanted Ref, Fn::GetAtt, Fn::Join or Fn::Sub of a string`)
}

const STACK = 'MqttBackend'

/** CloudFormation's form of a generated name: the stack, the logical id, and letters and digits of its own (here LOCAL). */
const queueName = (id: string): string => `${STACK}-${id}-LOCAL`

const PSEUDO: Readonly<Record<string, (context: TemplateContext) => string>> = {
  'AWS::Region': ({ region }) => region,
  'AWS::AccountId': () => ACCOUNT,
  'AWS::Partition': () => 'aws',
  'AWS::URLSuffix': () => 'amazonaws.com',
  'AWS::StackName': () => STACK,
}

function reference(id: string, context: TemplateContext): string {
  const pseudo = PSEUDO[id]
  if (pseudo) return pseudo(context)
  const { Type, Properties } = resourceOf(id, context)
  if (Type === 'AWS::DynamoDB::Table') return tableName(id, context)
  if (Type === 'AWS::SQS::Queue') return `https://sqs.${context.region}.amazonaws.com/${ACCOUNT}/${queueName(id)}`
  if (Type === 'AWS::Lambda::Function') return (Properties?.FunctionName as string | undefined) ?? id
  return id
}

function attribute(id: string, name: string, context: TemplateContext): string {
  const { Type } = resourceOf(id, context)
  const arn = (service: string, resource: string) => `arn:aws:${service}:${context.region}:${ACCOUNT}:${resource}`
  if (Type.startsWith('Custom::') || Type === 'AWS::CloudFormation::CustomResource') return context.dataEndpoint
  if (name === 'Arn' && Type === 'AWS::SQS::Queue') return arn('sqs', queueName(id))
  if (name === 'Arn' && Type === 'AWS::Lambda::Function') return arn('lambda', `function:${reference(id, context)}`)
  if (name === 'Arn' && Type === 'AWS::DynamoDB::Table') return arn('dynamodb', `table/${tableName(id, context)}`)
  throw new BackendError('template', `the template asks for ${name} of ${id}, a ${Type}, which the local run does not have`)
}

const tableName = (id: string, context: TemplateContext): string =>
  (resolveValue(resourceOf(id, context).Properties?.TableName, context) as string | undefined) ?? id

function resourceOf(id: string, { resources }: TemplateContext): Resource {
  const resource = resources[id]
  if (!resource) throw new BackendError('template', `the template refers to ${id}, which is none of its resources`)
  return resource
}
