/** `mqtt-dynamodb start`: its flags; as a process what it says, what it refuses, how it ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flags, localRunOf } from '../../cli/start.ts'
import { connect, endClients } from '../support/mqtt-client.ts'
import { killPrograms, type Run, read, startMqttDynamodb } from '../support/run-program.ts'

const FREE = ['--mqtt-port', '0', '--dynamodb-port', '0', '--data-port', '0', '--console-port', '0']

describe('flags', () => {
  const runOf = (...args: string[]) => localRunOf(read(flags(), ...args))

  test('defaults', () => {
    expect(runOf()).toEqual({
      host: '127.0.0.1',
      mqttPort: 1883,
      dynamodbPort: 8000,
      dataPort: 8443,
      consolePort: 8080,
      dynamodb: 'embedded',
      misbehaviour: { duplicate: 0, reorder: 0, delay: 0, throttle: 0, failAction: 0, dropPuback: 0 },
      seed: 1,
      retryAfterMs: 1000,
      verbose: false,
      json: false,
    })
  })

  test('every flag', () => {
    const ports = ['--mqtt-port', '0', '--dynamodb-port=1', '--data-port', '65535', '--console-port', '2']
    const chances = [
      '--duplicate',
      '0.5',
      '--reorder',
      '1',
      '--delay',
      '0',
      '--throttle',
      '0.25',
      '--drop-puback',
      '0.1',
      '--fail-action=0.3',
    ]
    const rest = [
      '--conf',
      'package.json',
      '--host',
      '::1',
      '--data-dir',
      'd',
      '--retry-after',
      '0.2',
      '--seed',
      '7',
      '--verbose',
      '--json',
    ]
    expect(runOf(...ports, ...chances, ...rest)).toEqual({
      conf: 'package.json',
      host: '::1',
      mqttPort: 0,
      dynamodbPort: 1,
      dataPort: 65535,
      consolePort: 2,
      dynamodb: 'embedded',
      dataDir: 'd',
      misbehaviour: { duplicate: 0.5, reorder: 1, delay: 0, throttle: 0.25, failAction: 0.3, dropPuback: 0.1 },
      seed: 7,
      retryAfterMs: 200,
      verbose: true,
      json: true,
    })
  })
})

afterEach(async () => {
  await endClients()
  killPrograms()
})

const run = (...args: string[]) => startMqttDynamodb(['start', ...args])

async function ready({ child, out, err }: Run): Promise<{ mqtt: string; dynamodb: string; data: string; console: string; pid: number }> {
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve())
    child.once('exit', () => reject(new Error(`ended before it was ready: ${err()}`)))
  })
  return JSON.parse(out())
}

test.each(['SIGTERM', 'SIGINT'] as const)('says in one line where it listens, and ends on %s with status 0', async (signal) => {
  const local = run(...FREE, '--json')
  const urls = await ready(local)
  expect(local.out().split('\n')).toHaveLength(2)
  expect(urls).toEqual({
    mqtt: expect.stringMatching(/^mqtt:\/\/127\.0\.0\.1:\d+$/),
    dynamodb: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    data: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    console: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/),
    pid: local.child.pid,
  })
  const { client } = await connect(urls.mqtt, 'a')
  await client.publishAsync('t', 'x', { qos: 1 })
  expect(await (await fetch(`${urls.data}/local/health`)).json()).toEqual({ status: 'ok', mqtt: urls.mqtt, dynamodb: urls.dynamodb })
  expect(await (await fetch(`${urls.console}clients`)).text()).toContain('>a</a>')
  const asked = Date.now()
  local.child.kill(signal)
  expect(await local.status).toBe(0)
  expect(Date.now() - asked).toBeLessThan(3000)
  await expect(fetch(`${urls.dynamodb}/`)).rejects.toThrow()
})

test('goes on when nobody reads its output any more', async () => {
  const local = run(...FREE, '--json', '--verbose')
  const urls = await ready(local)
  local.child.stdout!.destroy()
  local.child.stderr!.destroy()
  const { client } = await connect(urls.mqtt, 'a')
  for (let i = 0; i < 20; i++) await client.publishAsync('t', 'x', { qos: 1 })
  expect((await fetch(`${urls.data}/local/health`)).status).toBe(200)
})

describe('refuses in one line with status 1', () => {
  const refusal = async (...args: string[]) => {
    const local = run(...args)
    expect(await local.status).toBe(1)
    expect(local.out()).toBe('')
    return local.err()
  }

  test('a port in use', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    try {
      const free = FREE.slice(2)
      expect(await refusal('--mqtt-port', `${port}`, ...free)).toBe(`MQTT cannot listen on port ${port}: the port is in use\n`)
    } finally {
      taken.close()
    }
  })

  test('a conf with errors, with file and line', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'conf-'))
    const conf = join(directory, 'bad.conf')
    writeFileSync(conf, '# one\nbackend.dynamo.hook.client.connected.1 = {"action": {"function": "on_nothing"}, "pool": "pool1"}\n')
    try {
      expect(await refusal(...FREE, '--conf', conf)).toMatch(/^[^\n]*bad\.conf:2: [^\n]*on_nothing[^\n]*\n/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
