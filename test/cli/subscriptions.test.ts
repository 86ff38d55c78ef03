/** `mqtt-dynamodb subscriptions`, over a backend that runs here. */
import { type Backend, startBackend, texts } from '../end-to-end/backend.ts'
import { endClients, eventually } from '../support/mqtt-client.ts'
import { here } from '../support/run-program.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterEach(() => endClients())
afterAll(() => backend.close())

const run = (...args: string[]) => here('subscriptions', ...args, '--dynamodb', backend.dynamodbUrl, '--endpoint', backend.dataUrl)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

const publish = async (topic: string, ...payloads: string[]) => {
  const { client } = await backend.connect('s/sender')
  for (const payload of payloads) await client.publishAsync(topic, payload, { qos: 1 })
  await client.endAsync()
  await backend.idle()
}

test('add: a connected client gets what was queued and what is published then; del: nothing any more, at once (I13)', async () => {
  await publish('s/live', 'queued')
  const device = await backend.connect('s/device')
  await backend.idle()
  expect((await run('add', 's/device', 's/live')).out).toBe(
    '"s/device": subscribed to "s/live", live as soon as its connected event is handled\n',
  )
  await backend.idle()
  await publish('s/live', 'pushed')
  await eventually('all came', () => texts(device, 's/live').length === 2)
  expect(texts(device, 's/live')).toEqual(['queued', 'pushed'])
  expect((await run('del', 's/device', 's/live')).out).toBe('"s/device": not subscribed to "s/live" any more\n')
  await publish('s/live', 'late')
  expect(texts(device, 's/live')).toEqual(['queued', 'pushed'])
  expect(await backend.rows('mqtt_msg', 's/live')).toHaveLength(1)
})

test('add: a wildcard, and again with another QoS; presence stays as it was (I4)', async () => {
  const device = await backend.connect('s/wild')
  await backend.idle()
  const [before] = await backend.rows('mqtt_client', 's/wild')
  await run('add', 's/wild', 's/w/+/x')
  expect(await json('add', 's/wild', 's/w/+/x', '--qos', '2')).toEqual({ clientid: 's/wild', topic: 's/w/+/x', qos: 2, live: 'now' })
  await backend.idle()
  await publish('s/w/1/x', 'hello')
  await eventually('all came', () => texts(device).length === 1)
  expect(texts(device)).toEqual(['hello'])
  expect(await backend.rows('mqtt_client', 's/wild')).toEqual([before])
})

test('add: a client that is away is subscribed when it connects', async () => {
  expect(await json('add', 's/away', 's/later')).toMatchObject({ live: 'when it connects' })
  await publish('s/later', 'waits')
  const device = await backend.connect('s/away')
  await eventually('all came', () => texts(device).length === 1)
  expect(texts(device)).toEqual(['waits'])
})

test('add: a client that has unsubscribed from the filter itself is left in peace until it comes again', async () => {
  const device = await backend.connect('s/left')
  await device.client.subscribeAsync('s/peace', { qos: 1 })
  await device.client.unsubscribeAsync('s/peace')
  await backend.idle()
  expect((await run('add', 's/left', 's/peace')).out).toContain('live from its next connection on')
})

test("refuses to change a client's own subscription", async () => {
  const { client } = await backend.connect('s/own')
  await client.subscribeAsync('s/own/t', { qos: 1 })
  await backend.idle()
  const own = 'client "s/own" has subscribed to it itself'
  expect(await run('add', 's/own', 's/own/t')).toEqual({ status: 1, out: '', err: `subscriptions add: ${own}: nothing was added\n` })
  expect(await run('del', 's/own', 's/own/t')).toMatchObject({ status: 1, err: expect.stringContaining(own) })
  expect(await backend.rows('mqtt_sub', 's/own')).toMatchObject([{ origin: { S: 'client' } }])
})

test('list: page by page, of one client, by filter and by topic', async () => {
  await run('add', 's/list', 's/l/#')
  await run('add', 's/list', 's/l/1')
  const filters = async (...args: string[]) =>
    (await json('list', ...args)).subscriptions.map(({ topic }: { topic: string }) => topic).sort()
  expect(await filters('s/list')).toEqual(['s/l/#', 's/l/1'])
  expect(await filters('--topic', 's/l/2')).toEqual(['s/l/#'])
  expect(await filters('s/list', '--topic', 's/l/1')).toEqual(['s/l/#', 's/l/1'])
  const { subscriptions, next } = await json('list', '--limit', '1')
  expect(subscriptions).toHaveLength(1)
  expect((await json('list', '--limit', '1', '--after', next)).subscriptions).not.toEqual(subscriptions)
  expect((await run('list', 's/list')).out).toMatch(/^CLIENT +FILTER +QOS +WHOSE +SINCE\ns\/list +s\/l\/#? ?/)
})

test.each([
  ['a//#/b', '"#" as level 3 of 4, wanted it last'],
  ['$SYS/#', 'topics that start with "$" are never stored'],
  ['1/2/3/4/5/6/7/8/9', 'it has 9 levels, and topics of IoT Core have at most 8'],
  ['durable/t', 'it is below "durable/", to which clients subscribe themselves'],
  ['x'.repeat(257), 'it has more than the 256 bytes of a topic of IoT Core'],
])('add refuses a filter that cannot match: %s', async (filter, why) => {
  expect(await run('add', 's/bad', filter)).toEqual({
    status: 2,
    out: '',
    err: `subscriptions add: FILTER is "${filter}": ${why}, so nothing would come (see --help)\n`,
  })
  expect(await backend.rows('mqtt_sub', 's/bad')).toEqual([])
})

test('add refuses what the conf of the run never brings', async () => {
  const other = await startBackend({
    confText:
      'backend.dynamo.pool1.server = http://localhost:8000\n' +
      'backend.dynamo.hook.message.publish.1 = {"topic": "cmd/#", "action": {"function": "on_message_publish"}, "pool": "pool1"}\n' +
      'backend.dynamo.hook.client.connected.1 = {"action": {"function": "on_subscribe_lookup"}, "pool": "pool1"}',
  })
  const add = (filter: string) => here('subscriptions', 'add', 'c', filter, '--dynamodb', other.dynamodbUrl, '--endpoint', other.dataUrl)
  expect((await add('other/t')).err).toContain("no row of message.publish of the run's conf covers it")
  expect(await add('cmd/t')).toMatchObject({ status: 0 })
  await other.close()
})

test.each([
  [['add', '$c', 't'], 2, 'CLIENT is "$c", wanted a client id of 1 to 128 bytes that does not begin with $ (see --help)'],
  [['add', 'c', 't', '--qos', '3'], 2, '--qos is "3", wanted a whole number from 0 to 2 (see --help)'],
  [['del', 's/none', 't'], 1, 'client "s/none" has no row for "t" in mqtt_sub: nothing was deleted'],
])('refuses %j', async ([command = '', ...args], status, why) => {
  expect(await run(command, ...args)).toEqual({ status, out: '', err: `subscriptions ${command}: ${why}\n` })
})
