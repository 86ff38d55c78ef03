/** Every policy of a template, wherever it stands, and what a statement's resources are once CloudFormation has filled them in. */
import type { Properties, SynthesizedTemplate } from './synthesized.ts'

export interface PlacedStatement {
  /** Logical id of the resource, and the path in it. */
  readonly where: string
  /** Who may assume a role; what a role may do; who may use a resource. */
  readonly kind: 'trust' | 'identity' | 'resource'
  readonly statement: Properties
}

const RESOURCE_POLICIES = ['AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy', 'AWS::S3::BucketPolicy', 'AWS::KMS::Key']

export const statementsIn = (template: SynthesizedTemplate): PlacedStatement[] =>
  Object.entries(template.resources).flatMap(([id, { Type, Properties }]) =>
    walk(Properties, id).map(({ where, statement }) => {
      const others = RESOURCE_POLICIES.includes(Type) ? 'resource' : 'identity'
      return { where, statement, kind: where.includes('AssumeRolePolicyDocument') ? 'trust' : others }
    }),
  )

function walk(value: unknown, where: string): { where: string; statement: Properties }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'Statement'
      ? [inner].flat().map((statement, i) => ({ where: `${where}.${i}`, statement }))
      : walk(inner, Array.isArray(value) ? where : `${where}.${key}`),
  )
}

/** The ARNs that CloudFormation gives resources; of a log group it is that of its streams. */
const ARN_OF: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'arn:aws:dynamodb:REGION:ACCOUNT:table/NAME',
  'AWS::SQS::Queue': 'arn:aws:sqs:REGION:ACCOUNT:NAME',
  'AWS::SNS::Topic': 'arn:aws:sns:REGION:ACCOUNT:NAME',
  'AWS::Logs::LogGroup': 'arn:aws:logs:REGION:ACCOUNT:log-group:NAME:log-stream:*',
}
const PSEUDO: Readonly<Record<string, string>> = { 'AWS::Partition': 'aws', 'AWS::Region': 'REGION', 'AWS::AccountId': 'ACCOUNT' }

export function arnText(value: unknown, template: SynthesizedTemplate): string {
  if (typeof value === 'string') return value
  const { Ref, 'Fn::GetAtt': got, 'Fn::Join': join } = value as Properties
  if (join !== undefined) return join[1].map((part: unknown) => arnText(part, template)).join(join[0])
  const id = Ref ?? got[0]
  return PSEUDO[id] ?? ARN_OF[template.resources[id]?.Type ?? '']?.replace('NAME', id) ?? JSON.stringify(value)
}
