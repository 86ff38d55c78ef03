import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { type Acknowledgment, ArnFormat, Stack, Validations } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import { RETAIN_INDEX, TABLE_NAMES } from '../../lambda/core/tables.ts'
import type { MqttTables } from '../mqtt-tables.ts'
import type { DataPlaneOperation, DynamoOperation, Grants } from './grants.ts'
import { RECEIVE_KEY_ACTIONS, useThrough } from './key-use.ts'
import { wildcardFinding } from './wildcard-finding.ts'

export interface HookRoleProps {
  readonly grants: Grants
  readonly tables: MqttTables
  readonly events: IQueue
  readonly logs: ILogGroup
  /** The queue of the function that delivers. */
  readonly deliveries: IQueue | undefined
}

/** The role of one hook's function. It allows the calls of its grants, its own queue and its own log group, and nothing else (I9). */
export function hookRole(scope: Construct, id: string, props: HookRoleProps): IRole {
  const role = new Role(scope, id, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { Grants: new PolicyDocument({ statements: statements(Stack.of(scope), props), minimize: false }) },
  })
  acknowledgeWildcards(role, props)
  return role.withoutPolicyUpdates()
}

/** Names each wildcard of the role with its reason. cdk-nag and our tests report every other wildcard. */
function acknowledgeWildcards(role: Role, { grants, tables }: HookRoleProps): void {
  const stack = Stack.of(role)
  const accepted: Acknowledgment[] = dataPlaneWildcards(grants.dataPlane).map((resource) => ({
    id: wildcardFinding('Resource', stack.resolve(dataPlaneArn(stack, resource))),
    reason: `The ${resource}s are those of devices, which are known at run time only.`,
  }))
  const keys = tableKeys({ grants, tables })
  const ofKey = TABLE_KEY_ACTIONS.filter((action) => keys.length > 0 && action.endsWith('*')).map((action) => ({
    id: wildcardFinding('Action', action),
    reason: 'DynamoDB needs it in the name of its caller. The statement allows one key, and use through DynamoDB only.',
  }))
  Validations.of(role).acknowledge(...accepted, ...ofKey)
}

const statements = (stack: Stack, props: HookRoleProps): PolicyStatement[] => [
  allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], props.events.queueArn),
  allow(['logs:CreateLogStream', 'logs:PutLogEvents'], props.logs.logGroupArn),
  ...tableStatements(props),
  ...tableKeys(props).flatMap((key) => useThrough('dynamodb', key, TABLE_KEY_ACTIONS)),
  ...useThrough('sqs', props.tables.key, [...RECEIVE_KEY_ACTIONS, ...(requestsIn(props) ? ['kms:GenerateDataKey'] : [])]),
  ...(requestsIn(props) ? [allow(['sqs:SendMessage'], props.deliveries!.queueArn)] : []),
  ...dataPlaneStatements(stack, props.grants.dataPlane),
]

const requestsIn = ({ grants, deliveries }: HookRoleProps): boolean => grants.requestsDelivery && deliveries !== undefined

const allow = (actions: string[], ...resources: string[]) => new PolicyStatement({ actions, resources })

function tableStatements({ grants, tables }: HookRoleProps): PolicyStatement[] {
  const { tableArn } = tables.tables.mqtt_retain
  return [
    ...TABLE_NAMES.flatMap((name) => dynamo(grants.tables[name] ?? [], tables.tables[name].tableArn)),
    ...dynamo(grants.retainIndex ? ['Query'] : [], `${tableArn}/index/${RETAIN_INDEX.name}`),
  ]
}

/** The customer's keys of the tables that the function uses. */
const tableKeys = ({ grants, tables }: Pick<HookRoleProps, 'grants' | 'tables'>): IKey[] => {
  const used = TABLE_NAMES.filter((name) => grants.tables[name] !== undefined)
  return [...new Set(used.flatMap((name) => tables.keyOf(name) ?? []))]
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

/** DynamoDB uses a customer-managed key with the caller's permissions. DynamoDB developer guide, "Encryption at rest: usage notes". */
const TABLE_KEY_ACTIONS = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'] as const

type DataPlaneResource = 'client' | 'topic'

/** The resource type of each operation in IAM: `client/<client id>` or `topic/<topic>`. */
const DATA_PLANE_RESOURCE: Readonly<Record<DataPlaneOperation, DataPlaneResource>> = {
  SendDirectMessage: 'client',
  GetConnection: 'client',
  ListSubscriptions: 'client',
  GetRetainedMessage: 'topic',
}

const operationsOn = (resource: DataPlaneResource, operations: readonly DataPlaneOperation[]) =>
  operations.filter((operation) => DATA_PLANE_RESOURCE[operation] === resource)

const dataPlaneWildcards = (operations: readonly DataPlaneOperation[]): DataPlaneResource[] =>
  (['client', 'topic'] as const).filter((resource) => operationsOn(resource, operations).length > 0)

const dataPlaneArn = (stack: Stack, resource: DataPlaneResource): string =>
  stack.formatArn({ service: 'iot', resource, resourceName: '*', arnFormat: ArnFormat.SLASH_RESOURCE_NAME })

const dataPlaneStatements = (stack: Stack, operations: readonly DataPlaneOperation[]): PolicyStatement[] =>
  dataPlaneWildcards(operations).map((resource) =>
    allow(
      operationsOn(resource, operations).map((operation) => `iot:${operation}`),
      dataPlaneArn(stack, resource),
    ),
  )
