/** The SDK's own signer, which our few lines are held to. */
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import type { Credentials } from '../../cli/smoke/sigv4.ts'

export interface Request {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly path: string
  readonly query: Record<string, string>
  readonly headers: Record<string, string>
}

interface Signer {
  presign(request: Request, options: object): Promise<Request>
  sign(request: Request, options: object): Promise<Request>
}

export async function referenceSigner(credentials: Credentials, service: string, region: string): Promise<Signer> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const client = new IoTDataPlaneClient({
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
  })
  const scheme = {
    schemeId: 'aws.auth#sigv4',
    signingProperties: {},
    name: 'sigv4',
    signingName: service,
    signingRegion: region,
    properties: {},
  }
  return (await client.config.signer(scheme as never)) as unknown as Signer
}

/** Whether a WebSocket's URL, as it came, has the signature that its own date and host should have. */
export async function isSigned(path: string, host: string, credentials: Credentials, region: string): Promise<boolean> {
  const url = new URL(path, `http://${host}`)
  const stamp = url.searchParams.get('X-Amz-Date') ?? ''
  const at = new Date(stamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))
  if (Number.isNaN(at.getTime())) return false
  const { sessionToken, ...lasting } = credentials
  const signer = await referenceSigner(lasting, 'iotdevicegateway', region)
  const request: Request = { method: 'GET', protocol: 'wss:', hostname: host, path: url.pathname, query: {}, headers: { host } }
  const expiresIn = Number(url.searchParams.get('X-Amz-Expires'))
  const wanted = await signer.presign(request, { expiresIn, signingDate: at, signingRegion: region, signingService: 'iotdevicegateway' })
  const token = sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }
  const got = Object.fromEntries(url.searchParams)
  return JSON.stringify(Object.entries(got).sort()) === JSON.stringify(Object.entries({ ...wanted.query, ...token }).sort())
}
