/** One history: a world that does as it likes, handlers that are interrupted anywhere, then rest, and the questions asked of it. */
import type { HookName } from '../../lambda/core/hooks.ts'
import { CASTS, type Cast } from './casts.ts'
import { atRest, emptied, type Scene } from './checks.ts'
import { MapDynamoDb } from './dynamodb.ts'
import { type DatabaseFaults, type DatabaseWorld, NO_DATABASE_FAULTS } from './dynamodb-client.ts'
import { FAULTS, type Faults } from './faults.ts'
import { Handlers } from './handlers.ts'
import { IotCore, NO_PLATFORM_FAULTS } from './iot-core.ts'
import type { Mutant } from './mutants.ts'
import { operationNote } from './operation-note.ts'
import { NO_QUEUE_FAULTS, Queues } from './queues.ts'
import { RestlessClients } from './restless-clients.ts'
import { Random, Scheduler, settled } from './scheduler.ts'
import { type Evidence, witness } from './witness.ts'

const STEPS = 45
const RUNS_AT_ONCE = 6
/** Share of the steps before which everything is handled and a long time passes. */
const CALM = 0.02
const LONG = 400_000
/** Operations after which a history at rest does not come to rest. */
const PATIENCE = 60_000

export interface Outcome {
  readonly seed: number
  readonly violations: readonly string[]
  readonly log: readonly string[]
  readonly messages: number
  readonly operations: number
}

export interface HistoryOptions {
  readonly mutant?: Mutant | undefined
  readonly faults?: Faults
  /** Every operation of DynamoDB in the log. */
  readonly verbose?: boolean
  /** Is told every operation of DynamoDB. */
  readonly observe?: DatabaseWorld['observe']
}

export async function runHistory(seed: number, options: HistoryOptions = {}): Promise<Outcome> {
  const history = new History(seed, options.faults ?? FAULTS, options)
  return history.run()
}

class History implements Scene {
  private readonly seed: number
  private readonly cast: Cast
  private readonly faults: Faults
  private readonly random: Random
  private readonly scheduler: Scheduler
  readonly dynamodb = new MapDynamoDb()
  readonly queues: Queues
  readonly iotCore: IotCore
  private readonly handlers: Handlers
  readonly evidence: Evidence
  private readonly log: string[] = []
  private readonly database
  private readonly clients: RestlessClients
  private operations = 0

  constructor(seed: number, faults: Faults, options: HistoryOptions) {
    const { mutant } = options
    this.seed = seed
    this.cast = CASTS[seed % CASTS.length]!
    this.faults = faults
    this.random = new Random(seed)
    this.scheduler = new Scheduler(this.random)
    this.queues = new Queues(this.random)
    const note = (line: string) => void this.log.push(`${this.scheduler.now - 1_800_000_000_000} ${line}`)
    const emit = (hook: HookName, event: object) => this.queues.put(hook, event, this.scheduler.now, labelOf(event))
    this.iotCore = new IotCore({ scheduler: this.scheduler, emit, note })
    this.database = {
      scheduler: this.scheduler,
      dynamodb: this.dynamodb,
      faults: NO_DATABASE_FAULTS as DatabaseFaults,
      mutate: mutant?.request,
      observe: options.observe ?? (options.verbose ? operationNote(note, this.iotCore) : undefined),
    }
    this.clients = new RestlessClients(this.iotCore, this.cast, this.random)
    const watched = witness({ iotCore: this.iotCore, queues: this.queues, scheduler: this.scheduler, note })
    this.evidence = watched.evidence
    this.handlers = new Handlers({
      scheduler: this.scheduler,
      queues: this.queues,
      iotCore: this.iotCore,
      database: this.database,
      mutant,
      note,
      watch: watched.watch,
    })
  }

  async run(): Promise<Outcome> {
    this.populate()
    this.setFaults(true)
    const violations: string[] = []
    for (let i = 0; i < STEPS; i++) {
      if (this.random.chance(CALM)) await this.calm(violations)
      this.world()
      for (let n = this.random.below(50); n > 0; n--) await this.step()
    }
    violations.push(...(await this.rest()))
    return { seed: this.seed, violations, log: this.log, messages: this.iotCore.published.length, operations: this.operations }
  }

