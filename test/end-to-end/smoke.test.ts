/** The smoke as whoever has credentials runs it: the real command, against the local stack's endpoints. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ListRetainedMessagesCommand } from '@aws-sdk/client-iot-data-plane'
import { placesOf, signedWith } from '../../cli/smoke/places.ts'
import { parseCommand, type SmokeCommand } from '../../cli/smoke/smoke-flags.ts'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { isSigned } from '../support/reference-signer.ts'
import { type Bridge, webSocketBridge } from '../support/web-socket-bridge.ts'
import { type Backend, startBackend } from './backend.ts'

/** As endpoints of this machine are asked: cli/dead-letters/sqs-client.ts. */
const LOCAL = { accessKeyId: 'local', secretAccessKey: 'local' }
const ROOT = join(import.meta.dirname, '..', '..')

function smoke(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cli/smoke.ts', '--region', 'us-west-2', ...args], { cwd: ROOT })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, out, err })))
}

describe('npm run smoke', () => {
  let backend: Backend
  let bridge: Bridge
  beforeAll(async () => {
    backend = await startBackend({ context: { probe: true } })
    bridge = await webSocketBridge(backend.mqttUrl, (path, host) => isSigned(path, host, LOCAL, 'us-west-2'))
  })
  afterAll(async () => {
    await bridge.close()
    await backend.close()
  })
  const endpoints = (mqtt = bridge.url) => [
    '--mqtt',
    mqtt,
    '--data',
    backend.dataUrl,
    '--dynamodb',
    backend.dynamodbUrl,
    '--sqs',
    backend.dataUrl,
  ]

  it('walks the demo on signed WebSockets, answers what it can, and leaves nothing behind', async () => {
    const { status, out, err } = await smoke(...endpoints())
    expect({ status, err, failed: /FAILED.*/.exec(out)?.[0], said: out.trim().split('\n').at(-1) }).toEqual({
      status: 0,
      err: '',
      failed: undefined,
      said: '10 of 10 checks held',
    })
    expect(out).toContain('no row of mqtt_sub came back; 0 subscribed events; the same session')
    expect(out).toMatch(/rows: \$share\/g\/smoke\/\w+\/shared; events: \$share/)
    expect(bridge.counts).toMatchObject({ refused: 0, accepted: expect.any(Number) })
    expect(bridge.counts.accepted).toBeGreaterThan(10)
    expect(out).toMatch(/FROM '#' match \$aws\/...\?\n {2}yes: \d+ connected events came/)
    expect(out).toMatch(/encode\(\) make of an empty payload\?\n {2}""/)
    expect(out).toMatch(/cloudwatchTraceId the same\?\n {2}traceid\(\) "[0-9a-f-]{36}"; no rule error came/)
    await backend.idle()
    for (const table of TABLE_NAMES) expect([table, await backend.rows(table)]).toEqual([table, []])
    expect((await backend.data.send(new ListRetainedMessagesCommand({}))).retainedTopics).toEqual([])
  }, 60_000)

  it('says in one line which table is not there', async () => {
    const { status, err } = await smoke(...endpoints(backend.mqttUrl), '--prefix', 'none_')
    expect(status).toBe(1)
    expect(err).toMatch(/^smoke: DynamoDB \(none_mqtt_client\) refused: ResourceNotFoundException.*\n$/)
  }, 60_000)

  it('says in one line that it may not connect', async () => {
    const closed = await webSocketBridge(backend.mqttUrl, async () => false)
    const { status, err } = await smoke(...endpoints(closed.url))
    await closed.close()
    expect(status).toBe(1)
    expect(err).toMatch(/^smoke: MQTT at ws:\/\/127[^ ]*: smoke-\w+-reach cannot connect \(.*iot:Connect on client\/smoke-\*\?\)\n$/)
  }, 60_000)
})

const refused = (...args: string[]) => {
  try {
    return parseCommand(args)
  } catch (error) {
    return (error as Error).message
  }
}
const REGION = ['--region', 'us-west-2']
const MQTT_WANTED = 'a URL of mqtt:// or mqtts:// without a path, or of ws:// or wss:// with /mqtt'
it.each([
  [[], '--region is missing, wanted the region of the stack'],
  [[...REGION, '--data', 'no host'], '--data is "no host", wanted a host name or an http(s) URL without a path'],
  [[...REGION, '--iot', 'iot.example'], '--iot is "iot.example", wanted a URL of http:// or https:// without a path'],
  [[...REGION, '--key', 'k'], '--cert is missing, wanted the certificate of --key'],
  [[...REGION, '--data', 'a.example', '--cert', 'c'], '--key is missing, wanted the private key of --cert'],
  [[...REGION, '--mqtt', 'http://h'], `--mqtt is "http://h", wanted ${MQTT_WANTED}`],
  [[...REGION, '--mqtt', 'wss://h/other'], `--mqtt is "wss://h/other", wanted ${MQTT_WANTED}`],
  [[...REGION, '--patience', '0'], '--patience is "0", wanted whole seconds from 1 to 600'],
])('refuses %j', (args, said) => {
  expect(refused(...args)).toBe(said)
})

describe('where things are', () => {
  const placed = async (...args: string[]) => {
    const { data, mqtt } = await placesOf(parseCommand([...REGION, ...args]) as SmokeCommand)
    return [data, mqtt]
  }
  it('the broker is the data endpoint: by the credentials alone a signed WebSocket, with a certificate TLS', async () => {
    expect(await placed('--data', 'a.example')).toEqual(['https://a.example', 'wss://a.example/mqtt'])
    expect(await placed('--data', 'a.example', '--cert', 'c', '--key', 'k')).toEqual(['https://a.example', 'mqtts://a.example:8883'])
    expect(await placed('--data', 'a.example', '--mqtt', 'wss://b.example/mqtt')).toEqual(['https://a.example', 'wss://b.example/mqtt'])
  })

  it('only a WebSocket is signed', async () => {
    const command = parseCommand([...REGION, '--data', 'a.example', '--mqtt', 'ws://127.0.0.1:1']) as SmokeCommand
    expect(await signedWith(await placesOf(command))).toEqual({ transformWsUrl: expect.any(Function) })
    expect(await signedWith({ ...(await placesOf(command)), mqtt: 'mqtts://a.example:8883' })).toEqual({})
  })
})
