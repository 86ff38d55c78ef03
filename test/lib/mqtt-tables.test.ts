import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Stack } from 'aws-cdk-lib/core'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { MqttTables, type MqttTablesProps } from '../../lib/mqtt-tables.ts'
import { pageTable } from '../support/page-conf.ts'
import { backend, templateOf } from '../support/synthesized.ts'

/** The six definitions as EMQX's page gives them to `aws dynamodb create-table`. */
const PAGE = [
  `{
    "TableName": "mqtt_client",
    "KeySchema": [
        { "AttributeName": "clientid", "KeyType": "HASH" }
    ],
    "AttributeDefinitions": [
        { "AttributeName": "clientid", "AttributeType": "S" }
    ],
    "ProvisionedThroughput": {
        "ReadCapacityUnits": 5,
        "WriteCapacityUnits": 5
    }
  }`,
  `{
    "TableName": "mqtt_sub",
    "KeySchema": [
        { "AttributeName": "clientid", "KeyType": "HASH" },
        { "AttributeName": "topic", "KeyType": "RANGE" }
    ],
    "AttributeDefinitions": [
        { "AttributeName": "clientid", "AttributeType": "S" },
        { "AttributeName": "topic", "AttributeType": "S" }
    ],
    "ProvisionedThroughput": {
        "ReadCapacityUnits": 5,
        "WriteCapacityUnits": 5
    }
  }`,
  `{
    "TableName": "mqtt_msg",
    "KeySchema": [
        { "AttributeName": "msgid", "KeyType": "HASH" }
    ],
    "AttributeDefinitions": [
        { "AttributeName": "msgid", "AttributeType": "S" }
    ],
    "ProvisionedThroughput": {
        "ReadCapacityUnits": 5,
        "WriteCapacityUnits": 5
    }
  }`,
  `{
    "TableName": "mqtt_topic_msg_map",
    "KeySchema": [
        { "AttributeName": "topic", "KeyType": "HASH" }
    ],
    "AttributeDefinitions": [
        { "AttributeName": "topic", "AttributeType": "S" }
    ],
    "ProvisionedThroughput": {
        "ReadCapacityUnits": 5,
        "WriteCapacityUnits": 5
    }
  }`,
  `{
    "TableName": "mqtt_retain",
    "KeySchema": [
        { "AttributeName": "topic", "KeyType": "HASH" }
    ],
    "AttributeDefinitions": [
        { "AttributeName": "topic", "AttributeType": "S" }
    ],
    "ProvisionedThroughput": {
        "ReadCapacityUnits": 5,
        "WriteCapacityUnits": 5
    }
  }`,
  `{
    "TableName": "mqtt_acked",
    "KeySchema": [
        { "AttributeName": "topic", "KeyType": "HASH" },
        { "AttributeName": "clientid", "KeyType": "RANGE" }
    ],
    "AttributeDefinitions": [
        { "AttributeName": "topic", "AttributeType": "S" },
        { "AttributeName": "clientid", "AttributeType": "S" }
    ],
    "ProvisionedThroughput": {
        "ReadCapacityUnits": 5,
        "WriteCapacityUnits": 5
    }
  }`,
].map((json): { TableName: string; ProvisionedThroughput: unknown } => JSON.parse(json))

const KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const TTL = { TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true } }
const ttlOf = (table: string) => (table === 'mqtt_msg' || table === 'mqtt_topic_msg_map' ? TTL : {})

const templateFor = (props: MqttTablesProps) =>
  templateOf((app) => {
    const stack = new Stack(app, 'Tables')
    new MqttTables(stack, 'Default', props)
    return stack
  })
const tablesFor = (props: MqttTablesProps) =>
  templateFor(props)
    .ofType('AWS::DynamoDB::Table')
    .map(([, table]) => table)

/** Properties sorted by table name, as the page's are compared. */
const byName = <T extends { TableName: string }>(definitions: readonly T[]) =>
  [...definitions].sort((a, b) => (a.TableName < b.TableName ? -1 : 1))
const propertiesFor = (props: MqttTablesProps) => byName(tablesFor(props).map((table) => table.Properties as { TableName: string }))

test("provisioned development tables are field for field the page's, and expire where messages do", () => {
  const page = PAGE.map((definition) => ({ ...definition, ...ttlOf(definition.TableName) }))
  expect(propertiesFor({ billing: 'provisioned', retention: 'dev' })).toEqual(byName(page))
})

test('what docs/migrate.md imports first is field for field what EMQX has: each later difference is a change that a deployment makes', () => {
  expect(propertiesFor({ billing: 'provisioned', retention: 'dev', ttl: false })).toEqual(byName(PAGE))
})

test('etc/tables-to-import.json names the tables as the template does, as `cdk import --resource-mapping` reads it', () => {
  const mapping = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'etc', 'tables-to-import.json'), 'utf8'))
  const made = backend(pageTable()).ofType('AWS::DynamoDB::Table')
  expect(mapping).toEqual(Object.fromEntries(made.map(([id, { Properties }]) => [id, { TableName: Properties.TableName }])))
})

test('by default the tables are on demand, protected and backed up', () => {
  const protectedOnes = PAGE.map(({ ProvisionedThroughput, ...definition }) => ({
    ...definition,
    ...ttlOf(definition.TableName),
    BillingMode: 'PAY_PER_REQUEST',
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    OnDemandThroughput: { MaxReadRequestUnits: 10_000, MaxWriteRequestUnits: 10_000 },
  }))
  expect(propertiesFor({})).toEqual(byName(protectedOnes))
  expect(new Set(tablesFor({}).map((table) => table.DeletionPolicy))).toEqual(new Set(['Retain']))
})

