/** The SQS client of the commands, and its errors in words for their users. */
import { SQSClient } from '@aws-sdk/client-sqs'
import { BackendError } from '../../lambda/core/errors.ts'

export interface Where {
  readonly endpoint?: string | undefined
  /** Default: what the AWS profile says. */
  readonly region?: string | undefined
}

const REQUEST_TIMEOUT_MS = 10_000

export function sqsClient({ endpoint, region }: Where): SQSClient {
  return new SQSClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...localCredentials(endpoint),
    requestHandler: { connectionTimeout: 3_000, requestTimeout: REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true },
  })
}

/** The local run checks no credentials. Real ones are not sent to it. */
export const localCredentials = (endpoint: string | undefined) =>
  endpoint !== undefined && isLoopback(endpoint) ? { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } } : {}

const isLoopback = (endpoint: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(endpoint).hostname)

const UNREACHABLE = /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPROTO|TimeoutError)$/

/** An error in one line; an error of our own code with its stack. */
export const errorLine = (error: unknown, where: Where): string => refusalOf(error, where) ?? `${(error as Error).stack}`

/** What is wrong, in one line; undefined for an error of our own code. */
export function refusalOf(error: unknown, { endpoint, region }: Where, service = 'SQS'): string | undefined {
  if (error instanceof BackendError) return error.message
  if (!(error instanceof Error)) return undefined
  // The SDK wraps the errors of some connections.
  const code = (error as NodeJS.ErrnoException).code ?? /\bE[A-Z_]{5,}\b/.exec(error.message)?.[0] ?? error.name
  if (error.name === 'CredentialsProviderError')
    return 'no AWS credentials: wanted AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  if (/region is missing/i.test(error.message)) return 'no region: wanted --region, or one in the AWS profile'
  if (UNREACHABLE.test(code)) return `${service} cannot be reached at ${endpoint ?? `the endpoint of ${region ?? 'its region'}`} (${code})`
  if (!('$metadata' in error)) return undefined
  return `${service} refused: ${error.name}: ${error.message.split('\n')[0]}`
}
