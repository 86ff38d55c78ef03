/** AWS Signature Version 4 for two requests that no SDK client of this project makes. IAM user guide, "Create a signed AWS API request". */
import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** Who signs, for which service, and when. */
export interface Signing {
  readonly credentials: Credentials
  readonly region: string
  /** The name in the signature: `iot`, `iotdevicegateway`. */
  readonly service: string
  readonly at: Date
}

const SECONDS_VALID = 300

const signerOf = ({ credentials: { accessKeyId, secretAccessKey, sessionToken }, region, service }: Signing): SignatureV4 => {
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  return new SignatureV4({ credentials, region, service, sha256: Hash.bind(null, 'sha256') })
}

/** Of AWS's JSON protocol 1.1. */
export interface Post {
  /** `Service.Operation`. */
  readonly target: string
  readonly body: string
}

const getOf = ({ protocol, hostname, host, pathname, searchParams }: URL) => ({
  method: 'GET',
  protocol,
  hostname,
  path: pathname,
  query: Object.fromEntries(searchParams),
  headers: { host },
})

/**
 * The URL of a WebSocket with its signature in the query.
 * AWS IoT developer guide, "Device communication protocols": the token of temporary credentials comes after the signature.
 */
export async function presigned(url: string, signing: Signing): Promise<string> {
  const { sessionToken, ...lasting } = signing.credentials
  const signed = new URL(url)
  const signer = signerOf({ ...signing, credentials: lasting })
  const { query = {} } = await signer.presign(getOf(signed), { signingDate: signing.at, expiresIn: SECONDS_VALID })
  const token = sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }
  const pairs = Object.entries({ ...query, ...token }).map(([name, value]) => `${name}=${encodeURIComponent(`${value}`)}`)
  signed.search = pairs.join('&')
  return signed.href
}

const postOf = (url: URL, { target, body }: Post) => {
  const { headers, ...get } = getOf(url)
  return { ...get, method: 'POST', body, headers: { ...headers, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target } }
}

/** The headers that sign a GET of the URL, or a POST to it, without `host`, which fetch adds. */
export async function signedHeaders(url: string, signing: Signing, post?: Post): Promise<Record<string, string>> {
  const request = post === undefined ? getOf(new URL(url)) : postOf(new URL(url), post)
  const { headers } = await signerOf(signing).sign(request, { signingDate: signing.at })
  const { host: _, ...others } = headers
  return others
}
