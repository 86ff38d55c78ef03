/** The whole backend in this process: IoT Core, DynamoDB, and the handlers as the synthesized template connects them. */
import { join, resolve } from 'node:path'
import { BackendError } from '../lambda/core/errors.ts'
import { DEFAULT_CONF, readConf } from '../lib/conf/conf-file.ts'
import { hostnameOf, isLoopback } from './address.ts'
import { startDataPlane } from './data-plane/data-plane.ts'
import { DataPlaneOperations } from './data-plane/data-plane-operations.ts'
import { LocalOperations, type RunConf } from './data-plane/local-operations.ts'
import type { DynamoDbEngine } from './dynamodb/engine.ts'
import { type EngineOptions, startEngine } from './dynamodb/start-engine.ts'
import { connectFunctions, type Log } from './functions/function-connections.ts'
import type { LocalFunction } from './functions/local-function.ts'
import { FunctionMetrics } from './functions/metrics.ts'
import { type Misbehaviour, type Misbehaviours, misbehave, WELL_BEHAVED } from './misbehaviour.ts'
import { Backlog } from './mqtt/backlog.ts'
import { Broker } from './mqtt/broker.ts'
import { inOneLine } from './printable.ts'
import { Rules } from './rules/rules.ts'
import type { HeldMessage } from './sqs/queue-message.ts'
import { SqsOperations } from './sqs/sqs-operations.ts'
import { connectQueues } from './sqs/template-queues.ts'
import { makeDataDirectory } from './state/data-directory.ts'
import { type Journal, openJournal } from './state/journal.ts'
import type { Assembly } from './template/assembly.ts'
import { assemblyFor } from './template/kept-assembly.ts'
import { createTables } from './template/table-creation.ts'
import { readTemplate } from './template/template.ts'

export interface LocalStackOptions {
  /** Default: the app's own. */
  readonly conf?: string
  /** More options of the app, as `cdk synth -c` takes them. */
  readonly context?: Readonly<Record<string, unknown>>
  /** Directory of a cloud assembly. Default: one is synthesized. */
  readonly assembly?: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Ports; default 0, any free one. */
  readonly mqttPort?: number
  readonly dynamodbPort?: number
  readonly dataPort?: number
  /** Or the URL of one that runs. Default embedded. */
  readonly dynamodb?: string
  /** Directory that keeps tables, retained messages and unhandled events from run to run. Default: memory only. */
  readonly dataDir?: string
  /** Told that the data directory takes no more, before anything else happens. What the run accepts from then on is lost. */
  readonly onUnwritable?: (error: BackendError) => void
  readonly misbehaviour?: Partial<Misbehaviours>
  readonly seed?: number
  /** How long a failed event stays invisible. Default 1,000 ms: the template's visibility timeout is for the cloud. */
  readonly retryAfterMs?: number
  /** Publishes wait while so many events are queued. Default 1,000. */
  readonly backlog?: number
  /** Default: warnings to stderr. */
  readonly log?: Log
}

export interface LocalStack {
  readonly mqttUrl: string
  readonly dynamodbUrl: string
  readonly dataUrl: string
  readonly engine: DynamoDbEngine['name']
  readonly functions: readonly LocalFunction[]
  /** Resolves once no queue holds an event, waiting or in flight. */
  idle(): Promise<void>
  /** Queue name -> its dead letters; queues without any are not there. */
  deadLetters(): Readonly<Record<string, readonly HeldMessage[]>>
  /** Ends everything within two seconds. Events that are not handled by then stay in the data directory. */
  close(): Promise<void>
}

const ROOT = join(import.meta.dirname, '..')
const DEFAULT_BACKLOG = 1000
/** Time for functions to handle the last disconnected events. */
const DRAIN_MS = 500

/** @throws BackendError with one line (the conf's errors: one each) that says what is wrong; then nothing is left running. */
export async function startLocalStack(options: LocalStackOptions = {}): Promise<LocalStack> {
  const closers: (() => unknown)[] = []
  const close = once(async () => {
    for (const closer of closers.reverse()) await closer()
  })
  try {
    return await start(options, (closer) => closers.push(closer), close)
  } catch (error) {
    await close()
    throw error
  }
}

type OnClose = (closer: () => unknown) => void

