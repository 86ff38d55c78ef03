/** What a deployed function knows: its environment variables and the `hook.json` beside its bundle. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { IoTDataPlaneClient, type IoTDataPlaneClientConfig } from '@aws-sdk/client-iot-data-plane'
import type { HookConfig } from '../core/hooks.ts'
import { METRICS_NAMESPACE_VARIABLE } from '../core/metrics.ts'
import type { Clock } from '../core/ports.ts'
import { DATA_ENDPOINT_VARIABLE, RETAIN_INDEX_VARIABLE, TABLE_NAMES, type TableName, tableVariable } from '../core/tables.ts'
import { CONFIRMATION_TIMEOUT } from './device.ts'
import type { Surroundings } from './lambda.ts'
import { portsOn } from './ports.ts'

export const systemClock: Clock = { now: Date.now, sleep: async (ms) => void (await sleep(ms)) }

export function environment(): Surroundings {
  const env = process.env
  const region = env.AWS_REGION ?? ''
  const config = JSON.parse(readFileSync(join(env.LAMBDA_TASK_ROOT ?? '', 'hook.json'), 'utf8')) as HookConfig
  const ports = portsOn({
    dynamodb: dynamodbClient(region),
    iot: dataPlaneClient(region, env[DATA_ENDPOINT_VARIABLE]),
    clock: systemClock,
    tables: Object.fromEntries(TABLE_NAMES.map((table) => [table, env[tableVariable(table)] ?? table])) as Record<TableName, string>,
    retainIndex: env[RETAIN_INDEX_VARIABLE],
    region,
  })
  return { config, ports, log: (line) => process.stdout.write(`${line}\n`), namespace: env[METRICS_NAMESPACE_VARIABLE] }
}

/** The SDK has no request timeout of its own: a lost reply would cost the whole invocation. `more`: for tests. */
export const dynamodbClient = (region: string, more: DynamoDBClientConfig = {}): DynamoDBClient =>
  lean(
    new DynamoDBClient({
      region,
      maxAttempts: 3,
      cacheMiddleware: true,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
      ...more,
    }),
  )

/**
 * One attempt: the SDK would retry a 504, and deliver a message three times in one call. The timeout exceeds the confirmation's.
 * `more`: for tests.
 */
export const dataPlaneClient = (region: string, endpoint: string | undefined, more: IoTDataPlaneClientConfig = {}): IoTDataPlaneClient =>
  lean(
    new IoTDataPlaneClient({
      region,
      maxAttempts: 1,
      cacheMiddleware: true,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: (CONFIRMATION_TIMEOUT + 2) * 1000, throwOnRequestTimeout: true },
      ...(endpoint && { endpoint: endpoint.includes('://') ? endpoint : `https://${endpoint}` }),
      ...more,
    }),
  )

/**
 * Without what no handler needs of the SDK: its log filter, the user agent, the tracing header. With `cacheMiddleware` a publish
 * takes 0.75 to 0.77 of the CPU (two runs each, side by side, embedded engine).
 */
function lean<T extends { readonly middlewareStack: { remove(name: string): boolean } }>(client: T): T {
  for (const name of ['loggerMiddleware', 'recursionDetectionMiddleware', 'getUserAgentMiddleware']) client.middlewareStack.remove(name)
  return client
}
