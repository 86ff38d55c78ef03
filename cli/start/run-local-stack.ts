/** Runs the local stack and its console in this process, until a signal ends it. */
import { writeSync } from 'node:fs'
import { BackendError } from '../../lambda/core/errors.ts'
import { isLoopback } from '../../local/address.ts'
import { type LocalStack, type LocalStackOptions, startLocalStack } from '../../local/stack.ts'
import { openConsole } from '../console/open-console.ts'

export interface LocalRun extends LocalStackOptions {
  readonly consolePort: number
  readonly json: boolean
  readonly verbose: boolean
}

/** One Ctrl-C comes twice: the terminal sends it, and npm sends it again. */
const SAME_KEYSTROKE_MS = 300
const CLOSE_MS = 1_900

/** Resolves when the stack runs. @returns the exit status if the process ends by itself; normally a signal ends it */
export async function runLocalStack(run: LocalRun): Promise<number> {
  // Only the owner may read the files that the run writes, LevelDB's included.
  process.umask(0o077)
  // The reader of our output may close the pipe; the backend goes on.
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)
  const log = (level: 'info' | 'warn', line: string) => {
    if (level === 'warn' || run.verbose) process.stderr.write(`${line}\n`)
  }
  const stack = startLocalStack({ ...run, log, onUnwritable: endAtOnce })
  const ending = endOnSignal(stack)
  try {
    const running = await stack
    const console = await openConsoleOf(run, running)
    if (!ending.began) process.stdout.write(run.json ? readyJson(running, console.url) : readyText(running, console.url))
    return 0
  } catch (error) {
    // A signal during the start makes the start fail: that is no error.
    if (!ending.began) await fail(error)
    return 1
  }
}

/** The console listens on this machine alone, wherever the run listens. It may write: every program here may write to the run anyway. */
async function openConsoleOf({ host = '127.0.0.1', consolePort }: LocalRun, { mqttUrl, dynamodbUrl, dataUrl }: LocalStack) {
  const place = { mqttUrl, dynamodbUrl, dataUrl }
  const options = { host: isLoopback(host) ? host : '127.0.0.1', write: true, place }
  try {
    return await openConsole({ ...options, port: consolePort })
  } catch {
    // Another port does as well: the address is printed with its token in any case.
    return await openConsole({ ...options, port: 0 })
  }
}

function readyJson({ mqttUrl, dynamodbUrl, dataUrl }: LocalStack, console: string): string {
  return `${JSON.stringify({ mqtt: mqttUrl, dynamodb: dynamodbUrl, data: dataUrl, console, pid: process.pid })}\n`
}

function readyText({ mqttUrl, dynamodbUrl, dataUrl, engine }: LocalStack, console: string): string {
  const { hostname, port } = new URL(mqttUrl)
  const host = hostname.replace(/^\[|\]$/g, '')
  return `MQTT        ${mqttUrl}
DynamoDB    ${dynamodbUrl} (${engine})
Data plane  ${dataUrl}
Console     ${console}

Try, in another terminal:
  mosquitto_pub -h ${host} -p ${port} -i sensor-1 -q 1 -t t/1 -m hello
  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws dynamodb scan --table-name mqtt_msg --region us-west-2 --endpoint-url ${dynamodbUrl}
  mosquitto_sub -h ${host} -p ${port} -i reader-1 -q 1 -t t/1
  curl ${dataUrl}/local/queues
  npx mqtt-dynamodb dead-letters list --endpoint ${dataUrl}

Ctrl-C ends it.
`
}

/** The first signal ends the stack, a second one does not wait. */
function endOnSignal(stack: Promise<LocalStack>): { readonly began: boolean } {
  let askedAt: number | undefined
  async function end(): Promise<void> {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt > SAME_KEYSTROKE_MS) process.exit(1)
      return
    }
    askedAt = performance.now()
    // Where the start or the file system hangs, the process ends after this time all the same, with status 1.
    setTimeout(() => process.exit(1), CLOSE_MS)
    const running = await stack.catch(() => undefined)
    await running?.close()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())
  return {
    get began() {
      return askedAt !== undefined
    },
  }
}

/** What cannot be written is not acknowledged. What was acknowledged before is in the data directory, so the next start has it. */
function endAtOnce({ message }: BackendError): never {
  writeSync(process.stderr.fd, `${message}: the run ends\n`)
  process.exit(1)
}

/** Prints the error and ends the process, also if a part of the stack still runs. */
function fail(error: unknown): Promise<never> {
  // An error of our own code keeps its stack. The errors of a conf are a line each, with file and line number in front.
  const text = error instanceof BackendError ? error.message : (error as Error).stack
  const status = error instanceof BackendError && error.code === 'usage' ? 2 : 1
  return new Promise(() => process.stderr.write(`${text}\n`, () => process.exit(status)))
}
