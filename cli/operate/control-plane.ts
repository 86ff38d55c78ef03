/** Signed requests to AWS's control planes, for which this project has no SDK client. */
import { type Credentials, type Post, signedHeaders } from '../smoke/sigv4.ts'

export interface Account {
  readonly region: string
  readonly credentials: Credentials
  /** URL of a stand-in for all services. Absent: AWS. */
  readonly control?: string | undefined
}

export interface Answer {
  readonly status: number
  readonly text: string
}

const TIMEOUT_MS = 10_000

/** IAM is of a partition, not of a region. AWS General Reference, "IAM endpoints and quotas". */
const IAM = [
  { regions: 'cn-', host: 'iam.cn-north-1.amazonaws.com.cn', region: 'cn-north-1' },
  { regions: 'us-gov-', host: 'iam.us-gov.amazonaws.com', region: 'us-gov-west-1' },
  { regions: '', host: 'iam.amazonaws.com', region: 'us-east-1' },
]

const placeOf = (service: string, region: string): { readonly host: string; readonly region: string } =>
  service === 'iam'
    ? IAM.find(({ regions }) => region.startsWith(regions))!
    : { host: `${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`, region }

/**
 * @param service its name in host and signature: `lambda`, `iot`, `monitoring`, `cloudformation`, `sns`, `iam`, `servicequotas`
 * @param path with its query
 * @param post of a service that takes its operation and JSON in a POST
 * @returns status 0 where nothing answers: `text` says why
 */
export async function ask({ region, credentials, control }: Account, service: string, path: string, post?: Post): Promise<Answer> {
  const place = placeOf(service, region)
  const url = `${control ?? `https://${place.host}`}${path}`
  const headers = await signedHeaders(url, { credentials, region: place.region, service, at: new Date() }, post)
  try {
    const sent = post === undefined ? {} : { method: 'POST', body: post.body }
    const answer = await fetch(url, { ...sent, headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { status: answer.status, text: await answer.text() }
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException }
    return { status: 0, text: cause?.code ?? message }
  }
}

/** The JSON of an answer; undefined: it was refused, or is none. */
export function jsonOf<T>({ status, text }: Answer): T | undefined {
  if (status !== 200) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

/** What stands in elements of this name, of an answer of AWS's Query protocol. */
export const elementsOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, content]) => content!)

/** The parts `<member>` of the first list of this name; they may hold lists themselves. */
export const membersOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].flatMap(([, list]) => elementsOf(list!, 'member'))

/** Why it could not be asked. */
export const refusalIn = ({ status, text }: Answer): string =>
  status === 0 ? text : `${status} ${/"?(?:message|Message)"?[>:]\s*"?([^"<]{1,120})/.exec(text)?.[1] ?? ''}`.trim()
