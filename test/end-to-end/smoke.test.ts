/** The smoke as whoever has credentials runs it: the real command, against the local stack's endpoints. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ListRetainedMessagesCommand } from '@aws-sdk/client-iot-data-plane'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { parseCommand } from '../../smoke/command-line.ts'
import { type Backend, startBackend } from './backend.ts'

const ROOT = join(import.meta.dirname, '..', '..')

function smoke(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/smoke.ts', '--region', 'us-west-2', ...args], { cwd: ROOT })
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
  beforeAll(async () => {
    backend = await startBackend()
  })
  afterAll(() => backend.close())
  const endpoints = () => [
    '--mqtt',
    backend.mqttUrl,
    '--data',
    backend.dataUrl,
    '--dynamodb',
    backend.dynamodbUrl,
    '--sqs',
    backend.dataUrl,
  ]

  it('walks the demo, answers what it can, and leaves nothing behind', async () => {
    const { status, out, err } = await smoke(...endpoints())
    expect({ status, err, failed: /FAILED.*/.exec(out)?.[0], said: out.trim().split('\n').at(-1) }).toEqual({
      status: 0,
      err: '',
      failed: undefined,
      said: '10 of 10 checks held',
    })
    expect(out).toContain('no row of mqtt_sub came back; 0 subscribed events; the same session')
    expect(out).toMatch(/rows: \$share\/g\/smoke\/\w+\/shared; events: \$share/)
    await backend.idle()
    for (const table of TABLE_NAMES) expect([table, await backend.rows(table)]).toEqual([table, []])
    expect((await backend.data.send(new ListRetainedMessagesCommand({}))).retainedTopics).toEqual([])
  }, 60_000)

  it('says in one line which table is not there', async () => {
    const { status, err } = await smoke(...endpoints(), '--prefix', 'none_')
    expect(status).toBe(1)
    expect(err).toMatch(/^smoke: DynamoDB \(none_mqtt_client\) refused: ResourceNotFoundException.*\n$/)
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
it.each([
  [[], '--region is missing, wanted the region of the stack'],
  [REGION, "--data is missing, wanted the account's IoT data endpoint (output DataEndpointAddress)"],
  [[...REGION, '--data', 'no host'], '--data is "no host", wanted a host name or an http(s) URL without a path'],
  [[...REGION, '--data', 'a.example'], '--cert is missing, wanted the certificate of a device (or --mqtt)'],
  [[...REGION, '--data', 'a.example', '--cert', 'c'], '--key is missing, wanted the private key of --cert'],
  [[...REGION, '--data', 'a.example', '--mqtt', 'http://h'], '--mqtt is "http://h", wanted a URL of mqtt:// or mqtts:// without a path'],
  [[...REGION, '--patience', '0'], '--patience is "0", wanted whole seconds from 1 to 600'],
])('refuses %j', (args, said) => {
  expect(refused(...args)).toBe(said)
})
