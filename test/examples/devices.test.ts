/** The devices of examples/ against a backend that runs here: they miss no command, also while they are away. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients, eventually } from '../support/mqtt-client.ts'

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples')
const PYTHON = process.env.PYTHON ?? 'python3'
const imports = (module: string) => spawnSync(PYTHON, ['-c', `import ${module}`]).status === 0

let backend: Backend
const devices: ChildProcess[] = []
beforeAll(async () => {
  backend = await startBackend()
})
afterAll(async () => {
  for (const device of devices) device.kill('SIGKILL')
  await endClients()
  await backend.close()
})

interface Device {
  readonly process: ChildProcess
  /** Whole lines that it printed. */
  lines(): string[]
}

function start(command: string, file: string): Device {
  const { hostname, port } = new URL(backend.mqttUrl)
  const env = { ...process.env, MQTT_URL: backend.mqttUrl, MQTT_HOST: hostname, MQTT_PORT: port, CLIENT_ID: 'device' }
  const device = spawn(command, [join(EXAMPLES, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  devices.push(device)
  let printed = ''
  device.stdout!.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  return { process: device, lines: () => printed.split('\n').slice(0, -1) }
}

const commandsOf = ({ lines }: Device) => lines().filter((line) => line !== 'subscribed')

async function missesNothing(command: string, file: string): Promise<void> {
  const { client } = await backend.connect('sender')
  await client.publishAsync('cmd/device', `${file} 1`, { qos: 1 })
  await backend.idle()
  const first = start(command, file)
  await eventually('what waited', () => commandsOf(first).length === 1, 20_000)
  const gone = new Promise((resolve) => first.process.once('exit', resolve))
  first.process.kill('SIGTERM')
  await gone
  await client.publishAsync('cmd/device', `${file} 2`, { qos: 1 })
  const second = start(command, file)
  await eventually('it is back', () => second.lines().includes('subscribed'), 20_000)
  await client.publishAsync('cmd/device', `${file} 3`, { qos: 1 })
  await eventually('all', () => commandsOf(second).length === 2, 20_000)
  expect([...commandsOf(first), ...commandsOf(second)]).toEqual([1, 2, 3].map((n) => `durable/cmd/device: ${file} ${n}`))
  const ended = new Promise((resolve) => second.process.once('exit', resolve))
  second.process.kill('SIGTERM')
  await ended
  await eventually('nothing waits', async () => (await backend.rows('mqtt_msg', 'cmd/device')).length === 0)
}

test('the device in JavaScript', () => missesNothing('node', 'device-javascript/device.mjs'), 90_000)

/** Where their libraries are installed: `pip install paho-mqtt awsiotsdk`. `PYTHON` names another interpreter than python3. */
for (const [library, module, file] of [
  ['paho-mqtt', 'paho.mqtt.enums', 'device.py'],
  ["AWS's own SDK", 'awscrt.mqtt5', 'device_aws.py'],
] as const) {
  const itWithLibrary = imports(module) ? test : test.skip
  itWithLibrary(`the device in Python with ${library}`, () => missesNothing(PYTHON, `device-python/${file}`), 90_000)
}
