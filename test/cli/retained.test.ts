/** `mqtt-dynamodb retained`, over a backend that runs here. */
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients } from '../support/mqtt-client.ts'
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
