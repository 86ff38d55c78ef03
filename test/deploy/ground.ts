/** What the steps of a trial stand on: the engine, clients on it, and the assemblies that are deployed. */
import { DynamoDBClient, ListTablesCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type Assembly, failingCopy, STACK, synthesize } from './assemblies.ts'
import { type Engine, elements, query, REGION, startEngine } from './aws-engine.ts'
import { narrowConf } from './narrow-conf.ts'

export interface Ground {
  /** Program of the engine. */
  readonly python: string
  readonly engine: Engine
  readonly dynamodb: DynamoDBClient
  readonly sqs: SQSClient
  /** Of the default conf. */
  readonly first: Assembly
  /** The same, and it cannot be created. */
  readonly failing: Assembly
  /** Of the conf with another filter. */
  readonly second: Assembly
  /** Makes a queue. */
  queue(name: string): Promise<string>
  tables(): Promise<string[]>
  rows(table: string): Promise<Record<string, unknown>[]>
  /** Name of each rule -> what it listens to. */
  rules(): Promise<ReadonlyMap<string, string>>
  /** Output of the stack -> its value. */
  outputs(): Promise<ReadonlyMap<string, string>>
  close(): Promise<void>
}

export async function prepareGround(python: string): Promise<Ground> {
  const engine = await startEngine(python)
  try {
    const first = await synthesize(engine, 'first')
    const second = await synthesize(engine, 'second', { conf: narrowConf(engine.directory) })
    return groundOn(engine, { python, first, second, failing: failingCopy(engine, first) })
  } catch (error) {
    await engine.stop()
    throw error
  }
}

function groundOn(engine: Engine, given: Pick<Ground, 'python' | 'first' | 'second' | 'failing'>): Ground {
  const access = { endpoint: engine.url, region: REGION, credentials: engine.credentials }
  const dynamodb = new DynamoDBClient(access)
  const sqs = new SQSClient(access)
  return {
    engine,
    dynamodb,
    sqs,
    ...given,
    queue: async (QueueName) => (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl!,
    tables: async () => (await dynamodb.send(new ListTablesCommand({}))).TableNames!,
    rows: async (TableName) => (await dynamodb.send(new ScanCommand({ TableName }))).Items!,
    async rules() {
      const { text } = await engine.request('iot', '/rules', { method: 'GET' })
      const { rules } = JSON.parse(text) as { rules: { ruleName: string; topicPattern: string }[] }
      return new Map(rules.map(({ ruleName, topicPattern }) => [ruleName, topicPattern]))
    },
    async outputs() {
      const stacks = await query(engine, 'cloudformation', 'DescribeStacks', { StackName: STACK })
      const values = elements(stacks, 'OutputValue')
      return new Map(elements(stacks, 'OutputKey').map((key, i) => [key, values[i]!]))
    },
    async close() {
      dynamodb.destroy()
      sqs.destroy()
      await engine.stop()
    },
  }
}
