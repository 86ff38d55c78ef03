/** A running backend as its user has it in hand: MQTT, DynamoDB, the data plane over HTTP, and what it printed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AttributeValue, DeleteItemCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import type { IClientOptions } from 'mqtt'
import { type LocalStackOptions, startLocalStack } from '../../local/stack.ts'
import { connect, type TestClient } from '../support/mqtt-client.ts'

export type Row = Record<string, AttributeValue>
/** MQTT 3.1.1 and 5, as mqtt.js numbers them. */
export const VERSIONS = [4, 5] as const

export interface Queues {
  readonly name: string
  readonly waiting: number
  readonly inFlight: number
  readonly deadLetters: readonly {
    readonly topic?: string
    readonly clientid?: string
    readonly receives: number
    readonly reason: string
  }[]
}

export interface Backend {
  readonly mqttUrl: string
  readonly dynamodbUrl: string
  readonly dataUrl: string
  readonly data: IoTDataPlaneClient
  /** All that it warned of. */
  readonly said: readonly string[]
  connect(clientid: string, options?: IClientOptions): Promise<TestClient>
  /** The rows of a table in whose page attribute `topic` or `clientid` the text stands at the beginning. */
  rows(table: string, start?: string): Promise<Row[]>
  put(table: string, row: Row): Promise<void>
  remove(table: string, key: Row): Promise<void>
  /** `POST /local/events` */
  event(topic: string, body: unknown): Promise<Response>
  /** `GET /local/queues` */
  queues(): Promise<Queues[]>
  deadLetters(): Promise<Record<string, number>>
  /** Nothing waits and nothing is in flight. */
  idle(): Promise<void>
  close(): Promise<void>
}

export async function startBackend({ confText, ...options }: LocalStackOptions & { readonly confText?: string } = {}): Promise<Backend> {
  const directory = confText === undefined ? undefined : mkdtempSync(join(tmpdir(), 'conf-'))
  const conf = directory && join(directory, 'test.conf')
  if (conf) writeFileSync(conf, confText!)
  const said: string[] = []
  const log = (level: 'info' | 'warn', line: string) => void (level === 'warn' && said.push(line))
  const stack = await startLocalStack({ retryAfterMs: 50, log, ...(conf ? { conf } : {}), ...options })
  const access = { region: 'us-west-2', credentials: { accessKeyId: 'any', secretAccessKey: 'any' } }
  const dynamodb = new DynamoDBClient({ endpoint: stack.dynamodbUrl, ...access })
  const data = new IoTDataPlaneClient({ endpoint: stack.dataUrl, maxAttempts: 1, ...access })
  const queues = async () => ((await (await fetch(`${stack.dataUrl}/local/queues`)).json()) as { queues: Queues[] }).queues
  return {
    mqttUrl: stack.mqttUrl,
    dynamodbUrl: stack.dynamodbUrl,
    dataUrl: stack.dataUrl,
    data,
    said,
    connect: (clientid, more) => connect(stack.mqttUrl, clientid, more),
    async rows(TableName, start = '') {
      const rows: Row[] = []
      for (let ExclusiveStartKey: Row | undefined, first = true; first || ExclusiveStartKey; first = false) {
        const page = await dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey }))
        rows.push(...(page.Items ?? []))
        ExclusiveStartKey = page.LastEvaluatedKey
      }
      return rows.filter(({ topic, clientid }) => topic?.S?.startsWith(start) || clientid?.S?.startsWith(start))
    },
    put: async (TableName, Item) => void (await dynamodb.send(new PutItemCommand({ TableName, Item }))),
    remove: async (TableName, Key) => void (await dynamodb.send(new DeleteItemCommand({ TableName, Key }))),
    event: (topic, body) =>
      fetch(`${stack.dataUrl}/local/events?topic=${encodeURIComponent(topic)}`, { method: 'POST', body: JSON.stringify(body) }),
    queues,
    deadLetters: async () =>
      Object.fromEntries(
        (await queues()).filter(({ deadLetters }) => deadLetters.length > 0).map((queue) => [queue.name, queue.deadLetters.length]),
      ),
    idle: () => stack.idle(),
    async close() {
      await stack.close()
      dynamodb.destroy()
      data.destroy()
      if (directory) rmSync(directory, { recursive: true })
    },
  }
}

/** A conf of these rows. */
export const confOf = (...rows: readonly (readonly [hook: string, json: string])[]): string =>
  [
    'backend.dynamo.pool1.server = http://localhost:8000',
    ...rows.map(([hook, json], i) => `backend.dynamo.hook.${hook}.${i + 1} = ${json}`),
  ].join('\n')

export const texts = ({ received }: TestClient, topic?: string): string[] =>
  received.filter((message) => topic === undefined || message.topic === topic).map(({ text }) => text)
