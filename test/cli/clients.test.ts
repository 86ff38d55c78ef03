/** `mqtt-dynamodb clients`, over a backend that runs here. */
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients } from '../support/mqtt-client.ts'
import { here } from '../support/run-program.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(() => endClients())
afterAll(() => backend.close())

const run = (...args: string[]) => here('clients', ...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

test('list: who is online and who is not, page by page, in one request each', async () => {
  const gone = await backend.connect('c/gone')
  await gone.client.endAsync()
  await backend.connect('c/here')
  await backend.idle()
  const both = await json('list')
  expect(both.clients.map(({ clientid, online }: { clientid: string; online: boolean }) => [clientid, online]).sort()).toEqual([
    ['c/gone', false],
    ['c/here', true],
  ])
  expect((await json('list', '--online')).clients).toHaveLength(1)
  expect((await json('list', '--offline')).clients).toHaveLength(1)
  const names = async (...flags: string[]) => (await json('list', ...flags)).clients.map(({ clientid }: { clientid: string }) => clientid)
  expect(await names('--starts-with', 'c/h')).toEqual(['c/here'])
  expect(await names('--since', '1h')).toHaveLength(2)
  expect(await names('--since', '0s')).toEqual([])
  const { clients, next } = await json('list', '--limit', '1')
  const rest = await json('list', '--limit', '1', '--after', next)
  expect(new Set([...clients, ...rest.clients].map(({ clientid }: { clientid: string }) => clientid)).size).toBe(2)
})

test('the run tells where its DynamoDB is', async () => {
  await backend.connect('c/told')
  await backend.idle()
  const { out, status } = await here('clients', 'show', 'c/told', '--json', '--endpoint', backend.dataUrl)
  expect([status, JSON.parse(out)]).toEqual([0, await json('show', 'c/told')])
})

test('list --ndjson: one row a line, and how to go on beside it', async () => {
  const { out, err, status } = await run('list', '--ndjson', '--limit', '1')
  expect(status).toBe(0)
  const rows = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(rows).toEqual([expect.objectContaining({ clientid: expect.any(String) })])
  expect(err).toMatch(/^more: --after [\w-]+\n$/)
  expect(await run('list', '--ndjson', '--json')).toMatchObject({
    status: 2,
    err: expect.stringContaining('--ndjson cannot be used with --json'),
  })
})

test('show: presence, subscriptions, and what waits', async () => {
  const { client } = await backend.connect('c/shown')
  await client.subscribeAsync(['shown/t', 'shown/#'], { qos: 1 })
  await backend.idle()
  const { presence, subscriptions, waiting } = await json('show', 'c/shown')
  expect(presence).toMatchObject({ clientid: 'c/shown', connected: true })
  expect(subscriptions.map(({ topic }: { topic: string }) => topic).sort()).toEqual(['shown/#', 'shown/t'])
  expect(waiting).toEqual({ 'shown/t': { about: 0, exact: true } })
  const { out } = await run('show', 'c/shown')
  expect(out).toMatch(/^"c\/shown": online since 20.*\nFILTER +QOS +WHOSE +WAITING/)
})

test('kick: the connection ends', async () => {
  const { client } = await backend.connect('c/kicked', { reconnectPeriod: 0 })
  const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)))
  expect(await run('kick', 'c/kicked')).toEqual({ status: 0, out: '"c/kicked": its connection is ended\n', err: '' })
  await closed
  expect(await run('kick', 'c/kicked')).toMatchObject({ status: 1, err: expect.stringContaining('"c/kicked" is not connected') })
})

test('what is not there, and what is hostile', async () => {
  expect(await run('show', 'nobody')).toEqual({ status: 1, out: '', err: 'clients show: client "nobody": mqtt_client has no such row\n' })
  const id = 'c/\u202eevil'
  await backend.connect(id)
  await backend.idle()
  const { out } = await run('list')
  expect(out).toContain('c/\\u202eevil')
  expect(out).not.toContain(id)
})

test('a local run that is not there: one line, and the tables of another run are not read', async () => {
  expect(await here('clients', 'list', '--endpoint', 'http://127.0.0.1:9')).toMatchObject({
    status: 1,
    err: 'clients list: nothing answers at http://127.0.0.1:9: the local run has ended, or listens elsewhere (--endpoint)\n',
  })
  const { status, err } = await here('clients', 'list', '--dynamodb', 'http://127.0.0.1:9')
  expect([status, err]).toEqual([1, 'clients list: DynamoDB cannot be reached at http://127.0.0.1:9 (ECONNREFUSED)\n'])
})
