import { DescribeTableCommand, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { RETAIN_INDEX, TABLE_NAMES } from '../../../lambda/core/tables.ts'
import { openEngineDesk } from '../../support/engine-desk.ts'
import { createTables, forEachEngine, type Tables } from '../../support/engines.ts'

forEachEngine((engine) => {
  let tables: Tables
  beforeAll(async () => {
    tables = await createTables(engine)
  })

  it('has the six tables, active at once', async () => {
    for (const table of TABLE_NAMES) {
      const { Table } = await engine.client.send(new DescribeTableCommand({ TableName: tables[table] }))
      expect(Table).toMatchObject({ TableName: tables[table], TableStatus: 'ACTIVE' })
    }
  })

  it('keeps the tables of another prefix apart', async () => {
    const others = await createTables(engine)
    await engine.client.send(new PutItemCommand({ TableName: tables.mqtt_client, Item: { clientid: { S: 'c1' } } }))
    const found = await engine.client.send(new GetItemCommand({ TableName: others.mqtt_client, Key: { clientid: { S: 'c1' } } }))
    expect(found.Item).toBeUndefined()
  })

  it('finds retained rows by the first level of their topic', async () => {
    for (const topic of ['a/2', 'b/1', 'a/1']) {
      const Item = { topic: { S: topic }, root: { S: topic[0]! }, payload: { S: 'x' } }
      await engine.client.send(new PutItemCommand({ TableName: tables.mqtt_retain, Item }))
    }
    const found = await engine.client.send(
      new QueryCommand({
        TableName: tables.mqtt_retain,
        IndexName: RETAIN_INDEX.name,
        KeyConditionExpression: 'root = :root',
        ExpressionAttributeValues: { ':root': { S: 'a' } },
      }),
    )
    expect(found.Items).toEqual([
      { topic: { S: 'a/1' }, root: { S: 'a' } },
      { topic: { S: 'a/2' }, root: { S: 'a' } },
    ])
  })
})

describe('TEST_ENGINES', () => {
  it('chooses engines', async () => {
    const desk = await openEngineDesk(() => {}, 'embedded')
    expect(desk.engines).toEqual(['embedded'])
    await desk.close()
  })

  it.each(['embeded', 'embedded,', 'local embedded'])('refuses %j', async (wanted) => {
    await expect(openEngineDesk(() => {}, wanted)).rejects.toThrow(`TEST_ENGINES is '${wanted}', wanted some of local,embedded,maps`)
  })
})
