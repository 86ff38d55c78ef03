/** The installed command line runs the backend: a message that is published becomes a row. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import mqtt from 'mqtt'
import { strangersEnvironment } from './tarball.ts'

const READY_MS = 90_000
const ROW_MS = 20_000

interface Addresses {
  readonly mqtt: string
  readonly dynamodb: string
}

interface Ready extends Addresses {
  readonly pid: number
}

/**
 * @param command what starts it, such as `npx mqtt-dynamodb start`
 * @returns milliseconds until it was ready
 * @throws Error with what it said, if it does not start, store or end
 */
export async function tryStart(folder: string, command: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  const [program, ...args] = command
  const ports = ['--mqtt-port', '--dynamodb-port', '--data-port', '--console-port'].flatMap((flag) => [flag, '0'])
  const began = Date.now()
  const child = spawn(program!, [...args, '--json', ...ports], { cwd: folder, env: { ...strangersEnvironment(), ...environment } })
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const failed = (what: string): Error => new Error(`${command.join(' ')} ${what}: ${said}`)
  try {
    const line = await Promise.race([firstLine(child.stdout), ended.then(() => undefined), sleep(READY_MS, undefined, { ref: false })])
    if (line === undefined) throw failed('was not ready')
    const ready = Date.now() - began
    const { pid, ...addresses } = JSON.parse(line) as Ready
    if (!(await stores(addresses))) throw failed('stored nothing')
    // Not what started it: npx does not hand on the signal.
    process.kill(pid, 'SIGTERM')
    const status = await ended
    if (status !== 0) throw failed(`ended with status ${status}`)
    return ready
  } finally {
    child.kill('SIGKILL')
  }
}

const firstLine = (stream: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve) => createInterface({ input: stream }).once('line', resolve))

/** Publishes, and waits for the message's row. */
async function stores(addresses: Addresses): Promise<boolean> {
  const client = await mqtt.connectAsync(addresses.mqtt, { clientId: 'stranger', reconnectPeriod: 0 })
  const dynamodb = new DynamoDBClient({
    endpoint: addresses.dynamodb,
    region: 'us-west-2',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  })
  try {
    await client.publishAsync('a/b', 'hello', { qos: 1 })
    const until = Date.now() + ROW_MS
    while (Date.now() < until) {
      const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: 'mqtt_msg' }))
      if (Items.length > 0) return Items[0]!.payload?.S === 'hello'
      await sleep(100)
    }
    return false
  } finally {
    await client.endAsync()
    dynamodb.destroy()
  }
}
