/** The deployed handlers with the deployed clients, on any DynamoDB and any data plane. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { dataPlaneClient, dynamodbClient, systemClock } from '../lambda/adapters/function/environment.ts'
import { handlerOf, type SqsRecord } from '../lambda/adapters/function/handler.ts'
import { portsOn } from '../lambda/adapters/on-aws.ts'
import { type HookName, type HookRow, hookConfigs } from '../lambda/core/hooks.ts'
import type { DeliveryRequest } from '../lambda/core/model/delivery-request.ts'
import type { Clock, Ports } from '../lambda/core/model/ports.ts'
import { deliveryRequestBody } from '../lambda/core/queue/request-delivery.ts'
import { RETAIN_INDEX } from '../lambda/core/tables.ts'
import { HOOK_HANDLERS } from '../test/support/hook-handlers.ts'
import type { Tables } from './six-tables.ts'

const REGION = 'us-west-2'
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
/** No event waits for its time limit here. Milliseconds. */
const REMAINING = 120_000

export type Row = Pick<HookRow, 'hook' | 'action' | 'topic'>

/** Presence, and the queue of every topic; nothing is retained and nobody subscribed on a client's behalf. */
export const QUEUE_ROWS: readonly Row[] = [
  { hook: 'client.connected', action: 'on_client_connected' },
  { hook: 'client.disconnected', action: 'on_client_disconnected' },
  { hook: 'session.subscribed', action: 'on_message_fetch_for_queue', topic: '#' },
  { hook: 'session.unsubscribed', action: 'on_acked_delete', topic: '#' },
  { hook: 'message.publish', action: 'on_message_publish', topic: '#' },
  { hook: 'message.acked', action: 'on_message_acked_for_queue', topic: '#' },
]

/** What the default conf says. */
export const DEFAULT_ROWS: readonly Row[] = [
  ...QUEUE_ROWS,
  { hook: 'session.created', action: 'on_subscribe_lookup' },
  { hook: 'session.subscribed', action: 'on_retain_lookup', topic: '#' },
  { hook: 'message.publish', action: 'on_message_retain', topic: '#' },
  { hook: 'message.publish', action: 'on_retain_delete', topic: '#' },
]

export interface Clients {
  readonly dynamodb: DynamoDBClient
  readonly iot: IoTDataPlaneClient
}

/** As a deployed function makes them. */
export const clientsOf = (urls: { readonly dynamodb: string; readonly iot: string }): Clients => ({
  dynamodb: dynamodbClient(REGION, { endpoint: urls.dynamodb, credentials }),
  iot: dataPlaneClient(REGION, urls.iot, { credentials }),
})

export interface HandlerOptions {
  readonly clients: Clients
  readonly tables: Tables
  /** Default: {@link QUEUE_ROWS}. */
  readonly rows?: readonly Row[]
  readonly clock?: Clock
  /** The ports that the handlers get instead, to watch them. */
  readonly watched?: (ports: Ports) => Ports
}

export interface Handlers {
  /** One batch of the hook's events, each of which must be handled. */
  handle(hook: HookName, ...events: object[]): Promise<void>
  /** Records as SQS delivers them, `remaining` milliseconds before the time limit; ids of those that were not handled. */
  deliver(hook: HookName, records: readonly SqsRecord[], remaining?: number): Promise<string[]>
}

/** Log lines and metrics are made as when deployed, and dropped; only a complaint is kept for the error. */
export function handlersOn({ clients, tables, rows = QUEUE_ROWS, clock = systemClock, watched }: HandlerOptions): Handlers {
  const requested: string[] = []
  const deliveries = { request: async (one: DeliveryRequest) => void requested.push(JSON.stringify(deliveryRequestBody(one))) }
  const real = portsOn({ ...clients, clock, tables, retainIndex: RETAIN_INDEX.name, region: REGION, deliveries })
  const ports = watched?.(real) ?? real
  const table = { pools: { pool1: {} }, rows: rows.map((row, i) => ({ label: `${i}`, pool: 'pool1', ...row })) }
  const configs = hookConfigs(table)
  let complaint = ''
  const log = (line: string) => {
    if (line.includes('"outcome":"failed"')) complaint = line
  }
  const handlers = new Map(
    configs.map((config) => {
      return [config.hook, handlerOf(HOOK_HANDLERS[config.hook], { config, ports, log, namespace: 'Bench' })]
    }),
  )
  let count = 0

  async function deliver(hook: HookName, Records: readonly SqsRecord[], remaining = REMAINING): Promise<string[]> {
    const { batchItemFailures } = await handlers.get(hook)!({ Records }, { getRemainingTimeInMillis: () => remaining })
    // What a publish requested is delivered before it counts as handled.
    const handed = requested.splice(0).map((body) => ({ messageId: `m${count++}`, body }))
    const undelivered = handed.length > 0 ? await deliver(configs[0]!.deliveryHook!, handed, remaining) : []
    return [...batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), ...undelivered]
  }
  return {
    deliver,
    async handle(hook, ...events) {
      const records = events.map((event) => ({ messageId: `m${count++}`, body: JSON.stringify(event) }))
      const failed = await deliver(hook, records)
      if (failed.length > 0)
        throw new Error(`${failed.length} of ${events.length} events of ${hook} were not handled; the last complaint: ${complaint}`)
    },
  }
}
