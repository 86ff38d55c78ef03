/** The stack under soak: its process, its data directory, its database, and all that it takes to kill it and start it again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DynamoDbEngine } from '../../local/dynamodb/engine.ts'
import { startDynamoDbLocal } from '../../local/dynamodb/local.ts'
import { readJournal } from '../../local/state/journal.ts'
import type { Cast } from './cast.ts'
import { Control } from './control.ts'
import type { SoakOptions } from './soak-flags.ts'
import type { History } from './soak-history.ts'
import { type StackProcess, type StackUrls, startStackProcess } from './stack-process.ts'

/** Probabilities. */
const MISBEHAVIOUR = { duplicate: 0.1, reorder: 0.1, delay: 0.05, 'drop-puback': 0.05 }
/** Only the embedded engine throttles on purpose. */
const THROTTLE = 0.02

export class Stage {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'soak-'))
  readonly misbehaviours: Record<string, number> = {}
  restarts = 0
  readonly #options: SoakOptions
  readonly #history: History
  #engine: DynamoDbEngine | undefined
  #stack: StackProcess | undefined
  #starts = 0
  readonly #conf: string

  constructor(options: SoakOptions, history: History, { keptFilters }: Pick<Cast, 'keptFilters'>) {
    this.#options = options
    this.#conf = join(this.dataDir, 'soak.conf')
    writeFileSync(this.#conf, confOf(keptFilters))
    this.#history = history
  }

  get urls(): StackUrls {
    return { ...this.#stack!.urls, ...(this.#engine ? { dynamodb: this.#engine.url } : {}) }
  }

  get control(): Control {
    return new Control(this.urls.data)
  }

  /** @throws BackendError in one line where the engine cannot be had */
  async start(): Promise<void> {
    if (this.#options.dynamodb === 'local') this.#engine = await startDynamoDbLocal({ host: '127.0.0.1', port: 0 })
    await this.#begin(this.#misbehaving())
  }

  /** SIGKILL, and up again on its data directory. */
  async killAndRestart(): Promise<void> {
    await this.#count()
    await this.#stack!.kill()
    this.restarts++
    await this.#begin(this.#misbehaving())
  }

  /** A clean end, and up again well-behaved. */
  async calm(): Promise<void> {
    await this.#count()
    await this.#stack!.terminate()
    await this.#begin([])
  }

  readHistory(): void {
    this.#history.read(readJournal(this.dataDir))
  }

  async close({ keepData }: { keepData: boolean }): Promise<void> {
    await this.#stack?.kill()
    await this.#engine?.close()
    if (!keepData) rmSync(this.dataDir, { recursive: true, force: true })
  }

  async #begin(flags: readonly string[]): Promise<void> {
    // Before the next run leaves out of it what no longer matters.
    this.readHistory()
    const engine = this.#engine ? ['--dynamodb', this.#engine.url] : []
    this.#stack = await startStackProcess(['--conf', this.#conf, '--data-dir', this.dataDir, ...engine, ...flags], this.#stack?.urls)
  }

  #misbehaving(): string[] {
    const throttle = this.#options.dynamodb === 'embedded' ? { throttle: THROTTLE } : {}
    const chances = Object.entries({ ...MISBEHAVIOUR, ...throttle }).flatMap(([name, chance]) => [`--${name}`, `${chance}`])
    const seed = (this.#options.seed + this.#starts++) % 2 ** 32
    return [...chances, '--seed', `${seed}`]
  }

  async #count(): Promise<void> {
    const counts = await this.control.misbehaviour()
    for (const [kind, count] of Object.entries(counts)) this.misbehaviours[kind] = (this.misbehaviours[kind] ?? 0) + count
  }
}

const DEFAULT_CONF = join(import.meta.dirname, '..', '..', 'etc', 'emqx_backend_dynamo.conf')

/** The default conf, and rows that keep the topics of the filters for many. */
const confOf = (filters: readonly string[]): string =>
  [
    readFileSync(DEFAULT_CONF, 'utf8').trimEnd(),
    ...filters.flatMap((topic, i) => [
      `backend.dynamo.hook.session.subscribed.${100 + i} = ${rowOf(topic, 'on_message_fetch_for_pubsub')}`,
      `backend.dynamo.hook.message.acked.${100 + i} = ${rowOf(topic, 'on_message_acked_for_pubsub')}`,
    ]),
    '',
  ].join('\n')

const rowOf = (topic: string, action: string): string => JSON.stringify({ topic, action: { function: action }, pool: 'pool1' })
