/** `npm run redrive`: dead letters and rule errors come back, on AWS and in the local run alike. */
import { readFileSync } from 'node:fs'
import { BackendError } from '../lambda/core/errors.ts'
import { DEFAULT_CONF, readConf } from '../lib/conf/conf-file.ts'
import { type BackendQueues, queuesInOutputs, queuesListed } from './dead-letters/backend-queues.ts'
import type { PassReport, Progress } from './dead-letters/pass.ts'
import { redrive } from './dead-letters/redrive.ts'
import { DEFAULT_STACK, HELP, parseCommand, type RedriveCommand } from './dead-letters/redrive-flags.ts'
import { asJson, asText, failuresIn, isComplete, isWorthTelling, type QueueReport, type Report } from './dead-letters/redrive-report.ts'
import { refusalOf, sqsClient, type Where } from './dead-letters/sqs-client.ts'
import { queueUrls } from './dead-letters/sqs-queue.ts'

// Seven lines of the SDK on Node 20, before every answer of one line.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

const PROGRESS_EVERY_MS = 2_000

let stopping = false
/** Ctrl-C ends it after the letters in hand, a second one at once. */
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (stopping) process.exit(1)
    stopping = true
  })

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let command: RedriveCommand
  try {
    command = parseCommand(args)
  } catch (error) {
    return complain(`${(error as Error).message} (see --help)`, 2)
  }
  if (!command.help) return await run(command)
  process.stdout.write(HELP)
  return 0
}

async function run(command: RedriveCommand): Promise<number> {
  let where: Where = command
  try {
    const outputs = command.outputs === undefined ? undefined : queuesInOutputs(read(command.outputs), command.stack)
    where = { endpoint: command.endpoint, region: command.region ?? (outputs && regionOf(outputs)) ?? confRegion() }
    return await redriveThere(command, where, outputs)
  } catch (error) {
    return complain(refusalOf(error, where) ?? ours(error), 1)
  }
}

async function redriveThere(command: RedriveCommand, where: Where, outputs: BackendQueues | undefined): Promise<number> {
  const { stack = DEFAULT_STACK, hooks, dryRun } = command
  const client = sqsClient(where)
  try {
    const queues = outputs ?? (await listed(() => queueUrls(client, `${stack}-`), stack, where))
    const passes = await redrive(client, queues, { hooks, dryRun, onProgress: progress(), stopped: () => stopping })
    return tell({ dryRun, stopped: stopping, queues: passes.map((pass) => told(pass, where)) }, command)
  } finally {
    client.destroy()
  }
}

function told({ failure, ...pass }: PassReport, where: Where): QueueReport {
  return failure === undefined ? pass : { ...pass, failed: refusalOf(failure, where) ?? ours(failure) }
}

function tell(report: Report, { json }: RedriveCommand): number {
  if (json) process.stdout.write(asJson(report))
  else if (isWorthTelling(report)) process.stdout.write(asText(report))
  for (const failure of failuresIn(report)) complain(failure, 1)
  return isComplete(report) ? 0 : 1
}

async function listed(urls: () => Promise<string[]>, stack: string, { endpoint, region }: Where): Promise<BackendQueues> {
  const found = await urls()
  try {
    return queuesListed(found, stack)
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    throw new BackendError(
      error.code,
      `${error.message} at ${endpoint ?? region ?? 'its region'}: wanted another --stack, --region or --outputs`,
    )
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new BackendError(
      'outputs',
      `--outputs is ${JSON.stringify(file)}, which cannot be read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

/** `https://sqs.us-west-2.amazonaws.com/...`; the SDK would warn of a queue elsewhere than its client. */
function regionOf({ hooks }: BackendQueues): string | undefined {
  const [first] = hooks.values()
  return /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\./.exec(first!.events)?.[1]
}

/** Where cdk deploy has put the stack. A conf that cannot be read has no region: then the AWS profile's is asked for. */
function confRegion(): string | undefined {
  try {
    return readConf(DEFAULT_CONF).table.region
  } catch {
    return undefined
  }
}

/** A line for each queue that takes long. */
function progress(): (progress: Progress) => void {
  const said = new Map<string, number>()
  const began = Date.now()
  return ({ name, redriven, stays, all }) => {
    if (Date.now() - (said.get(name) ?? began) < PROGRESS_EVERY_MS) return
    said.set(name, Date.now())
    process.stderr.write(`${name}: ${redriven + stays} of about ${all}\n`)
  }
}

/** What is not the reader's or AWS's fault keeps its stack. */
const ours = (error: unknown): string => `${(error as Error).stack}`

function complain(message: string, exitCode: number): number {
  process.stderr.write(`redrive: ${message}\n`)
  return exitCode
}
