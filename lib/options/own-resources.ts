/** Resources that the app has as CDK objects: they stand in the place of the options that name them by ARN or name. */
import { AttributeType, type ITable, type Table } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Token } from 'aws-cdk-lib/core'
import { BackendError } from '../../lambda/core/errors.ts'
import { TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import type { BackendOptions } from './options.ts'

/** Resources of the app, in the place of options that name one by ARN or name. */
export interface OwnResources {
  /** Customer-managed key for the tables and the hooks' queues, in the place of `keyArn`. Its policy must leave its use to IAM, as that of a `Key` does. */
  readonly key?: IKey
  /** SNS topic that alarms notify, in the place of `alarmTopicArn`. CloudWatch must be allowed to publish to it. */
  readonly alarmTopic?: ITopic
  /** Tables that are used instead of making them, in the place of `existingTables`; they may have any name. Keys as in docs/tables.md. */
  readonly tables?: Readonly<Partial<Record<TableName, ITable>>>
}

interface Given {
  readonly name: string
  readonly value: unknown
  /** The attribute that each such object has. */
  readonly arn: string
  readonly wanted: string
}

/** @throws BackendError `option`: one line that says what to change */
export function refuseWrongResources(own: OwnResources, options: BackendOptions, region: string | undefined): void {
  const [first] = [...twice(own, options), ...noTables(own), ...wrong(own, region), ...wrongKeys(own)]
  if (first !== undefined) throw new BackendError('option', first)
}

const twice = (own: OwnResources, options: BackendOptions): string[] =>
  (
    [
      ['key', 'keyArn'],
      ['alarmTopic', 'alarmTopicArn'],
      ['tables', 'existingTables'],
    ] as const
  )
    .filter(([object, name]) => own[object] !== undefined && options[name] !== undefined)
    .map(([object, name]) => `options ${object} and ${name} are both given, wanted one of the two`)

const noTables = ({ tables = {} }: OwnResources): string[] =>
  Object.keys(tables)
    .filter((name) => !TABLE_NAMES.includes(name as TableName))
    .map((name) => `option tables names ${name}, wanted one of ${TABLE_NAMES.join(', ')}`)

const givenOf = ({ key, alarmTopic, tables = {} }: OwnResources): Given[] =>
  [
    { name: 'key', value: key, arn: 'keyArn', wanted: 'a key of aws-cdk-lib/aws-kms' },
    { name: 'alarmTopic', value: alarmTopic, arn: 'topicArn', wanted: 'a topic of aws-cdk-lib/aws-sns' },
    ...Object.entries(tables).map(([name, value]) => {
      return { name: `tables.${name}`, value, arn: 'tableArn', wanted: 'a table of aws-cdk-lib/aws-dynamodb' }
    }),
  ].filter(({ value }) => value !== undefined)

/** What is no such object, and what is in another region than the stack. */
const wrong = (own: OwnResources, region: string | undefined): string[] =>
  givenOf(own).flatMap(({ name, value, arn, wanted }) => {
    const text = (value as Readonly<Record<string, unknown>> | null)?.[arn]
    if (typeof text !== 'string') return [`option ${name} is no construct with ${arn}, wanted ${wanted}`]
    const its = Token.isUnresolved(text) ? undefined : text.split(':')[3]
    if (its === undefined || Token.isUnresolved(its) || region === undefined || its === region) return []
    return [`option ${name} is in ${its}, wanted one in ${region}, the stack's region`]
  })

/** A table that the app makes tells its key. */
const wrongKeys = ({ tables = {} }: OwnResources): string[] =>
  TABLE_NAMES.flatMap((name) => {
    const schema = (tables[name] as Partial<Table> | undefined)?.schemaV2?.()
    if (schema === undefined) return []
    const got = [...schema.partitionKeys, ...schema.sortKeys].map((key) => `${key.name} (${key.type})`).join(', ')
    const { hashKey, rangeKey }: TableDefinition = TABLES[name]
    const wanted = [hashKey, ...(rangeKey === undefined ? [] : [rangeKey])].map((key) => `${key} (${AttributeType.STRING})`).join(', ')
    return got === wanted ? [] : [`option tables.${name} has the key ${got}, wanted ${wanted}`]
  })
