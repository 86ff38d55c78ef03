/** DynamoDB inside Node: dynalite's store behind our own server. In memory or on disk; in this thread or one of its own. */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import db, { type Store } from 'dynalite/db/index.js'
import { BackendError } from '../../lambda/core/errors.ts'
import { plainFile } from '../plain-file.ts'
import { seededRandom } from '../seeded-random.ts'
import type { DynamoDbEngine } from './engine.ts'
import { type Operations, serveDynamoDb } from './http.ts'
import { operationsOn } from './operations.ts'
import { TimeToLive } from './time-to-live.ts'

export interface EmbeddedOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** LevelDB's directory; absent: in memory. Only one engine at a time can open it. */
  readonly dataDir?: string
  /** In a thread of its own, which can use a second core. */
  readonly inWorker?: boolean
  /** Which item operations are throttled: a share of them, or (not with `inWorker`) those for which the function returns true. */
  readonly throttle?: Throttle | (() => boolean)
}

export interface Throttle {
  /** From 0 to 1. */
  readonly rate: number
  /** The same requests are refused for the same seed. */
  readonly seed: number
  /** Its first number grows with every refusal. */
  readonly count?: Int32Array<SharedArrayBuffer>
}

/** The one message that the thread sends to its owner. */
export type WorkerReport = { readonly url: string } | { readonly failed: string; readonly code: string }

const SWEEP_MS = 1_000
const CLOSE_MS = 900
const LOCAL_ACCOUNT = { awsAccountId: '000000000000', awsRegion: 'ddblocal' }

/**
 * All tables share one name space, whatever region or key a request is signed with. Tables are created at once.
 * @throws BackendError DYNAMODB_LISTEN (the port is taken), DYNAMODB_DATA (the directory cannot be opened), DYNAMODB_THROTTLE
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<DynamoDbEngine> {
  return options.inWorker ? await startWorker(options) : await startHere(options)
}

async function startHere(options: EmbeddedOptions): Promise<DynamoDbEngine> {
  const store = await openStore(options.dataDir)
  const timeToLive = await TimeToLive.of(store)
  const throttle = typeof options.throttle === 'object' ? share(options.throttle) : options.throttle
  const operations = { ...forgetting(operationsOn(store), timeToLive), ...timeToLive.operations }
  const server = await serveDynamoDb({ host: options.host, port: options.port, operations, throttle }).catch(async (error) => {
    await closeStore(store)
    throw new BackendError('DYNAMODB_LISTEN', `DynamoDB cannot listen on ${options.host}:${options.port}: ${error.message}`)
  })
  const sweeper = setInterval(() => timeToLive.sweep(Date.now() / 1_000).catch(() => {}), SWEEP_MS)
  sweeper.unref()
  let closing: Promise<void> | undefined
  const close = async () => {
    clearInterval(sweeper)
    await server.close()
    await closeStore(store)
  }
  return {
    name: 'embedded',
    url: server.url,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

async function openStore(path?: string): Promise<Store> {
  const store = db.create({ ...(path === undefined ? {} : { path }), createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 })
  Object.assign(store.tableDb, LOCAL_ACCOUNT)
  await store.db.open().catch(({ message, cause = new Error(message) }: Error & { cause?: Error & { code?: string } }) => {
    const why = cause.code === 'LEVEL_LOCKED' ? 'another run uses it' : cause.message
    throw new BackendError('DYNAMODB_DATA', `DynamoDB cannot open its data in ${path}: ${why}`)
  })
  return store
}

const closeStore = (store: Store) => new Promise<void>((resolve) => store.db.close(() => resolve()))

const share = ({ rate, seed, count }: Throttle) => {
  const random = seededRandom(seed)
  return () => {
    const refused = random() < rate
    if (refused && count) Atomics.add(count, 0, 1)
    return refused
  }
}

function forgetting(operations: Operations, timeToLive: TimeToLive): Operations {
  const deleteTable = operations.DeleteTable!
  return {
    ...operations,
    DeleteTable: async (request) => {
      const answer = await deleteTable(request)
      await timeToLive.forget((request as { TableName: string }).TableName)
      return answer
    },
  }
}

async function startWorker({ inWorker, ...options }: EmbeddedOptions): Promise<DynamoDbEngine> {
  if (typeof options.throttle === 'function') {
    throw new BackendError('DYNAMODB_THROTTLE', 'throttle: got a function, which cannot go to a worker thread; wanted {rate, seed}')
  }
  // Plain JavaScript, and without our own loader's arguments.
  const worker = new Worker(await plainFile(join(import.meta.dirname, 'worker.ts'), 'dynamodb-worker'), {
    workerData: options,
    execArgv: [],
  })
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const report = await new Promise<WorkerReport>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  if ('failed' in report) throw new BackendError(report.code, report.failed)
  const close = async () => {
    worker.postMessage('close')
    const late = setTimeout(() => worker.terminate(), CLOSE_MS)
    await exited
    clearTimeout(late)
  }
  return { name: 'embedded', url: report.url, close }
}
