/**
 * The smoke as whoever has credentials runs it: the real command, against the local stack's endpoints.
 *
 * @seconds 50
 */
import { ListRetainedMessagesCommand } from '@aws-sdk/client-iot-data-plane'
import { placesOf, signedWith } from '../../cli/smoke/places.ts'
import { flags, smokeOf } from '../../cli/smoke.ts'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { mqttDynamodb, read } from '../support/run-program.ts'
import { isSigned } from '../support/signed-url.ts'
import { type Bridge, webSocketBridge } from '../support/web-socket-bridge.ts'

/** As endpoints of this machine are asked: cli/dead-letters/sqs-client.ts. */
const LOCAL = { accessKeyId: 'local', secretAccessKey: 'local' }

const smoke = (...args: string[]) => mqttDynamodb('smoke', '--region', 'us-west-2', ...args)

describe('mqtt-dynamodb smoke', () => {
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

  it('--json: the report on stdout, what happens on stderr', async () => {
    const { status, out, err } = await smoke(...endpoints(backend.mqttUrl), '--json')
    expect({ status, report: JSON.parse(out) }).toEqual({
      status: 0,
      report: { held: 10, checked: 10, answers: expect.arrayContaining([{ question: expect.any(String), seen: expect.any(String) }]) },
    })
    expect(err).toMatch(/^== Presence/m)
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

describe('where things are', () => {
  const given = (...args: string[]) => smokeOf(read(flags(), '--region', 'us-west-2', ...args))
  const placed = async (...args: string[]) => {
    const { data, mqtt } = await placesOf(given(...args))
    return [data, mqtt]
  }
  it('the broker is the data endpoint: by the credentials alone a signed WebSocket, with a certificate TLS', async () => {
    expect(await placed('--data', 'a.example')).toEqual(['https://a.example', 'wss://a.example/mqtt'])
    expect(await placed('--data', 'a.example', '--cert', 'package.json', '--key', 'package.json')).toEqual([
      'https://a.example',
      'mqtts://a.example:8883',
    ])
    expect(await placed('--data', 'a.example', '--mqtt', 'wss://b.example/mqtt')).toEqual(['https://a.example', 'wss://b.example/mqtt'])
  })

  it('only a WebSocket is signed', async () => {
    const command = given('--data', 'a.example', '--mqtt', 'ws://127.0.0.1:1')
    expect(await signedWith(await placesOf(command))).toEqual({ transformWsUrl: expect.any(Function) })
    expect(await signedWith({ ...(await placesOf(command)), mqtt: 'mqtts://a.example:8883' })).toEqual({})
  })
})
