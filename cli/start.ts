/** `npm start`: the whole backend on a laptop. */
import { BackendError } from '../lambda/core/errors.ts'
import { type LocalStack, startLocalStack } from '../local/stack.ts'
import { HELP, type LocalCommand, parseCommand } from './start-flags.ts'

// Whoever read our output may go away; the backend stays.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

let stack: Promise<LocalStack> | undefined
let stopping = false
let askedAt = 0
/** One Ctrl-C comes twice: from the terminal, and from npm, which passes it on. */
const SAME_KEYSTROKE_MS = 300
const CLOSE_MS = 1_900

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop())

try {
  const command = parseCommand(process.argv.slice(2))
  if (command.help) process.stdout.write(HELP)
  else await run(command)
} catch (error) {
  if (!stopping) fail(error)
}

async function run(command: LocalCommand): Promise<void> {
  const log = (level: 'info' | 'warn', line: string) => {
    if (level === 'warn' || command.verbose) process.stderr.write(`${line}\n`)
  }
  stack = startLocalStack({ ...command, log })
  const running = await stack
  if (!stopping) process.stdout.write(command.json ? readyJson(running) : readyText(running))
}

function readyJson({ mqttUrl, dynamodbUrl, dataUrl }: LocalStack): string {
  return `${JSON.stringify({ mqtt: mqttUrl, dynamodb: dynamodbUrl, data: dataUrl, pid: process.pid })}\n`
}

function readyText({ mqttUrl, dynamodbUrl, dataUrl, engine }: LocalStack): string {
  const { hostname, port } = new URL(mqttUrl)
  return `MQTT        ${mqttUrl}
DynamoDB    ${dynamodbUrl} (${engine})
Data plane  ${dataUrl}

Try, in another terminal:
  mosquitto_pub -h ${hostname} -p ${port} -i sensor-1 -q 1 -t t/1 -m hello
  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws dynamodb scan --table-name mqtt_msg --region us-west-2 --endpoint-url ${dynamodbUrl}
  mosquitto_sub -h ${hostname} -p ${port} -i reader-1 -q 1 -t t/1
  curl ${dataUrl}/local/queues
  npm run redrive -- --endpoint ${dataUrl}

Ctrl-C ends it.
`
}

/** The second signal does not wait. */
async function stop(): Promise<void> {
  if (stopping && performance.now() - askedAt > SAME_KEYSTROKE_MS) process.exit(1)
  if (stopping) return
  stopping = true
  askedAt = performance.now()
  // Also a start that hangs, or a file system that does, ends within two seconds; only an end in time is a clean one.
  setTimeout(() => process.exit(1), CLOSE_MS)
  const running = await stack?.catch(() => undefined)
  await running?.close()
  process.exit(0)
}

function fail(error: unknown): void {
  // What the reader did wrong is said in a line; anything else is ours and keeps its stack.
  const text = error instanceof BackendError ? error.message : (error as Error).stack
  process.stderr.write(`${text}\n`, () => process.exit(1))
}
