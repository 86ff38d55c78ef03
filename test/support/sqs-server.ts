/** Queues in memory behind the local SQS, and the real SDK client to speak to it. */
import { SQSClient } from '@aws-sdk/client-sqs'
import { type DataPlaneOptions, startDataPlane } from '../../local/data-plane/data-plane.ts'
import { Queue } from '../../local/sqs/queue.ts'
import { SqsOperations } from '../../local/sqs/sqs-operations.ts'

export interface SqsServer {
  /** `http://host:port` */
  readonly url: string
  readonly client: SQSClient
  /** All that it warned of: nothing, unless there is a bug. */
  readonly warned: readonly string[]
  urlOf(queueName: string): string
  close(): Promise<void>
}

export const queueNamed = (name: string, options: Partial<Queue['options']> = {}): Queue =>
  new Queue({ name, arn: `arn:aws:sqs:us-west-2:000000000000:${name}`, retryAfterMs: 10, ...options })

export async function startSqs(queues: readonly Queue[]): Promise<SqsServer> {
  const warned: string[] = []
  const elsewhere = {} as Pick<DataPlaneOptions, 'iot' | 'local'>
  const warn = (text: string) => void warned.push(text)
  const server = await startDataPlane({ ...elsewhere, host: '127.0.0.1', port: 0, sqs: new SqsOperations(queues), warn })
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new SQSClient({ endpoint: server.url, region: 'us-west-2', credentials, maxAttempts: 1 })
  return {
    url: server.url,
    client,
    warned,
    urlOf: (queueName) => `${server.url}/000000000000/${queueName}`,
    async close() {
      client.destroy()
      for (const queue of queues) queue.close()
      await server.close()
    },
  }
}
