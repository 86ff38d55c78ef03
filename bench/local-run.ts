/** `npm start` as its own processes, measured from outside as a user would. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'

const ROOT = join(import.meta.dirname, '..')

export interface LocalRun {
  readonly mqtt: string
  readonly dynamodb: string
  readonly data: string
  /** Milliseconds from the command to the line that says it is ready. */
  readonly readyAfter: number
  readonly client: DynamoDBClient
  /** Megabytes of resident memory of the run and all its children; undefined where there is no /proc. */
  memory(): number | undefined
  stop(): Promise<void>
}

export async function localRun(...flags: string[]): Promise<LocalRun> {
  const started = performance.now()
  const ports = ['--mqtt-port', '0', '--dynamodb-port', '0', '--data-port', '0', '--console-port', '0']
  const child = spawn('npm', ['start', '--silent', '--', '--json', ...ports, ...flags], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const exited = once(child, 'exit')
  const line = await Promise.race([firstLine(child), exited.then(() => undefined)])
  if (line === undefined) throw new Error('npm start ended before it was ready')
  const readyAfter = performance.now() - started
  const { mqtt, dynamodb, data } = JSON.parse(line) as Record<'mqtt' | 'dynamodb' | 'data', string>
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new DynamoDBClient({ endpoint: dynamodb, region: 'us-west-2', credentials })
  return {
    mqtt,
    dynamodb,
    data,
    readyAfter,
    client,
    memory: () => residentMegabytes(child.pid!),
    async stop() {
      client.destroy()
      process.kill(-child.pid!, 'SIGINT')
      await exited
    },
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line
  return new Promise(() => {})
}

function residentMegabytes(root: number): number | undefined {
  try {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    const parent = new Map(processes.map((pid) => [Number(pid), parentOf(pid)]))
    const isOurs = (pid: number | undefined): boolean => pid === root || (pid !== undefined && pid > 1 && isOurs(parent.get(pid)))
    const kilobytes = [...parent.keys()].filter(isOurs).map((pid) => Number(/VmRSS:\s+(\d+)/.exec(status(`${pid}`))?.[1] ?? 0))
    return kilobytes.reduce((sum, one) => sum + one, 0) / 1024
  } catch {
    return undefined
  }
}

function status(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

const parentOf = (pid: string): number | undefined => {
  const found = /PPid:\s+(\d+)/.exec(status(pid))?.[1]
  return found === undefined ? undefined : Number(found)
}
