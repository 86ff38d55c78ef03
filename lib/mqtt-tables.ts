import { AttributeType, BillingMode, type ITable, ProjectionType, Table, TableEncryption, type TableProps } from 'aws-cdk-lib/aws-dynamodb'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import { RemovalPolicy, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { RETAIN_INDEX, TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../lambda/core/tables.ts'
import { pascalCase } from './construct-ids.ts'
import type { BackendOptions } from './options.ts'

export type MqttTablesProps = Pick<BackendOptions, 'prefix' | 'billing' | 'existingTables' | 'retainIndex' | 'dev' | 'keyArn'>

const string = (name: string) => ({ name, type: AttributeType.STRING })

/** The six tables of EMQX's page, made here or already there. */
export class MqttTables extends Construct {
  readonly tables: Readonly<Record<TableName, ITable>>
  readonly key: IKey | undefined

  constructor(scope: Construct, id: string, props: MqttTablesProps) {
    super(scope, id)
    this.key = props.keyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', props.keyArn)
    if (props.dev)
      Validations.of(this).acknowledge({ id: 'AwsSolutions-DDB3', reason: 'dev: nothing is to be kept, so nothing is to be recovered.' })
    const table = (name: TableName): ITable => (props.existingTables ? this.existing(name, props) : this.create(name, props))
    this.tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, table(name)])) as Record<TableName, ITable>
  }

  private existing(name: TableName, { prefix = '' }: MqttTablesProps): ITable {
    return Table.fromTableName(this, pascalCase(name), prefix + name)
  }

  private create(name: TableName, props: MqttTablesProps): ITable {
    const { hashKey, rangeKey, ttl }: TableDefinition = TABLES[name]
    const table = new Table(this, pascalCase(name), {
      tableName: (props.prefix ?? '') + name,
      partitionKey: string(hashKey),
      ...(rangeKey === undefined ? {} : { sortKey: string(rangeKey) }),
      ...(ttl === undefined ? {} : { timeToLiveAttribute: ttl }),
      ...capacity(props),
      ...retention(props),
      ...(this.key === undefined ? {} : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: this.key }),
    })
    if (name === 'mqtt_retain' && props.retainIndex) addRetainIndex(table)
    return table
  }
}

/** The page provisions 5 read and 5 write units. */
const capacity = ({ billing }: MqttTablesProps): Partial<TableProps> =>
  billing === 'provisioned'
    ? { billingMode: BillingMode.PROVISIONED, readCapacity: 5, writeCapacity: 5 }
    : { billingMode: BillingMode.PAY_PER_REQUEST }

const retention = ({ dev = false }: MqttTablesProps): Partial<TableProps> =>
  dev
    ? { removalPolicy: RemovalPolicy.DESTROY }
    : {
        removalPolicy: RemovalPolicy.RETAIN,
        deletionProtection: true,
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      }

function addRetainIndex(table: Table): void {
  table.addGlobalSecondaryIndex({
    indexName: RETAIN_INDEX.name,
    partitionKey: string(RETAIN_INDEX.hashKey),
    sortKey: string(RETAIN_INDEX.rangeKey),
    projectionType: ProjectionType.KEYS_ONLY,
  })
}
