/** Asks IoT Core for the account's data endpoint (DescribeEndpoint). One signed GET needs no SDK client. */
import { BackendError } from '../../lambda/core/errors.ts'
import { type Credentials, signedHeaders } from './sigv4.ts'

const TIMEOUT_MS = 10_000

export interface ControlPlane {
  /** URL. Default: that of the region. */
  readonly endpoint?: string | undefined
  readonly region: string
  readonly credentials: Credentials
}

/** @returns a host name. @throws BackendError `unreachable` with the answer */
export async function dataEndpointOf({ endpoint, region, credentials }: ControlPlane): Promise<string> {
  const url = `${endpoint ?? controlPlaneOf(region)}/endpoint?endpointType=iot%3AData-ATS`
  const headers = await signedHeaders(url, { credentials, region, service: 'iot', at: new Date() })
  const { status, text } = await fetched(url, headers)
  const address = /"endpointAddress"\s*:\s*"([A-Za-z0-9.-]+)"/.exec(text)?.[1]
  if (status === 200 && address !== undefined) return address
  const said = /"message"\s*:\s*"([^"]{1,200})"/i.exec(text)?.[1] ?? 'no endpointAddress'
  throw new BackendError('unreachable', `IoT Core refused DescribeEndpoint: ${status} ${said}; wanted it, or --data HOST`)
}

const controlPlaneOf = (region: string): string => `https://iot.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`

async function fetched(url: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { status: answer.status, text: await answer.text() }
  } catch (error) {
    const { cause, name } = error as Error & { cause?: NodeJS.ErrnoException }
    throw new BackendError('unreachable', `IoT Core cannot be reached at ${new URL(url).origin} (${cause?.code ?? cause?.message ?? name})`)
  }
}
