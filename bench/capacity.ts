/**
 * What the blocks that count capacity run on: the deployed handlers and their stores on DynamoDB Local through the real SDK, devices that
 * acknowledge at once, and the baselines on the same tables. A call costs what AWS bills for it (test/support/call-log.ts).
 */
import { createServer } from 'node:net'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { BackendError } from '../lambda/core/errors.ts'
import { startDynamoDbLocal } from '../local/dynamodb/local.ts'
import { type Call, recording } from '../test/support/call-log.ts'
import { createTables, type Tables } from '../test/support/engines.ts'
import { World, type WorldOptions } from '../test/support/world.ts'
import { type Original, original } from './original.ts'
import type { Block, BlockOptions, Figure } from './report.ts'

/** Of the calls on tables. */
export interface Spent {
  readonly writes: number
  readonly reads: number
  readonly requests: number
}

/** Six empty tables, and who works on them. */
export interface Room {
  readonly world: World
  readonly original: Original
  readonly tables: Tables
  readonly client: DynamoDBClient
  /** What handlers and baselines spend while `work` runs, divided by `among`; `only`: on this table and its indexes. */
  spent(work: () => Promise<unknown>, among?: number, only?: keyof Tables): Promise<Spent>
}

export interface CapacityGround extends BlockOptions {
  room(options?: WorldOptions): Promise<Room>
}

export const onDynamoDbLocal =
  (block: (ground: CapacityGround) => Promise<Figure[]>): Block =>
  async (options) => {
    if (options.port !== 0) await checkFree(options.port)
    const started = await startDynamoDbLocal({ host: '127.0.0.1', port: options.port, log: options.progress })
    const client = patientClient(started.url)
    const engine = { name: 'local', url: started.url, client } as const
    try {
      return await block({
        ...options,
        async room(worldOptions) {
          const tables = await createTables(engine)
          return roomOf(new World(engine, tables, worldOptions), client, tables)
        },
      })
    } finally {
      client.destroy()
      await started.close()
    }
  }

/** DynamoDB Local answers some hundred requests a second: those of a batch of 1,000 wait for their socket for seconds. */
const PATIENCE = 60_000
const patientClient = (endpoint: string): DynamoDBClient =>
  new DynamoDBClient({
    endpoint,
    region: 'us-west-2',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: { connectionTimeout: PATIENCE, requestTimeout: PATIENCE, throwOnRequestTimeout: true },
  })

function roomOf(world: World, client: DynamoDBClient, tables: Tables): Room {
  return {
    world,
    client,
    tables,
    original: original(client, tables),
    async spent(work, among = 1, only) {
      world.calls.length = 0
      const calls: Call[] = []
      await recording({ hook: 'message.publish', tables, calls }, work)
      const counted = [...world.calls, ...calls].filter(({ call }) => (only === undefined ? /:/.test(call) : tableOf(call) === only))
      const sum = (units: (call: Call) => number) => counted.reduce((all, call) => all + units(call), 0) / among
      return { writes: sum((call) => call.writeUnits), reads: sum((call) => call.readUnits), requests: sum(() => 1) }
    },
  }
}

const tableOf = (call: string): string => call.split(/[:/]/)[0]!

/** @throws BackendError `port-in-use` */
async function checkFree(port: number): Promise<void> {
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(port, resolve))
  } catch {
    throw new BackendError('port-in-use', `port ${port} is in use, wanted a free one for DynamoDB Local`)
  }
  await new Promise((resolve) => probe.close(resolve))
}
