import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { ArnFormat, Stack } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import type { DataPlaneOperation, DynamoOperation, Grants } from '../lambda/core/grants.ts'
import { RETAIN_INDEX, TABLE_NAMES } from '../lambda/core/tables.ts'
import type { MqttTables } from './mqtt-tables.ts'

export interface HookRoleProps {
  readonly grants: Grants
  readonly tables: MqttTables
  readonly events: IQueue
  readonly logs: ILogGroup
}

/** The role of one hook's function: exactly what its grants name, its own queue and its own log group (I9). */
export const hookRole = (scope: Construct, id: string, props: HookRoleProps): IRole =>
  new Role(scope, id, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { Grants: new PolicyDocument({ statements: statements(Stack.of(scope), props), minimize: false }) },
  }).withoutPolicyUpdates()

const statements = (stack: Stack, props: HookRoleProps): PolicyStatement[] => [
  allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], props.events.queueArn),
  allow(['logs:CreateLogStream', 'logs:PutLogEvents'], props.logs.logGroupArn),
  ...tableStatements(props),
  ...keyStatements(stack, props.tables),
  ...dataPlaneStatements(stack, props.grants.dataPlane),
]

const allow = (actions: string[], ...resources: string[]) => new PolicyStatement({ actions, resources })

function tableStatements({ grants, tables }: HookRoleProps): PolicyStatement[] {
  const { tableArn } = tables.tables.mqtt_retain
  return [
    ...TABLE_NAMES.flatMap((name) => dynamo(grants.tables[name] ?? [], tables.tables[name].tableArn)),
    ...dynamo(grants.retainIndex ? ['Query'] : [], `${tableArn}/index/${RETAIN_INDEX.name}`),
  ]
}

const dynamo = (operations: readonly DynamoOperation[], arn: string): PolicyStatement[] =>
  operations.length === 0
    ? []
    : [
        allow(
          operations.map((operation) => `dynamodb:${operation}`),
          arn,
        ),
      ]

/** DynamoDB uses a customer-managed key in the caller's name. DynamoDB developer guide, "Encryption at rest: usage notes". */
function keyStatements(stack: Stack, { key }: MqttTables): PolicyStatement[] {
  if (key === undefined) return []
  const actions = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey']
  const conditions = { StringEquals: { 'kms:ViaService': `dynamodb.${stack.region}.amazonaws.com` } }
  return [new PolicyStatement({ actions, resources: [key.keyArn], conditions })]
}

/** What the service's resource types are: `client/<client id>` or `topic/<topic>`. */
const DATA_PLANE_RESOURCE: Readonly<Record<DataPlaneOperation, 'client' | 'topic'>> = {
  SendDirectMessage: 'client',
  GetConnection: 'client',
  GetRetainedMessage: 'topic',
}

const dataPlaneStatements = (stack: Stack, operations: readonly DataPlaneOperation[]): PolicyStatement[] =>
  (['client', 'topic'] as const).flatMap((resource) => {
    const actions = operations.filter((operation) => DATA_PLANE_RESOURCE[operation] === resource).map((operation) => `iot:${operation}`)
    const arn = stack.formatArn({ service: 'iot', resource, resourceName: '*', arnFormat: ArnFormat.SLASH_RESOURCE_NAME })
    return actions.length === 0 ? [] : [allow(actions, arn)]
  })
