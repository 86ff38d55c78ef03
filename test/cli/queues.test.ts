/** `mqtt-dynamodb queues`, over a backend that runs here. */
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients } from '../support/mqtt-client.ts'
import { here } from '../support/run-program.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(() => endClients())
afterAll(() => backend.close())

const run = (...args: string[]) => here('queues', ...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

test('list and show: what waits, who subscribes, and the newest messages', async () => {
  const { client } = await backend.connect('q/sender')
  for (let i = 0; i < 40; i++) await client.publishAsync('q/long', `${i}`, { qos: 1 })
  await client.publishAsync('q/short', 'x', { qos: 1 })
  await backend.idle()
  const { queues } = await json('list')
  expect(queues.map(({ topic }: { topic: string }) => topic)).toEqual(['q/long', 'q/short'])
  expect(queues[1]).toEqual({ topic: 'q/short', about: 1, exact: true, subscribers: 0 })
  const { about, exact, newest } = await json('show', 'q/long')
  // It reads the segments. A list has the heads alone, which know the number of their segments only.
  expect([about, exact]).toEqual([40, true])
  expect(newest).toHaveLength(5)
  expect((await run('show', 'q/long')).out).toMatch(/^"q\/long": 40 waiting\nNEWEST MESSAGES/)
  expect((await run('list')).out).toMatch(/^TOPIC +WAITING +SUBSCRIBERS\nq\/long +about/)
})

test('refuses a topic without a queue', async () => {
  expect(await run('show', 'none')).toEqual({ status: 1, out: '', err: 'queues show: topic "none": it has no queue\n' })
})
