/** What a deployed function knows: its environment variables and the `hook.json` beside its bundle. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { IoTDataPlaneClient, type IoTDataPlaneClientConfig } from '@aws-sdk/client-iot-data-plane'
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs'
import type { HookConfig } from '../../core/hooks.ts'
import { LOG_LEVEL_VARIABLE, MAX_RECEIVES_VARIABLE, METRICS_NAMESPACE_VARIABLE } from '../../core/metrics.ts'
import type { Clock, DeliveryQueue, Ports } from '../../core/model/ports.ts'
import {
  DATA_ENDPOINT_VARIABLE,
  DELIVERY_QUEUE_VARIABLE,
  RETAIN_INDEX_VARIABLE,
  TABLE_NAMES,
  type TableName,
  tableVariable,
} from '../../core/tables.ts'
import { mistrustIdle } from '../connections.ts'
import { CONFIRMATION_TIMEOUT } from '../data-plane.ts'
import { portsOn } from '../on-aws.ts'
import { type Log, type LogLevel, logRepeat } from './log.ts'
import { type PrimedClients, prime } from './priming.ts'

export interface Surroundings {
  readonly config: HookConfig
  readonly ports: Ports
  readonly log: Log
  /** CloudWatch namespace of the metrics, which are log lines too. Absent: none are written. */
  readonly namespace?: string | undefined
  /** Receives after which SQS makes a dead letter of an event. Absent: never. */
  readonly maxReceives?: number | undefined
  readonly logLevel?: LogLevel
}

export const systemClock: Clock = { now: Date.now, sleep: async (ms) => void (await sleep(ms)) }

/** Whether Lambda loads this module, before the first event. Only then is work done in advance. */
export const isInitializing = (): boolean => process.env.AWS_LAMBDA_INITIALIZATION_TYPE !== undefined

/** Makes the queue of the function that delivers, for a function that requests deliveries. */
export type DeliveriesTo = (queue: DeliveryQueueAt) => DeliveryQueue
export interface DeliveryQueueAt {
  readonly region: string
  readonly url: string
  /** Where SQS is, if not where the URL says. */
  readonly endpoint?: string | undefined
}
const NO_DELIVERIES: DeliveryQueue = { request: () => Promise.reject(new Error('this function requests no delivery')) }

export function environment(deliveriesTo?: DeliveriesTo): Surroundings {
  const env = process.env
  const region = env.AWS_REGION ?? ''
  const config = JSON.parse(readFileSync(join(env.LAMBDA_TASK_ROOT ?? '', 'hook.json'), 'utf8')) as HookConfig
  const endpoint = env[DYNAMODB_ENDPOINT_VARIABLE]
  const dynamodb = dynamodbClient(region, endpoint === undefined ? {} : { endpoint })
  const iot = dataPlaneClient(region, env[DATA_ENDPOINT_VARIABLE])
  if (isInitializing()) void prime(primedClients(region, config))
  const log = (line: string) => void process.stdout.write(`${line}\n`)
  const logLevel: LogLevel = env[LOG_LEVEL_VARIABLE] === 'warn' ? 'warn' : 'info'
  const ports = portsOn({
    dynamodb,
    iot,
    deliveries: deliveriesTo?.({ region, url: env[DELIVERY_QUEUE_VARIABLE] ?? '', endpoint: env[SQS_ENDPOINT_VARIABLE] }) ?? NO_DELIVERIES,
    clock: systemClock,
    tables: Object.fromEntries(TABLE_NAMES.map((table) => [table, env[tableVariable(table)] ?? table])) as Record<TableName, string>,
    retainIndex: env[RETAIN_INDEX_VARIABLE],
    region,
    onRepeat: (call, error) => (logLevel === 'info' ? logRepeat(log, call, error) : undefined),
  })
  const maxReceives = env[MAX_RECEIVES_VARIABLE] === undefined ? undefined : Number(env[MAX_RECEIVES_VARIABLE])
  return { config, ports, log, namespace: env[METRICS_NAMESPACE_VARIABLE], maxReceives, logLevel }
}

/** Clients like the handlers', with agents of the priming. Most publishes ask IoT Core for the topic's retained message. */
function primedClients(region: string, { hook }: HookConfig): PrimedClients {
  const endpoint = 'http://primed'
  return {
    dynamodb: (httpAgent) => dynamodbClient(region, { endpoint, requestHandler: { httpAgent } }),
    iot: hook === 'message.publish' ? (httpAgent) => dataPlaneClient(region, endpoint, { requestHandler: { httpAgent } }) : undefined,
  }
}

/**
 * The SDK's own defaults, spelled out. What is missing here the SDK looks up at the first request of every cold start: in variables, then in
 * files under ~/.aws, which no function has.
 */
export const NOT_LOOKED_UP = {
  defaultsMode: 'legacy',
  retryMode: 'standard',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  authSchemePreference: [],
  disableClockSkewCorrection: false,
  ignoreConfiguredEndpointUrls: true,
} satisfies DynamoDBClientConfig & IoTDataPlaneClientConfig & SQSClientConfig

/** Where DynamoDB and SQS are, if not where their region says: the SDK's own variables, which the local run sets. */
const DYNAMODB_ENDPOINT_VARIABLE = 'AWS_ENDPOINT_URL_DYNAMODB'
const SQS_ENDPOINT_VARIABLE = 'AWS_ENDPOINT_URL_SQS'

/** The SDK has no request timeout of its own: a lost reply would cost the whole invocation. `more`: for tests. */
export const dynamodbClient = (region: string, more: DynamoDBClientConfig = {}): DynamoDBClient =>
  ready(
    new DynamoDBClient({
      ...NOT_LOOKED_UP,
      accountIdEndpointMode: 'disabled',
      endpointDiscoveryEnabled: false,
      region,
      maxAttempts: 3,
      cacheMiddleware: true,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
      ...more,
    }),
  )

/**
 * One attempt: the SDK would retry a 504, and deliver a message three times in one call. What may be repeated `data-plane.ts` repeats.
 * The timeout exceeds the confirmation's. `more`: for tests.
 */
export const dataPlaneClient = (region: string, endpoint: string | undefined, more: IoTDataPlaneClientConfig = {}): IoTDataPlaneClient =>
  ready(
    new IoTDataPlaneClient({
      ...NOT_LOOKED_UP,
      region,
      maxAttempts: 1,
      cacheMiddleware: true,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: (CONFIRMATION_TIMEOUT + 2) * 1000, throwOnRequestTimeout: true },
      ...(endpoint && { endpoint: endpoint.includes('://') ? endpoint : `https://${endpoint}` }),
      ...more,
    }),
  )

/**
 * Removes what no handler needs of the SDK: its log filter, the user agent, the tracing header. With `cacheMiddleware` a publish
 * takes 0.75 to 0.77 of the CPU (two runs each, side by side, embedded engine).
 */
export function ready<T extends DynamoDBClient | IoTDataPlaneClient | SQSClient>(client: T): T {
  for (const name of ['loggerMiddleware', 'recursionDetectionMiddleware', 'getUserAgentMiddleware']) client.middlewareStack.remove(name)
  return mistrustIdle(client)
}
