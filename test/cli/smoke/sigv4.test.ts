/** Signatures, held to those that an implementation of the IAM user guide made of the same requests. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dataEndpointOf } from '../../../cli/smoke/account-endpoint.ts'
import { presigned, signedHeaders } from '../../../cli/smoke/sigv4.ts'
import { isSigned } from '../../support/signed-url.ts'

const LASTING = { accessKeyId: 'a key', secretAccessKey: "it's secret" }
const TEMPORARY = { ...LASTING, sessionToken: 'token/+=(*)' }
const at = new Date(Date.UTC(2026, 10, 24, 1, 2, 3, 456))
const region = 'eu-west-1'

describe.each([
  ['lasting credentials', LASTING],
  ['temporary credentials', TEMPORARY],
])('a WebSocket, %s', (_, credentials) => {
  const signed = (secretAccessKey = credentials.secretAccessKey, host = 'a1-ats.iot.eu-west-1.amazonaws.com') =>
    presigned(`wss://${host}/mqtt`, { credentials: { ...credentials, secretAccessKey }, region, service: 'iotdevicegateway', at })

  test.each([
    ['a1-ats.iot.eu-west-1.amazonaws.com', '1b4da26f2b05632cae2ed63985406cc1ea6b8180a34c524c53b131b29fbfe58d'],
    ['h:9001', 'b6c55fc5545841370eface440a3e7ec12e10668cfbf352ba9a37d36377c99b2d'],
  ])('of %s: the token is there and not signed, as IoT Core wants it', async (host, signature) => {
    const { protocol, host: to, pathname, searchParams } = new URL(await signed(undefined, host))
    expect([protocol, to, pathname]).toEqual(['wss:', host, '/mqtt'])
    expect(Object.fromEntries(searchParams)).toEqual({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'a key/20261124/eu-west-1/iotdevicegateway/aws4_request',
      'X-Amz-Date': '20261124T010203Z',
      'X-Amz-Expires': '300',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': signature,
      ...('sessionToken' in credentials ? { 'X-Amz-Security-Token': 'token/+=(*)' } : {}),
    })
  })

  test('its signature is of the secret, the host with its port, and the region', async () => {
    const host = 'a1-ats.iot.eu-west-1.amazonaws.com'
    expect(await isSigned(await signed(), host, credentials, region)).toBe(true)
    expect(await isSigned(await signed('another'), host, credentials, region)).toBe(false)
    expect(await isSigned(await signed(undefined, 'h:9001'), 'h:9002', credentials, region)).toBe(false)
    expect(await isSigned(await signed(), host, credentials, 'us-east-1')).toBe(false)
  })
})

test.each([
  ['lasting credentials', LASTING, 'ef389ad63572d949879d3657672db4786073075956f6f0dd7a90cd1dc84cdea5'],
  ['temporary credentials: the token is signed, too', TEMPORARY, '2542096077f7d625b144df6982240ed8c7b9448eb93cc0a4cf9a283b2d06b3a8'],
])('a GET, %s', async (_, credentials, signature) => {
  const url = 'https://iot.eu-west-1.amazonaws.com/endpoint?endpointType=iot%3AData-ATS'
  const token = 'sessionToken' in credentials ? ';x-amz-security-token' : ''
  expect(await signedHeaders(url, { credentials, region, service: 'iot', at })).toEqual({
    'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'x-amz-date': '20261124T010203Z',
    ...(token === '' ? {} : { 'x-amz-security-token': 'token/+=(*)' }),
    authorization: `AWS4-HMAC-SHA256 Credential=a key/20261124/eu-west-1/iot/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date${token}, Signature=${signature}`,
  })
})

test('a POST: operation, type and body are signed, too', async () => {
  const post = { target: 'ServiceQuotasV20190624.GetServiceQuota', body: '{"ServiceCode":"iotcore"}' }
  const signing = { credentials: LASTING, region, service: 'servicequotas', at }
  expect(await signedHeaders('https://servicequotas.eu-west-1.amazonaws.com/', signing, post)).toEqual({
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': post.target,
    'x-amz-content-sha256': '0b559defa294ae415f577983e6c0d6da4afcfb2b2d35fd73bbfd6315f7714aba',
    'x-amz-date': '20261124T010203Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=a key/20261124/eu-west-1/servicequotas/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target, Signature=759ca3799ef0fd0003f5a3dd5110a0c0d937339b82aa0edb6739f8865b31f7f2',
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
