/** docs/getting-started.md, every command in its order, on the local run: what it says one sees is what there is to see. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Backend, type Row, startBackend } from '../end-to-end/backend.ts'
import { endClients, pause, type TestClient } from '../support/mqtt-client.ts'

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'getting-started.md'), 'utf8')
/** The commands of each block, without comments, and whether the text after it says to end what it began. */
const BLOCKS = [...PAGE.matchAll(/```bash\n([\s\S]*?)```([\s\S]*?)(?=```|$)/g)].map(([, code, after]) => ({
  commands: code!
    .replaceAll('\\\n', '')
    .replaceAll(/ +# .*$/gm, '')
    .trim()
    .split('\n'),
  ends: /with Ctrl-C/.test(after!),
}))

/** What one sees, in order: a table's rows, or what a subscriber printed until it was ended. */
const SEEN: readonly (readonly [what: string, ...lines: string[]])[] = [
  ['mqtt_msg', 'cmd/pump-7 start', 'cmd/pump-7 stop'],
  ['pump-7', 'cmd/pump-7 start', 'cmd/pump-7 stop'],
  ['mqtt_msg'],
  ['mqtt_acked', 'cmd/pump-7 pump-7'],
  ['mqtt_client', 'backend 0', 'pump-7 0'],
  ['mqtt_msg', 'tele/1 21.5'],
  ['mqtt_msg', 'tele/1 21.5', 'tele/1 22.0'],
  ['audit', 'tele/1 22.0'],
  ['mqtt_retain', 'state/1 on'],
  ['dashboard', 'state/1 on retain:1'],
  ['mqtt_retain'],
  ['pump-7', 'news/all hello'],
]

const flag = (command: string, name: string): string | undefined =>
  new RegExp(` -${name} ('[^']*'|\\S+)`).exec(command)?.[1]?.replaceAll("'", '')
const shown = (row: Row): string =>
  ['topic', 'clientid', 'connect_state', 'payload']
    .map((name): AttributeValue | undefined => row[name])
    .flatMap((value) => value?.S ?? value?.N ?? [])
    .join(' ')

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterAll(async () => {
  await endClients()
  await backend.close()
})

test('every step of the page', async () => {
  const seen: string[][] = []
  const subscribers = new Map<string, TestClient>()
  const endSubscribers = async () => {
    for (const [id, { client, received }] of subscribers) {
      const retained = received[0]?.packet.properties?.userProperties?.retain
      seen.push([id, ...received.map(({ topic, text }) => `${topic} ${text}${retained ? ` retain:${retained}` : ''}`)])
      await client.endAsync()
    }
    subscribers.clear()
    await backend.idle()
  }
  for (const { commands, ends } of BLOCKS) {
    for (const command of commands) {
      if (command.startsWith('mosquitto_pub')) {
        const { client } = await backend.connect(flag(command, 'i')!)
        const payload = command.includes(' -n ') ? '' : flag(command, 'm')!
        await client.publishAsync(flag(command, 't')!, payload, {
          qos: flag(command, 'q') === '1' ? 1 : 0,
          retain: command.includes(' -r '),
        })
        await client.endAsync()
        await backend.idle()
      } else if (command.startsWith('mosquitto_sub')) {
        const subscriber = await backend.connect(flag(command, 'i')!, { protocolVersion: flag(command, 'V') === '5' ? 5 : 4 })
        await subscriber.client.subscribeAsync(flag(command, 't')!, { qos: 1 })
        subscribers.set(flag(command, 'i')!, subscriber)
        await backend.idle()
        await pause(200)
      } else if (command.startsWith('aws dynamodb put-item')) {
        await backend.put('mqtt_sub', JSON.parse(/--item '(.*)'/.exec(command)![1]!))
      } else if (/^rows \w+$/.test(command)) {
        const table = command.split(' ')[1]!
        seen.push([table, ...(await backend.rows(table)).map(shown).sort()])
      } else expect(command).toMatch(/^(npm ci && npm start|export AWS_.*|rows\(\) \{.*\}|curl http:\/\/localhost:8443\/local\/\w+)$/)
    }
    if (ends) await endSubscribers()
  }
  await endSubscribers()
  expect(seen).toEqual(SEEN)
}, 60_000)
