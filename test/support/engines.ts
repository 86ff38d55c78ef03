/**
 * Runs a suite on every DynamoDB engine of this machine: DynamoDB Local (where Java or docker is) and the embedded one;
 * in `npm run test:fast` on Maps instead.
 *
 *     forEachEngine((engine) => {
 *       let tables: Tables
 *       beforeAll(async () => { tables = await createTables(engine) })
 *       it('...', () => engine.client.send(new PutItemCommand({ TableName: tables.mqtt_msg, ... })))
 *     })
 */
import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { RETAIN_INDEX, TABLE_NAMES, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import { DESK_VARIABLE, ENGINES_VARIABLE, type EngineName } from './engine-names.ts'
import { mapsClient } from './maps-engine.ts'

export interface Engine {
  readonly name: EngineName
  /** Known from the first beforeAll on. */
  readonly url: string
  /** One client for the whole suite; from the first beforeAll on. */
  readonly client: DynamoDBClient
}

/** Our table's name -> its name on this engine: each test file has tables of its own, so files run side by side. */
export type Tables = Readonly<Record<TableName, string>>

const engineNames = () => (process.env[ENGINES_VARIABLE] ?? '').split(',').filter(Boolean) as EngineName[]

export function forEachEngine(suite: (engine: Engine) => void): void {
  describe.each(engineNames())('on %s', (name) => {
    const started: { url?: string; client?: DynamoDBClient } = {}
    beforeAll(async () => {
      if (name !== 'maps') started.url = await urlOf(name)
      started.client = started.url === undefined ? mapsClient() : clientFor(started.url)
    })
    afterAll(() => started.client?.destroy())
    suite({
      name,
      get url() {
        return started.url ?? tooEarly(name)
      },
      get client() {
        return started.client ?? tooEarly(name)
      },
    })
  })
}

/** `it` where the engine counts units: Maps do not. */
export const itBilled = ({ name }: Pick<Engine, 'name'>) => (name === 'maps' ? it.skip : it)

const tooEarly = (name: EngineName): never => {
  throw new Error(`the ${name} engine is not started yet: use it in beforeAll, beforeEach or a test`)
}

async function urlOf(name: EngineName): Promise<string> {
  const response = await fetch(`${process.env[DESK_VARIABLE]}/${name}`)
  const said = await response.text()
  if (!response.ok) throw new Error(said)
  return said
}

const REQUEST = 15_000
/**
 * DynamoDB Local closes a connection that was idle for 30 s, perhaps just when a request is sent on it ("socket hang up"): ours are
 * closed before. Longer than a request, which it would end, too. Milliseconds.
 */
const IDLE = REQUEST + 5_000

/** A client as a test wants it: no credentials to find, no second try that hides a failure, an error soon. Destroy it when done. */
export function clientFor(url: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: url,
    region: 'us-west-2',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: {
      httpAgent: new Agent({ keepAlive: true, maxSockets: 50, timeout: IDLE }),
      connectionTimeout: 3_000,
      requestTimeout: REQUEST,
      throwOnRequestTimeout: true,
    },
  })
}

/** The six tables under a prefix nobody else has, with the optional index of mqtt_retain. */
export async function createTables(engine: Pick<Engine, 'client'>, prefix = `t${randomBytes(6).toString('hex')}_`): Promise<Tables> {
  const names = Object.fromEntries(TABLE_NAMES.map((table) => [table, `${prefix}${table}`])) as Record<TableName, string>
  for (const table of TABLE_NAMES) await engine.client.send(new CreateTableCommand(tableOf(table, names[table])))
  return names
}

function tableOf(table: TableName, name: string): CreateTableCommandInput {
  const { hashKey, rangeKey }: TableDefinition = TABLES[table]
  const index = table === 'mqtt_retain' ? RETAIN_INDEX : undefined
  const attributes = new Set([hashKey, rangeKey, index?.hashKey, index?.rangeKey].filter((attribute) => attribute !== undefined))
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...attributes].map((attribute) => ({ AttributeName: attribute, AttributeType: 'S' })),
    KeySchema: keySchema(hashKey, rangeKey),
    ...(index && {
      GlobalSecondaryIndexes: [
        { IndexName: index.name, KeySchema: keySchema(index.hashKey, index.rangeKey), Projection: { ProjectionType: 'KEYS_ONLY' } },
      ],
    }),
  }
}

const keySchema = (hashKey: string, rangeKey?: string): CreateTableCommandInput['KeySchema'] => [
  { AttributeName: hashKey, KeyType: 'HASH' },
  ...(rangeKey === undefined ? [] : [{ AttributeName: rangeKey, KeyType: 'RANGE' as const }]),
]
