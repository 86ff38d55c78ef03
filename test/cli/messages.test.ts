/** `mqtt-dynamodb messages`, over a backend that runs here. */
import { readFileSync } from 'node:fs'
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients } from '../support/mqtt-client.ts'
import { here } from '../support/run-program.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(() => endClients())
afterAll(() => backend.close())

const run = (...args: string[]) => here('messages', ...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

const publish = async (topic: string, ...payloads: string[]) => {
  const { client } = await backend.connect('m/sender', { protocolVersion: 5 })
  for (const payload of payloads) await client.publishAsync(topic, payload, { qos: 1, properties: { userProperties: { unit: 'C' } } })
  await client.endAsync()
  await backend.idle()
}

test('list: the newest first, none is marked; show: payload and properties', async () => {
  await publish('m/read', 'one', 'two', '{"three":3}')
  const { messages } = await json('list', 'm/read', '-n', '2')
  expect(messages.map(({ payload }: { payload: string }) => payload)).toEqual(['{"three":3}', 'two'])
  expect((await run('list', 'm/read')).out.split('\n')).toHaveLength(5)
  const { msgid } = messages[0]
  const { out } = await run('show', msgid, '--view', 'json')
  expect(out).toContain('unit')
  expect(out).toContain('{\n  "three": 3\n}')
  expect(await backend.rows('mqtt_msg', 'm/read')).toHaveLength(3)
})

test('purge: only with --yes, and nothing is left (I5)', async () => {
  await publish('m/purged', ...Array.from({ length: 40 }, (_, i) => `${i}`))
  expect(await run('purge', 'm/purged')).toMatchObject({ status: 2, err: expect.stringContaining('wanted --yes, or --dry-run') })
  expect((await run('purge', 'm/purged', '--dry-run')).out).toMatch(/about \d+ would be purged/)
  expect(await backend.rows('mqtt_msg', 'm/purged')).toHaveLength(40)
  expect(await json('purge', 'm/purged', '--yes')).toMatchObject({ purged: 40 })
  expect(await backend.rows('mqtt_msg', 'm/purged')).toEqual([])
  expect((await backend.rows('mqtt_topic_msg_map', 'm/purged')).filter(({ MsgId, sealing }) => MsgId || sealing)).toEqual([])
})

test('purge --older: what was published later stays', async () => {
  await publish('m/older', ...Array.from({ length: 20 }, (_, i) => `old ${i}`))
  const between = new Date(Date.now() + 1).toISOString()
  await new Promise((resolve) => setTimeout(resolve, 5))
  await publish('m/older', 'new')
  expect((await run('purge', 'm/older', '--older', between, '--dry-run')).out).toMatch(
    /about \d+ wait, of which the older ones would be purged/,
  )
  expect(await json('purge', 'm/older', '--older', '1d', '--yes')).toMatchObject({ purged: 0 })
  expect(await json('purge', 'm/older', '--older', between, '--yes')).toMatchObject({ purged: 20 })
  expect((await json('list', 'm/older')).messages.map(({ payload }: { payload: string }) => payload)).toEqual(['new'])
  expect(await backend.rows('mqtt_msg', 'm/older')).toHaveLength(1)
})

test("purge: what the run's own conf keeps as history stays, and nobody need name it", async () => {
  const row = 'backend.dynamo.hook.message.publish.4 = {"topic": "#", "action": {"function": "on_message_store"}, "pool": "pool1"}'
  const other = await startBackend({ confText: `${readFileSync('etc/emqx_backend_dynamo.conf', 'utf8')}\n${row}\n` })
  const at = (...args: string[]) => here('messages', ...args, '--dynamodb', other.dynamodbUrl, '--endpoint', other.dataUrl)
  const { client } = await other.connect('m/sender')
  for (const payload of ['one', 'two']) await client.publishAsync('m/history', payload, { qos: 1 })
  await other.idle()
  const refused = await at('purge', 'm/history', '--yes', '--conf', 'etc/emqx_backend_dynamo.conf')
  expect(refused).toMatchObject({
    status: 2,
    err: expect.stringMatching(/^messages purge: --conf is .*, which is another one than the run at .* has/),
  })
  expect((await at('purge', 'm/history', '--yes')).out).toBe('"m/history": 2 purged\n')
  expect(await other.rows('mqtt_msg', 'm/history')).toHaveLength(2)
  expect((await other.rows('mqtt_topic_msg_map', 'm/history')).filter(({ MsgId }) => MsgId)).toEqual([])
  await other.close()
})

test('purge: a --conf that says what the run has is taken', async () => {
  await publish('m/said', 'one')
  expect(await json('purge', 'm/said', '--yes', '--conf', 'etc/emqx_backend_dynamo.conf')).toMatchObject({ purged: 1 })
})

test.each([
  ['list', 'none', 'topic "none": it has no queue'],
  ['purge', 'none', 'topic "none": it has no queue'],
  ['show', 'none', 'message "none": mqtt_msg has no such row'],
])('refuses %s of what is not there', async (command, what, why) => {
  const yes = command === 'purge' ? ['--yes'] : []
  expect(await run(command, what, ...yes)).toEqual({ status: 1, out: '', err: `messages ${command}: ${why}\n` })
})
