/** Runs the operators' commands on large tables, each as a process of its own, and holds them to their bounds. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { startLocalStack } from '../../local/stack.ts'
import { ended, startMqttDynamodb } from '../support/run-program.ts'
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts'
import { DEEP, fillsOf, publishedAt, sizesAt, write } from './fill-tables.ts'

const MEMORY = 300 * 1024 ** 2

interface Bounds {
  readonly args: readonly string[]
  /** Absent: it reads a whole table. */
  readonly requests?: number
  /** What stands first on stderr. */
  readonly says?: RegExp
  /** What stands in its output. */
  readonly shows?: string
}

export interface Measured {
  readonly command: string
  readonly requests: number
  /** Bytes. */
  readonly memory: number
  readonly seconds: number
  /** Bounds that it did not keep. */
  readonly faults: readonly string[]
}

/** @param tell a line for people @returns how many rows were written, and what each command took */
export async function measureAt(scale: number, tell: (line: string) => void, told: (phase: string, done: number, of: number) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'million-'))
  const stack = await startLocalStack()
  const proxy = await startCountingProxy(stack.dynamodbUrl)
  try {
    const began = Date.now()
    const rows = await fill(stack.dynamodbUrl, scale, told)
    tell(`${rows.toLocaleString('en')} rows in ${Math.round((Date.now() - began) / 1_000)} s`)
    const measured: Measured[] = []
    for (const bounds of boundsAt(scale)) {
      const one = await measure(bounds, { proxy, dataUrl: stack.dataUrl, directory })
      tell(textOf(one))
      measured.push(one)
    }
    return { rows, measured }
  } finally {
    await proxy.close()
    await stack.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function fill(endpoint: string, scale: number, told: (phase: string, done: number, of: number) => void): Promise<number> {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const client = new DynamoDBClient({ endpoint, region: 'us-west-2', credentials })
  const { messages } = sizesAt(scale)
  const around = (n: number) => Array.from({ length: 60 }, (_, i) => Math.max(0, n - 30) + i).filter((one) => one <= messages)
  const fills = fillsOf(sizesAt(scale), [...new Set([...around(0), ...around(Math.round(messages / 3)), ...around(messages)])])
  for (const one of fills) await write(client, one, (done) => told(one.table, done, one.count))
  client.destroy()
  return fills.reduce((sum, { count }) => sum + count, 0)
}

function boundsAt(scale: number): Bounds[] {
  const { clients, topics, messages } = sizesAt(scale)
  const third = Math.round(messages / 3)
  const second = (n: number) => new Date(publishedAt(n)).toISOString()
  return [
    { args: ['clients', 'show', `device-${clients - 1}`], requests: 6, shows: `device/${clients - 1}/#` },
    { args: ['queues', 'show', DEEP], requests: 6, shows: `about ` },
    { args: ['queues', 'show', `t/${topics - 1}`], requests: 6, shows: 'waiting' },
    { args: ['messages', 'list', DEEP, '-n', '20'], requests: 6, shows: second(messages - 10).slice(0, 19) },
    { args: ['messages', 'list', DEEP, '-n', '20', '--from', second(third)], requests: 25, shows: second(third).slice(0, 19) },
    { args: ['messages', 'list', DEEP, '-n', '20', '--to', second(third)], requests: 25, shows: second(third).slice(0, 19) },
    { args: ['clients', 'list', '--limit', '50'], requests: 1, shows: 'device-' },
    { args: ['queues', 'list', '--top', '20', '--rate', '10000'], says: /^reads all of mqtt_topic_msg_map: about \d+ rows/, shows: DEEP },
    { args: ['status'], requests: 6, shows: 'mqtt_client' },
  ]
}

interface Place {
  readonly proxy: CountingProxy
  readonly dataUrl: string
  readonly directory: string
}

async function measure({ args, requests: most, says, shows }: Bounds, { proxy, dataUrl, directory }: Place): Promise<Measured> {
  const memoryFile = join(directory, 'memory')
  const tellMemory = `--import=${pathToFileURL(join(import.meta.dirname, 'tell-memory.mjs'))}`
  const began = Date.now()
  proxy.taken()
  const program = startMqttDynamodb([...args, '--dynamodb', proxy.url, '--endpoint', dataUrl], {
    NODE_OPTIONS: tellMemory,
    TELL_MEMORY: memoryFile,
  })
  const { status, out, err } = await ended(program)
  const seconds = (Date.now() - began) / 1_000
  const memory = Number(readFileSync(memoryFile, 'utf8')) * 1_024
  const requests = proxy.taken().length
  const faults = [
    ...(status === 0 ? [] : [`exit status ${status}: ${err.trim()}`]),
    ...(most !== undefined && (requests > most || requests === 0) ? [`${requests} requests, wanted at most ${most}`] : []),
    ...(says !== undefined && !says.test(err) ? [`says first ${JSON.stringify(err.slice(0, 100))}, wanted ${says}`] : []),
    ...(shows !== undefined && !out.includes(shows) ? [`does not show ${shows}: ${JSON.stringify(out.slice(0, 300))}`] : []),
    ...(memory > MEMORY ? [`more than ${megabytes(MEMORY)} MB`] : []),
  ]
  return { command: args.join(' '), requests, memory, seconds, faults }
}

const megabytes = (bytes: number): number => Math.round(bytes / 1024 ** 2)

const textOf = ({ command, requests, memory, seconds, faults }: Measured): string =>
  `${command}: ${requests} requests, ${megabytes(memory)} MB, ${seconds.toFixed(1)} s${faults.map((fault) => `\n  WRONG ${fault}`).join('')}`