test('dev tables go with the stack', () => {
  const tables = tablesFor({ retention: 'dev' })
  expect(tables.map((table) => table.DeletionPolicy)).toEqual(Array(6).fill('Delete'))
  expect(tables.filter(({ Properties }) => Properties.DeletionProtectionEnabled || Properties.PointInTimeRecoverySpecification)).toEqual([])
})

test('a prefix stands before every name', () => {
  expect(propertiesFor({ prefix: 'plant-7.' }).map((table) => table.TableName)).toEqual(
    byName(PAGE).map(({ TableName }) => `plant-7.${TableName}`),
  )
})

test('the retain index adds the root of the topic, keys only, to mqtt_retain alone', () => {
  const plain = propertiesFor({})
  const indexed = propertiesFor({ retainIndex: true })
  const others = (tables: typeof plain) => tables.filter(({ TableName }) => TableName !== 'mqtt_retain')
  expect(others(indexed)).toEqual(others(plain))
  expect(indexed.find(({ TableName }) => TableName === 'mqtt_retain')).toMatchObject({
    KeySchema: [{ AttributeName: 'topic', KeyType: 'HASH' }],
    AttributeDefinitions: [
      { AttributeName: 'topic', AttributeType: 'S' },
      { AttributeName: 'root', AttributeType: 'S' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'root-topic-index',
        KeySchema: [
          { AttributeName: 'root', KeyType: 'HASH' },
          { AttributeName: 'topic', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  })
})

test('the tables are encrypted with a customer-managed key where one is given', () => {
  const encrypted = { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: KEY_ARN }
  expect(tablesFor({ keyArn: KEY_ARN }).map((table) => table.Properties.SSESpecification)).toEqual(Array(6).fill(encrypted))
})

test('existing tables are used and not made', () => {
  const names: string[] = []
  const template = templateOf((app) => {
    const stack = new Stack(app, 'Tables')
    const { tables } = new MqttTables(stack, 'Default', { existingTables: true, prefix: 'old_' })
    names.push(...TABLE_NAMES.map((name) => tables[name].tableName))
    return stack
  })
  expect(template.ofType('AWS::DynamoDB::Table')).toEqual([])
  expect(names).toEqual(TABLE_NAMES.map((name) => `old_${name}`))
})

test('tables that are there are used, the others made', () => {
  const existing = ['mqtt_msg', 'mqtt_retain'] as const
  expect(propertiesFor({ existingTables: existing }).map(({ TableName }) => TableName)).toEqual([
    'mqtt_acked',
    'mqtt_client',
    'mqtt_sub',
    'mqtt_topic_msg_map',
  ])
  expect(tablesFor({ existingTables: TABLE_NAMES })).toEqual([])
})

describe('two sets of tables in one app', () => {
  const both = (first: MqttTablesProps, second: MqttTablesProps, regions = ['eu-west-1', 'eu-west-1']) =>
    templateOf((app) => {
      const [one, two] = regions.map((region, i) => new Stack(app, `Stack${i}`, { env: { region } }))
      new MqttTables(one!, 'Tables', first)
      new MqttTables(two!, 'Tables', second)
      return two!
    })

  test('with the same names are refused', () => {
    expect(() => both({}, {})).toThrow(
      'option prefix is "" for Stack1/Tables: Stack0/Tables makes the table mqtt_client already, wanted another prefix',
    )
    expect(() => both({ existingTables: ['mqtt_client'] }, {})).toThrow(/makes the table mqtt_sub already/)
  })

  test('with names of their own, in regions of their own, or made by one of them, are not', () => {
    expect(both({}, { prefix: 'b_' }).ofType('AWS::DynamoDB::Table')).toHaveLength(6)
    expect(both({}, {}, ['eu-west-1', 'us-west-2']).ofType('AWS::DynamoDB::Table')).toHaveLength(6)
    expect(both({}, { existingTables: true }).ofType('AWS::DynamoDB::Table')).toHaveLength(0)
  })
})

test('units are those that were chosen, also of the index', () => {
  const units = { ProvisionedThroughput: { ReadCapacityUnits: 20, WriteCapacityUnits: 10 } }
  const tables = propertiesFor({ billing: 'provisioned:20/10', retainIndex: true })
  for (const table of tables) expect(table).toMatchObject(units)
  expect(tables.find(({ TableName }) => TableName === 'mqtt_retain')).toMatchObject({ GlobalSecondaryIndexes: [units] })
})

test('an on-demand table has a maximum of units, and so has the index; none that is provisioned has', () => {
  const most = (units: number) => ({ OnDemandThroughput: { MaxReadRequestUnits: units, MaxWriteRequestUnits: units } })
  for (const table of propertiesFor({})) expect(table).toMatchObject(most(10_000))
  const tables = propertiesFor({ maxUnits: '500/500', retainIndex: true })
  for (const table of tables) expect(table).toMatchObject(most(500))
  expect(tables.find(({ TableName }) => TableName === 'mqtt_retain')).toMatchObject({ GlobalSecondaryIndexes: [most(500)] })
  expect(JSON.stringify(propertiesFor({ billing: 'provisioned' }))).not.toContain('OnDemandThroughput')
})

test('retention=keep is the default, and without TTL nothing expires', () => {
  expect(tablesFor({ retention: 'keep' })).toEqual(tablesFor({}))
  expect(JSON.stringify(tablesFor({}))).toContain('TimeToLive')
  expect(JSON.stringify(tablesFor({ ttl: false }))).not.toContain('TimeToLive')
})
