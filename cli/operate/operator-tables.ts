/** The six tables that the operators' commands read: those of a run on this machine, or of a stack. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { portsOn } from '../../lambda/adapters/on-aws.ts'
import { BackendError } from '../../lambda/core/errors.ts'
import type { Ports } from '../../lambda/core/model/ports.ts'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import { localCredentials, refusalOf } from '../dead-letters/sqs-client.ts'

export interface Tables {
  readonly dynamodb: DynamoDBClient
  readonly tables: Readonly<Record<TableName, string>>
  readonly ports: Ports
}

export interface TablesFlags {
  /** Read the tables of AWS, by the operator's own credentials. */
  readonly aws?: true | undefined
  readonly region?: string | undefined
  /** Of the tables' names. */
  readonly prefix?: string | undefined
  /** DynamoDB and data plane of a local run. */
  readonly dynamodb: string
  readonly endpoint: string
}

const LOCAL_REGION = 'us-west-2'

/** @throws BackendError in one line, where the tables cannot be reached */
export async function withTables<T>(
  flags: TablesFlags,
  work: (tables: Tables & { readonly iot: IoTDataPlaneClient }) => Promise<T>,
): Promise<T> {
  const { aws, prefix = '' } = flags
  const region = flags.region ?? (aws ? undefined : LOCAL_REGION)
  const at = (endpoint: string) => ({
    maxAttempts: 2,
    ...(region === undefined ? {} : { region }),
    ...(aws ? {} : { endpoint, ...localCredentials(endpoint) }),
  })
  const dynamodb = new DynamoDBClient(at(flags.dynamodb))
  const iot = new IoTDataPlaneClient(at(flags.endpoint))
  const tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, `${prefix}${name}`])) as Record<TableName, string>
  const clock = { now: Date.now, sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) }
  const deliveries = { request: () => Promise.reject(new Error('a command requests no delivery')) }
  const ports = portsOn({ dynamodb, iot, deliveries, clock, tables, region: region ?? LOCAL_REGION })
  try {
    return await work({ dynamodb, iot, tables, ports })
  } catch (error) {
    const where = aws ? { region } : { endpoint: flags.dynamodb, region }
    const refusal = refusalOf(error, where, 'DynamoDB')
    throw refusal === undefined || error instanceof BackendError ? error : new BackendError('unreachable', refusal)
  } finally {
    dynamodb.destroy()
    iot.destroy()
  }
}

/** @throws BackendError `not-found` */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new BackendError('not-found', what)
  return value
}
