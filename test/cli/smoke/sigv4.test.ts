/** Our signatures are the SDK's. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dataEndpointOf } from '../../../cli/smoke/account-endpoint.ts'
import { presigned, signedHeaders } from '../../../cli/smoke/sigv4.ts'
import { isSigned, referenceSigner } from '../../support/reference-signer.ts'

const LASTING = { accessKeyId: 'a key', secretAccessKey: "it's secret" }
const TEMPORARY = { ...LASTING, sessionToken: 'token/+=(*)' }
const at = new Date(Date.UTC(2026, 10, 24, 1, 2, 3, 456))
const region = 'eu-west-1'

describe.each([
  ['lasting credentials', LASTING],
  ['temporary credentials', TEMPORARY],
])('%s', (_, credentials) => {
  const signed = (secretAccessKey = credentials.secretAccessKey, host = 'a1-ats.iot.eu-west-1.amazonaws.com') =>
    presigned(`wss://${host}/mqtt`, { credentials: { ...credentials, secretAccessKey }, region, service: 'iotdevicegateway', at })

  test('a WebSocket: the token is there and not signed, as IoT Core wants it', async () => {
    const { host, href } = new URL(signed())
    expect(await isSigned(href, host, credentials, region)).toBe(true)
    expect(href.includes('X-Amz-Security-Token=')).toBe('sessionToken' in credentials)
  })

  test('its signature is of the secret, the host with its port, and the region', async () => {
    expect(await isSigned(signed('another'), 'a1-ats.iot.eu-west-1.amazonaws.com', credentials, region)).toBe(false)
    expect(await isSigned(signed(undefined, 'h:9001'), 'h:9001', credentials, region)).toBe(true)
    expect(await isSigned(signed(undefined, 'h:9001'), 'h:9002', credentials, region)).toBe(false)
    expect(await isSigned(signed(), 'a1-ats.iot.eu-west-1.amazonaws.com', credentials, 'us-east-1')).toBe(false)
  })

  test('a GET: the token is signed, too', async () => {
    const signer = await referenceSigner(credentials, 'iot', region)
    const headers = { host: 'iot.eu-west-1.amazonaws.com' }
    const query = { endpointType: 'iot:Data-ATS' }
    const request = { method: 'GET', protocol: 'https:', hostname: headers.host, path: '/endpoint', query, headers }
    const wanted = await signer.sign(request, { signingDate: at, signingRegion: region, signingService: 'iot' })
    const ours = signedHeaders(`https://${headers.host}/endpoint?endpointType=iot%3AData-ATS`, { credentials, region, service: 'iot', at })
    expect({ ...ours, ...headers }).toEqual(wanted.headers)
  })
})

describe('DescribeEndpoint', () => {
  const asked = async (status: number, body: string) => {
    const seen: { url?: string | undefined; authorization?: string | undefined } = {}
    const server = createServer(({ url, headers }, answer) => {
      Object.assign(seen, { url, authorization: headers.authorization })
      answer.writeHead(status).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const told = await dataEndpointOf({ endpoint, region, credentials: LASTING }).catch((error: Error) => error.message)
    await new Promise((resolve) => server.close(resolve))
    return { told, seen, endpoint }
  }

  test("tells the account's endpoint", async () => {
    const { told, seen } = await asked(200, '{"endpointAddress":"a1-ats.iot.eu-west-1.amazonaws.com"}')
    expect(told).toBe('a1-ats.iot.eu-west-1.amazonaws.com')
    expect(seen.url).toBe('/endpoint?endpointType=iot%3AData-ATS')
    expect(seen.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=a key\/\d{8}\/eu-west-1\/iot\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, /,
    )
  })

  test.each([
    [403, '{"message":"not authorized to perform: iot:DescribeEndpoint"}', '403 not authorized to perform: iot:DescribeEndpoint;'],
    [200, '<html>', '200 no endpointAddress;'],
  ])('refused in one line: %d %s', async (status, body, said) => {
    expect((await asked(status, body)).told).toBe(`IoT Core refused DescribeEndpoint: ${said} wanted it, or --data HOST`)
  })

  test('one that is not there', async () => {
    const { endpoint } = await asked(200, '')
    const told = await dataEndpointOf({ endpoint, region, credentials: LASTING }).catch((error: Error) => error.message)
    expect(told).toBe(`IoT Core cannot be reached at ${endpoint} (ECONNREFUSED)`)
  })
})
