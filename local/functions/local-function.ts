/** Lambda functions on a laptop: the deployed bundle in a thread of its own, with the environment that the template gives it. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { BackendError } from '../../lambda/core/errors.ts'
import type { Invocable } from './event-source.ts'

export interface FunctionSettings {
  readonly name: string
  /** Directory with the bundle. */
  readonly code: string
  /** `<file>.<export>` */
  readonly handler: string
  readonly timeoutMs: number
  readonly memoryMegabytes: number
  /** All that the code finds in `process.env`. */
  readonly environment: Readonly<Record<string, string>>
  /** Gets each line that the code prints. */
  readonly log: (line: string) => void
}

interface Invocation {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

type Answer = { ready: true } | { id: string; result: string } | { id: string; error: { name: string; message: string } }

const SANDBOX = join(import.meta.dirname, 'function-sandbox.cjs')
/** By default a thread's young generation may grow to 48 MB, which the handlers do not need. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 }

export class LocalFunction implements Invocable {
  readonly settings: FunctionSettings
  #sandbox: Sandbox | undefined

  constructor(settings: FunctionSettings) {
    this.settings = settings
  }

  get name(): string {
    return this.settings.name
  }

  /** Loads the code now instead of at the first invocation. */
  async warm(): Promise<void> {
    await this.#current().ready
  }

  /** @throws BackendError `function-timeout`, `function-ended`, or `function-error` with the handler's own error */
  invoke(event: unknown): Promise<unknown> {
    return this.#current().invoke(event)
  }

  /** Invocations under way. */
  get running(): number {
    return this.#sandbox?.running ?? 0
  }

  /**
   * Stops the thread at once. Invocations under way fail; the next one starts a new thread.
   * Returns how many invocations failed.
   */
  async kill(): Promise<number> {
    const sandbox = this.#sandbox
    const running = this.running
    this.#sandbox = undefined
    await sandbox?.end('was killed')
    return running
  }

  /** As on Lambda, a thread in which an invocation timed out gets no further ones. */
  #current(): Sandbox {
    if (!this.#sandbox || this.#sandbox.retired) this.#sandbox = new Sandbox(this.settings)
    return this.#sandbox
  }
}

/** One thread, from its cold start to its end. Unlike on Lambda concurrent invocations share it. */
class Sandbox {
  readonly ready: Promise<void>
  retired = false
  readonly #settings: FunctionSettings
  readonly #worker: Worker
  readonly #running = new Map<string, Invocation>()

  constructor(settings: FunctionSettings) {
    this.#settings = settings
    const [file = 'index', exportName = 'handler'] = settings.handler.split('.')
    const { name: functionName, memoryMegabytes, timeoutMs } = settings
    const workerData = { path: join(settings.code, `${file}.js`), exportName, functionName, memoryMegabytes, timeoutMs }
    const env = { ...settings.environment }
    const options = { env, workerData, execArgv: [], stdout: true, stderr: true, resourceLimits: RESOURCE_LIMITS }
    this.#worker = new Worker(SANDBOX, options)
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) createInterface({ input: stream }).on('line', settings.log)
    this.ready = new Promise((resolve, reject) => {
      this.#worker.once('message', () => resolve())
      this.#worker.once('error', (error) => reject(new BackendError('function-error', `${settings.name}: ${error.message}`)))
      this.#worker.once('exit', () => reject(new BackendError('function-ended', `${settings.name} ended`)))
    })
    this.ready.catch(() => undefined) // the invocation rejects too, and that is reported
    this.#worker.on('message', (answer: Answer) => this.#answered(answer))
    this.#worker.on('error', (error) => void this.end(`ended: ${error.message}`))
    this.#worker.on('exit', () => void this.end('ended'))
  }

  get running(): number {
    return this.#running.size
  }

  invoke(event: unknown): Promise<unknown> {
    const id = randomUUID()
    const { timeoutMs, name } = this.#settings
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new BackendError('function-timeout', `${name} timed out after ${timeoutMs / 1000} s`)
        this.#settled(id)?.reject(error)
        this.#retire()
      }, timeoutMs)
      this.#running.set(id, { resolve, reject, timer })
      this.#worker.postMessage({ id, event, deadline: Date.now() + timeoutMs })
    })
  }

  async end(how: string): Promise<void> {
    this.retired = true
    const error = new BackendError('function-ended', `${this.#settings.name} ${how} during the invocation`)
    for (const id of [...this.#running.keys()]) this.#settled(id)?.reject(error)
    await this.#worker.terminate()
  }

  #answered(answer: Answer): void {
    if ('ready' in answer) return
    const invocation = this.#settled(answer.id)
    if ('result' in answer) invocation?.resolve(JSON.parse(answer.result))
    else invocation?.reject(new BackendError('function-error', `${answer.error.name}: ${answer.error.message}`))
    if (this.retired) this.#retire()
  }

  #settled(id: string): Invocation | undefined {
    const invocation = this.#running.get(id)
    clearTimeout(invocation?.timer)
    this.#running.delete(id)
    return invocation
  }

  /** Ends the thread once no other invocation runs in it. */
  #retire(): void {
    this.retired = true
    if (this.#running.size === 0) void this.end('timed out')
  }
}
