/** docs/commands.md, "Ask for a receipt": every command in order on the local run, with MQTT clients and the AWS SDK as the tools. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients, eventually, type TestClient } from '../support/mqtt-client.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PAGE = readFileSync(join(ROOT, 'docs', 'commands.md'), 'utf8')
const [RECEIPTS, AWAY] = PAGE.split('\n## Ask for a receipt\n')[1]!.split('\n## ')[0]!.split('\n### If the sender was away\n') as [
  string,
  string,
]
const commandsIn = (text: string): string[] => [...text.matchAll(/```bash\n([\s\S]*?)\n```/g)].map(([, command]) => command!)

const flag = (command: string, name: string): string => new RegExp(` -${name} (\\S+)`).exec(command)![1]!
/** What mosquitto_rr and mosquitto_sub are given with -D publish. */
const properties = (command: string) => ({
  userProperties: Object.fromEntries([...command.matchAll(/ -D publish user-property (\S+) (\S+)/g)].map(([, key, value]) => [key, value])),
  correlationData: Buffer.from(/ -D publish correlation-data (\S+)/.exec(command)![1]!),
})

let backend: Backend
afterEach(async () => {
  await endClients()
  await backend.close()
})

/** mosquitto_rr: subscribes to the response topic, publishes, and waits there. */
async function request(command: string): Promise<TestClient> {
  const sender = await backend.connect(flag(command, 'i'), { protocolVersion: 5 })
  await sender.client.subscribeAsync(flag(command, 'e'), { qos: 1 })
  const responseTopic = flag(command, 'e')
  await sender.client.publishAsync(flag(command, 't'), flag(command, 'm'), {
    qos: 1,
    properties: { responseTopic, ...properties(command) },
  })
  await backend.idle()
  return sender
}

async function listen(command: string): Promise<TestClient> {
  const device = await backend.connect(flag(command, 'i'))
  await device.client.subscribeAsync(flag(command, 't'), { qos: 1 })
  await backend.idle()
  return device
}

const [ASK, LISTEN] = commandsIn(RECEIPTS) as [string, string]

test('a sender waits for its receipt, and gets it with the device’s PUBACK', async () => {
  backend = await startBackend()
  const sender = await request(ASK)
  expect(sender.received).toEqual([])
  const device = await listen(LISTEN)
  expect(device.received.map(({ text }) => text)).toEqual(['open'])
  await eventually('a receipt', () => sender.received.length > 0)
  const [{ topic, text, packet }] = sender.received as [TestClient['received'][0]]
  expect({ topic, correlation: packet.properties?.correlationData?.toString(), type: packet.properties?.contentType }).toEqual({
    topic: 'replies/backend',
    correlation: 'order-17',
    type: 'application/json',
  })
  const shown = JSON.parse(/```json\n(.*)\n```/.exec(RECEIPTS)![1]!) as Record<string, unknown>
  expect(Object.keys(JSON.parse(text))).toEqual(Object.keys(shown))
  expect(JSON.parse(text)).toMatchObject({ topic: shown.topic, clientid: shown.clientid, acked_at: expect.any(Number) })
  expect(packet.properties?.userProperties).toBeUndefined()
  expect(await backend.deadLetters()).toEqual({})
})

test('a sender that was away reads in the history who has its command', async () => {
  const line = /```\n(backend\.dynamo\.hook\S+ = .*)\n```/.exec(AWAY)![1]!
  const conf = readFileSync(join(ROOT, 'etc', 'emqx_backend_dynamo.conf'), 'utf8')
  backend = await startBackend({ confText: `${conf}\n${line}\n` })
  const sender = await request(ASK)
  await sender.client.endAsync()
  await backend.idle()
  await listen(LISTEN)
  expect(commandsIn(AWAY)[0]).toMatch(/^aws dynamodb scan --table-name mqtt_msg .*payload\.S, acked_by\.S, acked_at\.N/)
  const rows = await backend.rows('mqtt_msg', 'cmd/')
  expect(rows.map(({ payload, acked_by, acked_at }) => [payload?.S, acked_by?.S, Number(acked_at?.N) > 0])).toEqual([
    ['open', 'pump-7', true],
  ])
})
