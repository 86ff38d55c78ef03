/** AWS Signature Version 4 for the two requests that no SDK client of this project makes. IAM user guide, "Create a signed AWS API request". */
import { createHash, createHmac } from 'node:crypto'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** By whom, for what, when. */
export interface Signing {
  readonly credentials: Credentials
  readonly region: string
  /** As IAM's signatures name it: `iot`, `iotdevicegateway`. */
  readonly service: string
  readonly at: Date
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const SECONDS_VALID = '300'

/**
 * The URL of a WebSocket with its signature in the query.
 * AWS IoT developer guide, "Device communication protocols", MQTT over WebSocket: the token of temporary credentials comes after the signature.
 */
export function presigned(url: string, signing: Signing): string {
  const signed = new URL(url)
  const { accessKeyId, sessionToken } = signing.credentials
  const query = new Map([
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${accessKeyId}/${scopeOf(signing)}`],
    ['X-Amz-Date', stampOf(signing.at)],
    ['X-Amz-Expires', SECONDS_VALID],
    ['X-Amz-SignedHeaders', 'host'],
  ])
  query.set('X-Amz-Signature', signatureOf(signed, query, new Map([['host', signed.host]]), signing))
  if (sessionToken !== undefined) query.set('X-Amz-Security-Token', sessionToken)
  signed.search = queryText(query)
  return signed.href
}

/** The headers that sign a GET of the URL. */
export function signedHeaders(url: string, signing: Signing): Record<string, string> {
  const { accessKeyId, sessionToken } = signing.credentials
  const to = new URL(url)
  const headers = new Map([
    ['host', to.host],
    ['x-amz-content-sha256', sha256('')],
    ['x-amz-date', stampOf(signing.at)],
    ...(sessionToken === undefined ? [] : ([['x-amz-security-token', sessionToken]] as const)),
  ])
  const names = [...headers.keys()].sort().join(';')
  const signature = signatureOf(to, new Map(to.searchParams), headers, signing)
  const authorization = `${ALGORITHM} Credential=${accessKeyId}/${scopeOf(signing)}, SignedHeaders=${names}, Signature=${signature}`
  return { ...Object.fromEntries([...headers].filter(([name]) => name !== 'host')), authorization }
}

function signatureOf(url: URL, query: ReadonlyMap<string, string>, headers: ReadonlyMap<string, string>, signing: Signing): string {
  const sorted = [...headers].sort(([a], [b]) => (a < b ? -1 : 1))
  const names = sorted.map(([name]) => name).join(';')
  const said = sorted.map(([name, value]) => `${name}:${value}\n`).join('')
  const request = ['GET', url.pathname, queryText(query), said, names, sha256('')].join('\n')
  const text = [ALGORITHM, stampOf(signing.at), scopeOf(signing), sha256(request)].join('\n')
  const { credentials, region, service, at } = signing
  const key = [dayOf(at), region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`)
  return hmac(key, text).toString('hex')
}

const queryText = (query: ReadonlyMap<string, string>): string =>
  [...query]
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

/** encodeURIComponent leaves a few that a signature must not. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

const stampOf = (at: Date): string => at.toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
const dayOf = (at: Date): string => stampOf(at).slice(0, 8)
const scopeOf = ({ at, region, service }: Signing): string => `${dayOf(at)}/${region}/${service}/aws4_request`
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
