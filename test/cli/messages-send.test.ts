/** `mqtt-dynamodb messages send|replay`, over a backend that runs here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Backend, startBackend, texts } from '../end-to-end/backend.ts'
import { endClients, eventually } from '../support/mqtt-client.ts'
import { here } from '../support/run-program.ts'

let backend: Backend
let folder: string
beforeAll(async () => {
  backend = await startBackend()
  folder = mkdtempSync(join(tmpdir(), 'send-'))
})
afterEach(() => endClients())
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await backend.close()
})

const run = (...args: string[]) => here('messages', ...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

test('send: it is stored and queued as any publish', async () => {
  expect((await run('send', 'ms/one', '--payload', 'hello')).out).toBe('1 published\n')
  await backend.idle()
  expect(await backend.rows('mqtt_msg', 'ms/one')).toHaveLength(1)
  const device = await backend.connect('ms/device')
  await device.client.subscribeAsync('ms/one', { qos: 1 })
  await eventually('it came', () => texts(device).length === 1)
  expect(texts(device)).toEqual(['hello'])
})

test('send to clients: one message each, and who has acknowledged', async () => {
  const file = join(folder, 'clients.txt')
  writeFileSync(file, 'ms-a\nms-b\n\n')
  const here = await backend.connect('ms-a')
  await here.client.subscribeAsync('ms/cmd/ms-a/x', { qos: 1 })
  await backend.idle()
  await json('send', 'ms/cmd/{clientid}/x', '--file', file, '--payload', 'before', '--rate', '1000')
  await backend.idle()
  await here.client.endAsync()
  await backend.idle()
  const back = await backend.connect('ms-a')
  await run('send', 'ms/cmd/{clientid}/x', '--to', 'ms-a', '--to', 'ms-b', '--payload', 'now', '--rate', '1000')
  await backend.idle()
  // The message waits for ms-a, which takes it while the command waits.
  const waiting = json('send', 'ms/cmd/{clientid}/x', '--to', 'ms-a', '--to', 'ms-b', '--payload', 'later', '--rate', '1000', '--wait', '3')
  await eventually('all are stored', async () => (await backend.rows('mqtt_msg', 'ms/cmd/ms-b')).length === 3)
  await back.client.subscribeAsync('ms/cmd/ms-a/x', { qos: 1 })
  const { sent } = await waiting
  expect(sent).toEqual([
    { topic: 'ms/cmd/ms-a/x', clientid: 'ms-a', acknowledged: true },
    { topic: 'ms/cmd/ms-b/x', clientid: 'ms-b', acknowledged: false },
  ])
})

test('replay: a message or what waits on a topic goes to one client again, and nothing leaves the queue', async () => {
  for (const payload of ['one', 'two']) await run('send', 'ms/again', '--payload', payload)
  await backend.idle()
  const device = await backend.connect('ms/other')
  const { sent } = await json('replay', 'ms/again', '--to', 'ms/other')
  expect(sent.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['acked', 'acked'])
  expect(texts(device)).toEqual(['one', 'two'])
  expect((await run('replay', sent[0].msgid, '--to', 'ms/other')).out).toMatch(/ms\/again +acknowledged\n$/)
  expect(texts(device)).toEqual(['one', 'two', 'one'])
  expect(await backend.rows('mqtt_msg', 'ms/again')).toHaveLength(2)
  const away = await run('replay', 'ms/again', '--to', 'ms/nobody')
  expect(away).toMatchObject({ status: 1, out: expect.stringContaining('the client is not connected') })
})

test.each([
  [['send', 't'], 2, 'wanted one of --payload and --payload-file (see --help)'],
  [['send', 'a/#', '--payload', 'x'], 2, expect.stringContaining('TOPIC is "a/#", wanted a topic of at most 256 bytes')],
  [['send', 't/{clientid}', '--payload', 'x'], 2, expect.stringContaining('wanted --to or --file with it')],
  [['send', 't', '--to', 'c', '--payload', 'x'], 2, expect.stringContaining('wanted {clientid} in it')],
  [['send', 't/{clientid}', '--to', 'a/b/c/d/e/f/g/h', '--payload', 'x'], 2, expect.stringContaining('nothing was sent')],
  [['replay', 't'], 2, '--to is missing, wanted the client that gets them (see --help)'],
  [['replay', 'none', '--to', 'c'], 1, '"none": no message has this id, and no queue this topic'],
])('refuses %j', async ([command = '', ...args], status, why) => {
  const said = await run(command, ...args)
  expect(said).toMatchObject({ status, out: '' })
  expect(said.err.replace(`messages ${command}: `, '').trimEnd()).toEqual(why)
})

test('refuses a file of clients by its line, and publishes nothing', async () => {
  const file = join(folder, 'bad.txt')
  writeFileSync(file, 'good\n$bad\n')
  const { status, err } = await run('send', 'ms/file/{clientid}', '--file', file, '--payload', 'x')
  expect([status, err]).toEqual([2, expect.stringContaining('bad.txt:2: "$bad", wanted a client id')])
  expect(await backend.rows('mqtt_msg', 'ms/file')).toEqual([])
})
