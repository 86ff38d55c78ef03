import { AttributeType, BillingMode, type ITable, ProjectionType, Table, TableEncryption, type TableProps } from 'aws-cdk-lib/aws-dynamodb'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { BackendError } from '../lambda/core/errors.ts'
import { RETAIN_INDEX, TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../lambda/core/tables.ts'
import { pascalCase } from './construct-ids.ts'
import { type BackendOptions, type Billing, DEFAULT_MAX_UNITS } from './options/options.ts'
import type { OwnResources } from './options/own-resources.ts'
import { TablePrefixGuard } from './table-prefix-guard.ts'

export type MqttTablesProps = Pick<
  BackendOptions,
  'prefix' | 'billing' | 'maxUnits' | 'existingTables' | 'retainIndex' | 'retention' | 'ttl' | 'keyArn'
> &
  Pick<OwnResources, 'key' | 'tables'>

const string = (name: string) => ({ name, type: AttributeType.STRING })

/** The six tables of EMQX's page: made by the stack, existing ones, or the app's own. */
export class MqttTables extends Construct {
  readonly tables: Readonly<Record<TableName, ITable>>
  /** Of the tables that are made, of existing ones, and of the hooks' queues. */
  readonly key: IKey | undefined
  /** Names of the tables that the stack makes. */
  private readonly made: readonly string[]
  /** Names of the tables that stay when the stack is destroyed; what becomes of the app's own is the app's matter. */
  readonly kept: readonly string[]

  constructor(scope: Construct, id: string, props: MqttTablesProps) {
    super(scope, id)
    this.key = props.keyArn === undefined ? props.key : Key.fromKeyArn(this, 'Key', props.keyArn)
    if (isDev(props))
      Validations.of(this).acknowledge({
        id: 'AwsSolutions-DDB3',
        reason: 'With retention=dev nothing is kept, so there is nothing to recover.',
      })
    const { prefix = '', tables: own = {} } = props
    const existing = existingTableNames(props)
    this.made = TABLE_NAMES.filter((name) => !existing.includes(name)).map((name) => prefix + name)
    this.refuseOthers(prefix)
    new TablePrefixGuard(this, 'Prefix', { prefix })
    const table = (name: TableName): ITable =>
      own[name] ?? (existing.includes(name) ? this.existing(name, props) : this.create(name, props))
    this.kept = (isDev(props) ? existing : TABLE_NAMES).filter((name) => own[name] === undefined).map((name) => prefix + name)
    this.tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, table(name)])) as Record<TableName, ITable>
  }

  /** The customer's key of a table. What the app imports by name or ARN does not tell its key: then it is that of the other tables. */
  keyOf(name: TableName): IKey | undefined {
    return this.tables[name].encryptionKey ?? this.key
  }

  /** @throws BackendError `option` if another stack of the app makes tables of these names */
  private refuseOthers(prefix: string): void {
    const here = Stack.of(this).environment
    for (const other of this.node.root.node.findAll()) {
      if (!(other instanceof MqttTables) || other === this || Stack.of(other).environment !== here) continue
      const shared = this.made.find((name) => other.made.includes(name))
      if (shared === undefined) continue
      const got = `option prefix is ${JSON.stringify(prefix)} for ${this.node.path}: ${other.node.path} makes the table ${shared} already`
      throw new BackendError('option', `${got}, wanted another prefix`)
    }
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
      ...(ttl === undefined || props.ttl === false ? {} : { timeToLiveAttribute: ttl }),
      ...capacity(props),
      ...retention(props),
      ...(this.key === undefined ? {} : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: this.key }),
    })
    if (name === 'mqtt_retain' && props.retainIndex) addRetainIndex(table, props)
    return table
  }
}

/** The tables which the stack uses and does not make: existing ones, and the app's own. */
export const existingTableNames = ({
  existingTables = false,
  tables = {},
}: Pick<MqttTablesProps, 'existingTables' | 'tables'>): readonly TableName[] =>
  existingTables === true ? TABLE_NAMES : existingTables === false ? TABLE_NAMES.filter((name) => tables[name]) : existingTables

const capacity = ({ billing = 'on-demand', maxUnits }: MqttTablesProps): Partial<TableProps> =>
  billing === 'on-demand'
    ? { billingMode: BillingMode.PAY_PER_REQUEST, ...most(maxUnits) }
    : { billingMode: BillingMode.PROVISIONED, ...unitsOf(billing) }

/** A ceiling of the price: DynamoDB throttles what is above. */
function most(maxUnits: string = DEFAULT_MAX_UNITS): { maxReadRequestUnits: number; maxWriteRequestUnits: number } {
  const [maxReadRequestUnits, maxWriteRequestUnits] = maxUnits.split('/').map(Number) as [number, number]
  return { maxReadRequestUnits, maxWriteRequestUnits }
}

/** Of `provisioned:20/10`; of `provisioned` the page's 5 read and 5 write units. */
function unitsOf(billing: Billing): { readCapacity: number; writeCapacity: number } {
  const [readCapacity = 5, writeCapacity = 5] = billing.match(/\d+/g)?.map(Number) ?? []
  return { readCapacity, writeCapacity }
}

const isDev = ({ retention }: MqttTablesProps): boolean => retention === 'dev'

const retention = (props: MqttTablesProps): Partial<TableProps> =>
  isDev(props)
    ? { removalPolicy: RemovalPolicy.DESTROY }
    : {
        removalPolicy: RemovalPolicy.RETAIN,
        deletionProtection: true,
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      }

function addRetainIndex(table: Table, { billing = 'on-demand', maxUnits }: MqttTablesProps): void {
  table.addGlobalSecondaryIndex({
    indexName: RETAIN_INDEX.name,
    partitionKey: string(RETAIN_INDEX.hashKey),
    sortKey: string(RETAIN_INDEX.rangeKey),
    projectionType: ProjectionType.KEYS_ONLY,
    ...(billing === 'on-demand' ? most(maxUnits) : unitsOf(billing)),
  })
}