  private populate(): void {
    for (let n = 1; n <= this.cast.natives; n++) this.iotCore.add(`n${n}`)
    for (const [id, filters] of Object.entries(this.cast.operators)) this.iotCore.add(id, filters)
    for (const { id, operator } of this.iotCore.clients.values()) {
      for (const topic of operator) {
        const Item = { clientid: { S: id }, topic: { S: topic }, qos: { N: '1' } }
        this.dynamodb.perform('PutItem', { TableName: 'mqtt_sub', Item })
      }
    }
  }

  private setFaults(on: boolean): void {
    this.database.faults = on ? this.faults.database : NO_DATABASE_FAULTS
    this.iotCore.faults = on ? this.faults.platform : NO_PLATFORM_FAULTS
    this.queues.faults = on ? this.faults.queue : NO_QUEUE_FAULTS
  }

  /** Something happens out there, some time after the last. */
  private world(): void {
    this.pass(this.random.pick([50, 300, 1_000, 3_000]))
    this.iotCore.noticeDeadPeers()
    this.clients.doSomething()
  }

  private async calm(violations: string[]): Promise<void> {
    this.iotCore.noticeDeadPeers(true)
    await this.quiet(violations)
    this.log.push('--- a long calm')
    this.pass(LONG)
    this.setFaults(true)
  }

  private pass(ms: number): void {
    this.scheduler.now += ms
    this.iotCore.deliverDue()
    this.handlers.stopLate()
  }

  private async step(): Promise<void> {
    if (this.handlers.runs.length < RUNS_AT_ONCE && this.random.chance(0.25)) await this.startRun(4)
    if (this.handlers.runs.length > 0 && this.random.chance(this.faults.crash)) this.handlers.crash(this.random.pick(this.handlers.runs))
    if (await this.scheduler.step()) {
      this.operations++
      this.iotCore.deliverDue()
    }
  }

  private async startRun(most: number): Promise<boolean> {
    const batch = this.queues.receive(this.scheduler.now, most)
    if (batch.length === 0) return false
    this.handlers.start(batch)
    await settled()
    return true
  }

  /** Faults stop; dead letters are redriven; everything is handled. */
  private async quiet(violations: string[]): Promise<void> {
    this.setFaults(false)
    let redrives = 2
    for (let n = 0; n < PATIENCE; n++) {
      if (this.handlers.runs.length < RUNS_AT_ONCE && this.random.chance(0.2) && (await this.startRun(4))) continue
      if (await this.scheduler.step()) {
        this.operations++
        this.handlers.stopLate()
        continue
      }
      if (await this.startRun(4)) continue
      const next = Math.min(this.scheduler.idle ? Number.POSITIVE_INFINITY : this.scheduler.next, this.queues.nextVisible)
      if (next === Number.POSITIVE_INFINITY) {
        if (this.queues.deadLetters.length > 0 && redrives-- > 0) {
          this.queues.redrive(this.scheduler.now)
          continue
        }
        // What IoT Core still delivers arrives.
        this.pass(1_000)
        for (const dead of this.queues.deadLetters) violations.push(`dead letter: ${dead.hook} ${dead.label}: ${this.lastFailure(dead.id)}`)
        this.queues.deadLetters = []
        return
      }
      this.pass(Math.max(0, next - this.scheduler.now))
    }
    violations.push(`no rest after ${PATIENCE} operations`)
  }

  private lastFailure(id: string): string {
    return this.handlers.failures.findLast((line) => line.startsWith(`${id} `)) ?? 'it died every time'
  }

  private async rest(): Promise<string[]> {
    const violations: string[] = []
    const { iotCore, evidence } = this
    this.setFaults(false)
    iotCore.noticeDeadPeers(true)
    await this.quiet(violations)
    this.log.push('--- at rest')
    violations.push(...atRest(this))
    for (const client of iotCore.clients.values()) if (client.connection) iotCore.end(client, 'CLIENT_INITIATED_DISCONNECT')
    await this.quiet(violations)
    this.log.push('--- everybody gone')
    violations.push(...atRest(this))
    this.pass(60_000)
    const last = iotCore.add('last')
    iotCore.connect(last)
    this.pass(2_000)
    iotCore.subscribe(last, this.cast.topics)
    await this.quiet(violations)
    this.log.push('--- after the last subscriber')
    violations.push(...emptied(this), ...evidence.violations)
    return [...new Set(violations)]
  }
}

const labelOf = (event: object): string => {
  const { topic, clientId, sessionIdentifier, payload, topics } = event as Record<string, string>
  return topic === undefined
    ? `${clientId} ${sessionIdentifier}${topics ? ` ${topics}` : ''}`
    : Buffer.from(payload ?? '', 'base64').toString()
}
