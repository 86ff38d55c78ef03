/**
 * Connections that the clients keep for their next request. While a function is frozen the services close them, and the function learns
 * of it late: from the request that it sends there (aws-sdk-js-v3 #1196, #3905).
 */
import type { Agent } from 'node:http'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import type { SQSClient } from '@aws-sdk/client-sqs'

const LOST: readonly unknown[] = [
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]

/** No answer came, and none will. The SDK names what its own timers end `TimeoutError`. */
export const isLost = (error: unknown): boolean => {
  const { name, code } = (error ?? {}) as NodeJS.ErrnoException
  return name === 'TimeoutError' || LOST.includes(code)
}

/** The connection was never made: the service has seen nothing of the request. */
export const isUnsent = (error: unknown): boolean =>
  ['connect', 'getaddrinfo'].includes((error as NodeJS.ErrnoException | undefined)?.syscall ?? '')

/** When one connection turns out to be lost, the other idle ones are closed too: each would cost an attempt of its own. */
export function mistrustIdle<T extends DynamoDBClient | IoTDataPlaneClient | SQSClient>(client: T): T {
  // The handler that the SDK makes of our options; its agents are there from the first request on.
  const agents = () => (client.config.requestHandler as unknown as { httpHandlerConfigs(): Agents }).httpHandlerConfigs()
  ;(client as DynamoDBClient).middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args)
      } catch (error) {
        if (isLost(error)) closeIdle(agents())
        throw error
      }
    },
    // Inside of the SDK's own retries.
    { step: 'finalizeRequest', priority: 'low', name: 'mistrustIdle' },
  )
  return client
}

interface Agents {
  readonly httpAgent?: Agent
  readonly httpsAgent?: Agent
}

function closeIdle({ httpAgent, httpsAgent }: Agents): void {
  for (const agent of [httpAgent, httpsAgent])
    for (const idle of Object.values(agent?.freeSockets ?? {})) for (const socket of idle ?? []) socket.destroy()
}
