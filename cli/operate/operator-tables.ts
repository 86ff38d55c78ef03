/** The six tables that the operators' commands read: those of a run on this machine, or of a stack. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { portsOn } from '../../lambda/adapters/on-aws.ts'
import { BackendError } from '../../lambda/core/errors.ts'
import type { Ports } from '../../lambda/core/model/ports.ts'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import { localCredentials, refusalOf } from '../dead-letters/sqs-client.ts'
import { LOCAL_DATA_PLANE } from '../smoke/endpoint-urls.ts'
import { dynamodbOf, endedAt } from './local-run.ts'

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
  /** DynamoDB and data plane of a local run; without DynamoDB's URL the run is asked. */
  readonly dynamodb?: string | undefined
  readonly endpoint: string
  /** URL of the account's data plane, with `aws`. */
  readonly data?: string | undefined
}

const LOCAL_REGION = 'us-west-2'
/** Where a run has it that moved no port. */
const DYNAMODB = 'http://localhost:8000'

export interface OpenTables extends Tables {
  readonly iot: IoTDataPlaneClient
  close(): void
}

export function tablesOf({ aws, prefix = '', endpoint, data, ...flags }: TablesFlags): OpenTables {
  const region = flags.region ?? (aws ? undefined : LOCAL_REGION)
  const at = (url: string) => ({
    maxAttempts: 2,
    ...(region === undefined ? {} : { region }),
    ...(aws ? {} : { endpoint: url, ...localCredentials(url) }),
  })
  const dynamodb = new DynamoDBClient(at(flags.dynamodb ?? DYNAMODB))
  const iot = new IoTDataPlaneClient({ ...at(endpoint), ...(aws && data !== undefined ? { endpoint: data } : {}) })
  const tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, `${prefix}${name}`])) as Record<TableName, string>
  const clock = { now: Date.now, sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) }
  const deliveries = { request: () => Promise.reject(new Error('an operator requests no delivery')) }
  const ports = portsOn({ dynamodb, iot, deliveries, clock, tables, region: region ?? LOCAL_REGION })
  const close = () => {
    dynamodb.destroy()
    iot.destroy()
  }
  return { dynamodb, iot, tables, ports, close }
}

/** Where somebody names a run, the tables of another one are not meant. */
async function dynamodbAt(endpoint: string): Promise<string> {
  const told = await dynamodbOf(endpoint)
  if (told === undefined && endpoint !== LOCAL_DATA_PLANE) throw endedAt(endpoint)
  return told ?? DYNAMODB
}

/** @throws BackendError in one line, where the tables cannot be reached */
export async function withTables<T>(given: TablesFlags, work: (tables: OpenTables) => Promise<T>): Promise<T> {
  const flags = given.aws ? given : { ...given, dynamodb: given.dynamodb ?? (await dynamodbAt(given.endpoint)) }
  const tables = tablesOf(flags)
  try {
    return await work(tables)
  } catch (error) {
    const where = flags.aws ? { region: flags.region } : { endpoint: flags.dynamodb }
    const refusal = refusalOf(error, where, 'DynamoDB')
    throw refusal === undefined || error instanceof BackendError ? error : new BackendError('unreachable', refusal)
  } finally {
    tables.close()
  }
}

/**
 * The same for what goes through IoT Core: on AWS it is asked for the account's endpoint, unless `data` names it.
 * @throws BackendError in one line, also where IoT Core does not tell the endpoint
 */
export async function withIotCore<T>(flags: TablesFlags, work: (tables: OpenTables) => Promise<T>): Promise<T> {
  if (!flags.aws || flags.data !== undefined) return await withTables(flags, work)
  const { dataEndpointOf } = await import('../smoke/account-endpoint.ts')
  const host = await withTables(flags, async ({ dynamodb: { config } }) =>
    dataEndpointOf({ region: await config.region(), credentials: await config.credentials() }),
  )
  return await withTables({ ...flags, data: `https://${host}` }, work)
}

/** @throws BackendError `not-found` */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new BackendError('not-found', what)
  return value
}
