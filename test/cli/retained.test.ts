/** `mqtt-dynamodb retained`, over a backend that runs here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetRetainedMessageCommand } from '@aws-sdk/client-iot-data-plane'
import { type Backend, confOf, startBackend } from '../end-to-end/backend.ts'
import { endClients, eventually } from '../support/mqtt-client.ts'
import { here } from '../support/run-program.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(() => endClients())
afterAll(() => backend.close())

const run = (...args: string[]) => here('retained', ...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

test('list and show what the table has', async () => {
  const { client } = await backend.connect('r/sender')
  await client.publishAsync('r/state', 'on', { qos: 1, retain: true })
  await backend.idle()
  expect((await json('list')).retained).toMatchObject([{ topic: 'r/state', sender: 'r/sender', bytes: 2 }])
  expect((await run('show', 'r/state')).out).toMatch(/\non\n$/)
  expect(await json('show', 'r/state')).toMatchObject({ topic: 'r/state', payload: 'on', retain: 1 })
})

test('refuses a topic without one', async () => {
  expect(await run('show', 'none')).toEqual({ status: 1, out: '', err: 'retained show: topic "none": mqtt_retain has no such row\n' })
})

test('put and delete: IoT Core and the table agree', async () => {
  expect((await run('put', 'r/put', '--payload', 'v1')).status).toBe(0)
  await backend.idle()
  expect(await json('show', 'r/put')).toMatchObject({ payload: 'v1' })
  const { client, received } = await backend.connect('r/reader')
  await client.subscribeAsync('r/put', { qos: 1 })
  await eventually('IoT Core sent it', () => received.length === 1)
  expect(await run('delete', 'r/put')).toMatchObject({ status: 2, err: expect.stringContaining('wanted --yes, or --dry-run') })
  expect((await run('delete', 'r/put', '--dry-run')).out).toBe('"r/put": would be deleted\n')
  expect((await run('delete', 'r/put', '--yes')).status).toBe(0)
  await backend.idle()
  expect((await run('show', 'r/put')).status).toBe(1)
  await expect(backend.data.send(new GetRetainedMessageCommand({ topic: 'r/put' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})

test('put and delete where rows go by the user property "retain"; nothing waits on the queue after a delete', async () => {
  const row = (action: string, more = {}) => JSON.stringify({ topic: '#', ...more, action: { function: action }, pool: 'pool1' })
  const confText = confOf(
    ['message.publish', row('on_message_publish')],
    ['message.publish', row('on_message_retain', { retain: 'property' })],
    ['message.publish', row('on_retain_delete', { retain: 'property' })],
  )
  const other = await startBackend({ confText })
  const there = (...args: string[]) => here('retained', ...args, '--dynamodb', other.dynamodbUrl, '--endpoint', other.dataUrl)
  try {
    expect((await there('put', 'r/property', '--payload', 'v1')).status).toBe(0)
    await other.idle()
    expect(await other.rows('mqtt_retain')).toMatchObject([{ payload: { S: 'v1' } }])
    for (const _ of ['one', 'none']) expect((await there('delete', 'r/property', '--yes')).status).toBe(0)
    await other.idle()
    expect(await other.rows('mqtt_retain')).toEqual([])
    expect((await other.rows('mqtt_msg')).map(({ payload }) => payload?.S)).toEqual(['v1'])
  } finally {
    await other.close()
  }
}, 60_000)

test('export and import: what one run has another gets, bytes and user properties too', async () => {
  const { client } = await backend.connect('r/exporter', { protocolVersion: 5 })
  const properties = { contentType: 'text/plain', userProperties: { unit: 'C', é: 'ü' } }
  await client.publishAsync('r/ex/bytes', Buffer.from([0, 255]), { qos: 1, retain: true, properties })
  await backend.idle()
  const { out, err } = await run('export')
  expect(err).toMatch(/^reads all of mqtt_retain: about \d+ rows, \d+ read units/)
  const line = out.split('\n').find((one) => one.includes('r/ex/bytes'))!
  expect(JSON.parse(line)).toEqual({
    topic: 'r/ex/bytes',
    qos: 1,
    payload_base64: 'AP8=',
    content_type: 'text/plain',
    user: [
      ['unit', 'C'],
      ['é', 'ü'],
    ],
  })
  const folder = mkdtempSync(join(tmpdir(), 'retained-'))
  const file = join(folder, 'retained.ndjson')
  writeFileSync(file, `${line.replace('r/ex/bytes', 'r/im/bytes')}\n`)
  expect((await run('import', file, '--dry-run')).out).toBe('1 would be published\n')
  expect(await run('import', file)).toMatchObject({ status: 0 })
  await backend.idle()
  const [row] = await backend.rows('mqtt_retain', 'r/im')
  expect(row).toMatchObject({ topic: { S: 'r/im/bytes' } })
  expect(await json('show', 'r/im/bytes')).toMatchObject({
    payload_base64: 'AP8=',
    properties: { contentType: 'text/plain', user: [...JSON.parse(line).user, ['retain', '1']] },
  })
  writeFileSync(file, `${line}\n{"topic":"a/#"}\n`)
  const refused = await run('import', file)
  expect([refused.status, refused.err]).toEqual([2, expect.stringMatching(/retained\.ndjson:2: bad topic name: .*nothing was published/)])
  rmSync(folder, { recursive: true })
})

test.each([
  [['put', 't'], 'wanted one of --payload and --payload-file'],
  [['put', 't', '--payload', ''], 'the payload is empty, which deletes a retained message: wanted retained delete'],
  [
    ['put', '$t', '--payload', 'x'],
    'TOPIC is "$t", wanted a topic of at most 256 bytes and 7 slashes, without wildcards, not beginning with $',
  ],
])('refuses %j', async ([command = '', ...args], why) => {
  expect(await run(command, ...args)).toEqual({ status: 2, out: '', err: `retained ${command}: ${why} (see --help)\n` })
})
