/** The embedded DynamoDB on requests that no SDK would send: it soon answers 4xx, and serves the next request. */
import { connect } from 'node:net'
import { ownEngine } from './tables.ts'

let own: Awaited<ReturnType<typeof ownEngine>>
beforeAll(async () => {
  own = await ownEngine()
})
afterAll(() => own.close())

const SIGNED = { authorization: 'AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c' }
const send = async (operation: string, body: string, path = '/') => {
  const headers = { ...SIGNED, 'x-amz-target': `DynamoDB_20120810.${operation}` }
  const response = await fetch(`${own.engine.url}${path}`, { method: 'POST', headers, body })
  return { status: response.status, text: await response.text() }
}
const table = () => own.tables.mqtt_client
const put = (expression: string) => JSON.stringify({ TableName: table(), Item: { clientid: { S: 'c' } }, ConditionExpression: expression })
const nested = (levels: number) => `${'{"L":['.repeat(levels)}{"S":"x"}${']}'.repeat(levels)}`

it.each<[what: string, operation: string, body: () => string]>([
  ['no JSON', 'GetItem', () => '{'],
  ['null', 'GetItem', () => 'null'],
  ['a list', 'GetItem', () => '[]'],
  ['a list of 100,000 levels', 'GetItem', () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['a value of 20,000 levels', 'PutItem', () => `{"TableName":"${table()}","Item":{"clientid":{"S":"c"},"v":${nested(20_000)}}}`],
  ['a megabyte of blanks', 'GetItem', () => `[${' '.repeat(1_000_000)}"constructor"`],
  ['a key that is null', 'GetItem', () => `{"TableName":"${table()}","Key":{"clientid":null}}`],
  ['a key that is a list', 'GetItem', () => `{"TableName":"${table()}","Key":{"clientid":[]}}`],
  ['a prototype', 'GetItem', () => `{"__proto__":{"TableName":"${table()}"}}`],
  ['a condition of 30 parentheses', 'PutItem', () => put(`${'('.repeat(30)}attribute_exists(clientid)${')'.repeat(30)}`)],
  ['a condition of alternating parentheses', 'PutItem', () => put(`${'(a = :a OR '.repeat(30)}a = :a${')'.repeat(30)}`)],
  ['a condition that never ends', 'PutItem', () => put('('.repeat(4_000))],
  ['a condition that is no text', 'PutItem', () => put('a').replace('"a"', '{"a":1}')],
])('refuses %s', async (_, operation, body) => {
  expect((await send(operation, body())).status).toBe(400)
  expect((await send('ListTables', '{}')).status).toBe(200)
})

it.each(['//', '/?X-Amz-Signature=%', '/%', '/..%2f'])('serves the path %s as any other', async (path) => {
  expect((await send('ListTables', '{}', path)).status).toBe(200)
})

it('refuses a body of 17 MB', async () => {
  expect((await send('ListTables', ' '.repeat(17 * 1024 * 1024)).catch(() => ({ status: 413 }))).status).toBe(413)
  expect((await send('ListTables', '{}')).status).toBe(200)
})

it.each([
  ['nothing', ''],
  ['half a request line', 'POST / HT'],
  ['half a body', 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"Table'],
  ['another protocol', '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00'],
  ['headers of 100 KB', `POST / HTTP/1.1\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`],
])('survives a client that sends %s and goes away', async (_, bytes) => {
  const socket = connect(Number(new URL(own.engine.url).port), '127.0.0.1').on('error', () => undefined)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.resume().end(bytes)
  await closed
  expect((await send('ListTables', '{}')).status).toBe(200)
})
