/**
 * The real SDK clients, as the functions make them, with their wire in our hands: each attempt of each call passes here, inside the
 * SDK's retry loop.
 */
import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import type { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { sqsClient } from '../../lambda/adapters/function/delivery-queue.ts'
import { dataPlaneClient, dynamodbClient } from '../../lambda/adapters/function/environment.ts'
import type { Database } from './database.ts'
import type { Fault, Happening } from './fault.ts'
import { type Answer, jsonOf, type Request } from './http.ts'
import { type Process, processes } from './process.ts'
import type { SdkCall } from './sdk-call.ts'

/** What stands behind the wire. */
export interface FarEnd {
  readonly clock: { now(): number }
  readonly database: Database
  readonly dataPlane: { perform(request: Request): Answer }
  readonly deliveryQueue: { perform(request: Request): Answer }
  readonly breakage: { readonly answer?: (answer: Answer) => Answer } | undefined
  called(process: Process, call: SdkCall): void
  inject(fault: Fault, happening: Happening): Promise<Answer>
}

export interface Clients {
  readonly dynamodb: DynamoDBClient
  readonly iot: IoTDataPlaneClient
  readonly sqs: SQSClient
  stage: FarEnd | undefined
  /** As after a cold start: the SDK's budget of retries is full. */
  renew(): Promise<void>
}

const NOWHERE = {
  endpoint: 'http://127.0.0.1:1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  signer: { sign: async <T>(request: T): Promise<T> => request },
}

/** `hasty`: the SDK does not wait before it tries again. */
export function clientsOnWire({ hasty }: { hasty: boolean }): Clients {
  const dynamodb = dynamodbClient('us-west-2', NOWHERE as object)
  const iot = dataPlaneClient('us-west-2', undefined, NOWHERE as object)
  const sqs = sqsClient('us-west-2', NOWHERE as object)
  const clients: Clients = {
    dynamodb,
    iot,
    sqs,
    stage: undefined,
    async renew() {
      for (const client of [dynamodb, iot, sqs]) {
        const strategy = (await client.config.retryStrategy()) as unknown as {
          capacity: number
          retryBackoffStrategy: { computeNextBackoffDelay: () => number }
        }
        strategy.capacity = 500
        if (hasty) strategy.retryBackoffStrategy.computeNextBackoffDelay = () => 0
      }
    },
  }
  const ends = [
    [dynamodb, 'database'],
    [iot, 'dataPlane'],
    [sqs, 'deliveryQueue'],
  ] as const
  for (const [client, end] of ends) {
    connect(client, (request) => passed(clients.stage, request, end))
    noteCalls(client as unknown as AnyClient)
  }
  return clients
}

/** A client that nothing disturbs. */
export function clientOf(database: Pick<Database, 'perform'>, more: DynamoDBClientConfig = {}): DynamoDBClient {
  const client = dynamodbClient('us-west-2', { ...(NOWHERE as object), ...more })
  connect(client, (request) => database.perform(operationOf(request), jsonOf(request)))
  return client
}

const operationOf = ({ headers }: Request): string => headers['x-amz-target']?.split('.')[1] ?? ''

const connect = (client: DynamoDBClient | IoTDataPlaneClient | SQSClient, answer: (request: Request) => Promise<Answer>): void =>
  void Object.assign(client.config, {
    requestHandler: {
      handle: async (request: Request) => ({ response: await answer(request) }),
      destroy() {},
      updateHttpClientConfig() {},
      httpHandlerConfigs: () => ({}),
    },
  })

interface AnyClient {
  readonly middlewareStack: { add(middleware: unknown, options: object): void }
}

/** Numbers the calls of a process in the order in which they are made. */
function noteCalls(client: AnyClient): void {
  const middleware =
    (next: (args: object) => Promise<unknown>, { commandName = '' }: { commandName?: string }) =>
    (args: { input: Record<string, unknown> }) => {
      const here = processes.getStore()
      if (here === undefined) return next(args)
      if (!here.process.alive) return here.process.die()
      return processes.run({ process: here.process, call: here.process.begin(commandName, args.input) }, () => next(args))
    }
  client.middlewareStack.add(middleware, { step: 'initialize', priority: 'high', name: 'calls' })
}

async function passed(stage: FarEnd | undefined, request: Request, end: 'database' | 'dataPlane' | 'deliveryQueue'): Promise<Answer> {
  const here = processes.getStore()
  if (stage === undefined || here?.call === undefined) throw new Error('a call that belongs to no process')
  const { process, call } = here
  if (!process.alive || stage.clock.now() >= process.deadline) return process.die()
  call.attempts++
  const perform = async (changes: object = {}) => {
    if (end !== 'database') return stage[end].perform(request)
    return stage.database.perform(operationOf(request), { ...jsonOf(request), ...changes })
  }
  const met = process.faults.find(({ fault, at }) => fault.fits(call) && (fault.goesOn ? call.index >= at : call.index === at))
  stage.called(process, call)
  const answer = met === undefined ? await perform() : await stage.inject(met.fault, { process, call, request, perform })
  return process.alive ? (stage.breakage?.answer?.(answer) ?? answer) : process.die()
}