async function start(options: LocalStackOptions, onClose: OnClose, close: () => Promise<void>): Promise<LocalStack> {
  const { host = '127.0.0.1', seed = 1 } = options
  const log = inOneLine(options.log ?? warnOnly)
  const warn = (text: string) => log('warn', text)
  const misbehaviours = { ...WELL_BEHAVED, ...options.misbehaviour }
  const misbehaviour = misbehave(misbehaviours, seed)
  checkHost(host, warn)
  const throttled = new Int32Array(new SharedArrayBuffer(4))
  if (options.dataDir !== undefined) await makeDataDirectory(options.dataDir)
  const [assembly, engine] = await settleBoth(
    assemble(options, warn, onClose),
    openEngine(options, { host, warn, throttle: { rate: misbehaviours.throttle, seed, count: throttled } }, onClose),
  )
  const template = readTemplate(assembly)
  const backlog = new Backlog(options.backlog ?? DEFAULT_BACKLOG)
  const journal = options.dataDir === undefined ? undefined : openJournal(options.dataDir, options.onUnwritable)
  onClose(() => journal?.close())
  const queues = connectQueues(template, { backlog, retryAfterMs: options.retryAfterMs ?? 1000, journal, warn })
  onClose(() => queues.all.forEach((queue) => void queue.close()))
  const rules = new Rules(queues.rules, { misbehaviour, warn })
  await createTables(engine.url, template.tables)

  const broker = await startBroker(options, { host, backlog, misbehaviour, rules, warn, journal })
  onClose(() => broker.close())
  const functions: LocalFunction[] = []
  const misbehaved = () => ({ ...misbehaviour.counts, throttle: Atomics.load(throttled, 0) })
  const metrics = new FunctionMetrics()
  const conf = confOf(options)
  const local = new LocalOperations({ broker, dynamodbUrl: engine.url, queues, functions: () => functions, metrics, misbehaved, conf })
  const iot = new DataPlaneOperations(broker)
  const dataPlane = await listening('data plane', options.dataPort, () =>
    startDataPlane({ host, port: options.dataPort ?? 0, iot, local, sqs: new SqsOperations(queues.all), warn }),
  )
  onClose(() => dataPlane.close())

  functions.push(
    ...connectFunctions(template, { queues: queues.hooks, dataUrl: dataPlane.url, dynamodbUrl: engine.url, log, metrics, onClose }),
  )
  const empty = () => queues.hooks.every(({ depth }) => depth === 0)
  const idle = () => until(empty)
  onClose(async () => {
    await broker.close()
    const deadline = Date.now() + DRAIN_MS
    await until(() => empty() || Date.now() > deadline)
  })
  const deadLetters = () =>
    Object.fromEntries(queues.hooks.filter((queue) => queue.deadLetters.length > 0).map((queue) => [queue.name, queue.deadLetters]))
  return { mqttUrl: broker.url, dynamodbUrl: engine.url, dataUrl: dataPlane.url, engine: engine.name, functions, idle, deadLetters, close }
}

/** @throws BackendError `host` */
function checkHost(host: string, warn: (text: string) => void): void {
  if (isLoopback(host)) return
  warn(
    `listens on ${hostnameOf(host)}: whoever reaches this address may read, publish and delete everything; nobody is asked for credentials`,
  )
}

async function assemble(options: LocalStackOptions, warn: (text: string) => void, onClose: OnClose): Promise<string> {
  if (options.assembly !== undefined) return options.assembly
  const { conf, context } = options
  const assembly: Assembly = await assemblyFor({ ...context, ...(conf === undefined ? {} : { conf }) }, warn)
  onClose(() => assembly.remove())
  return assembly.directory
}

/** The app has read it, so it is good. */
function confOf({ assembly, conf = join(ROOT, DEFAULT_CONF) }: LocalStackOptions): RunConf | undefined {
  return assembly === undefined ? { file: resolve(conf), table: readConf(conf).table } : undefined
}

type EngineParts = Pick<EngineOptions, 'host' | 'warn' | 'throttle'>

async function openEngine(options: LocalStackOptions, parts: EngineParts, onClose: OnClose): Promise<DynamoDbEngine> {
  const { dynamodb = 'embedded', dynamodbPort: port = 0, dataDir } = options
  const engine = await startEngine({ ...parts, dynamodb, port, dataDir })
  onClose(() => engine.close())
  return engine
}

interface BrokerParts {
  readonly host: string
  readonly backlog: Backlog
  readonly misbehaviour: Misbehaviour
  readonly rules: Rules
  readonly warn: (text: string) => void
  readonly journal: Journal | undefined
}

const startBroker = (options: LocalStackOptions, { misbehaviour, rules, journal, ...parts }: BrokerParts): Promise<Broker> =>
  listening('MQTT', options.mqttPort, () => {
    const port = options.mqttPort ?? 0
    const hearsPuback = () => misbehaviour.hearsPuback()
    return Broker.start({ ...parts, port, hearsPuback, journal, onMessage: (message) => rules.run(message) })
  })

async function listening<T>(what: string, port: number | undefined, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'the port is in use' : message
    throw new BackendError('listen', `${what} cannot listen on port ${port}: ${reason}`)
  }
}

/** Waits for both, also when one fails: what the other has started must be closed. */
async function settleBoth<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b])
  return [await a, await b]
}

const POLL_MS = 5

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined
  return () => {
    closing ??= close()
    return closing
  }
}

const warnOnly: Log = (level, line) => {
  if (level === 'warn') process.stderr.write(`${line}\n`)
}
