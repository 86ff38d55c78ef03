/** What IoT Core does with the URL of a WebSocket: it makes the signature anew and compares. */
import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Credentials } from '../../cli/smoke/sigv4.ts'

/** Whether the URL, as it came, has the signature that its own date and host should have. The token of the credentials is not signed. */
export async function isSigned(path: string, host: string, credentials: Credentials, region: string): Promise<boolean> {
  const url = new URL(path, `http://${host}`)
  const stamp = url.searchParams.get('X-Amz-Date') ?? ''
  const at = new Date(stamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))
  if (Number.isNaN(at.getTime())) return false
  const { sessionToken, ...lasting } = credentials
  const signer = new SignatureV4({ credentials: lasting, region, service: 'iotdevicegateway', sha256: Hash.bind(null, 'sha256') })
  const request = { method: 'GET', protocol: 'wss:', hostname: host, path: url.pathname, query: {}, headers: { host } }
  const wanted = await signer.presign(request, { expiresIn: Number(url.searchParams.get('X-Amz-Expires')), signingDate: at })
  const token = sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }
  const got = Object.fromEntries(url.searchParams)
  return JSON.stringify(Object.entries(got).sort()) === JSON.stringify(Object.entries({ ...wanted.query, ...token }).sort())
}
