/** Finds the queues that a command's flags name, and makes a client for them. */
import { readFileSync } from 'node:fs'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { BackendError } from '../../lambda/core/errors.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import { DEFAULT_CONF, readConf } from '../../lib/conf/conf-file.ts'
import { DEFAULT_STACK } from './aws-names.ts'
import { type BackendQueues, queuesInOutputs, queuesListed } from './backend-queues.ts'
import { refusalOf, sqsClient, type Where } from './sqs-client.ts'
import { queueUrls } from './sqs-queue.ts'

/** The flags of every command on dead letters. */
export interface QueueFlags {
  readonly stack?: string | undefined
  /** Path. */
  readonly outputs?: string | undefined
  readonly hook?: readonly HookName[] | undefined
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly json?: true | undefined
}

export interface StackQueues {
  readonly client: SQSClient
  readonly queues: BackendQueues
  readonly where: Where
}

/** @throws BackendError with one line if SQS cannot be reached, refuses, or has no queue of the stack */
export async function withQueues<T>(flags: QueueFlags, work: (found: StackQueues) => Promise<T>): Promise<T> {
  const { stack, outputs, endpoint, region } = flags
  const told = outputs === undefined ? undefined : queuesInOutputs(readFileSync(outputs, 'utf8'), stack)
  const where = { endpoint, region: region ?? (told && regionOf(told)) ?? confRegion() }
  const client = sqsClient(where)
  try {
    return await work({ client, where, queues: told ?? (await queuesOf(stack ?? DEFAULT_STACK, client, where)) })
  } catch (error) {
    const line = error instanceof BackendError ? undefined : refusalOf(error, where)
    throw line === undefined ? error : new BackendError('sqs', line)
  } finally {
    client.destroy()
  }
}

async function queuesOf(stack: string, client: SQSClient, { endpoint, region }: Where): Promise<BackendQueues> {
  const urls = await queueUrls(client, `${stack}-`)
  try {
    return queuesListed(urls, stack)
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    const place = endpoint ?? region ?? 'its region'
    throw new BackendError(error.code, `${error.message} at ${place}: wanted another --stack, --region or --outputs`)
  }
}

/** The region in `https://sqs.us-west-2.amazonaws.com/...`. The SDK warns if its client has another region than the queue. */
function regionOf({ hooks }: BackendQueues): string | undefined {
  const [first] = hooks.values()
  return /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\./.exec(first!.events)?.[1]
}

/** The region of cdk deploy. Undefined if the conf cannot be read: then the SDK uses the AWS profile's. */
function confRegion(): string | undefined {
  try {
    return readConf(DEFAULT_CONF).table.region
  } catch {
    return undefined
  }
}
