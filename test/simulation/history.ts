/** One history: a world that does as it likes, handlers that are interrupted anywhere, then rest, and the questions asked of it. */
import type { HookName } from '../../lambda/core/hooks.ts'
import { atRest, emptied, type Scene } from './checks.ts'
import { type ItemAnswer, type ItemOperation, type ItemRequest, MapDynamoDb } from './dynamodb.ts'
import { type DatabaseFaults, NO_DATABASE_FAULTS } from './dynamodb-client.ts'
import { Handlers, type Run } from './handlers.ts'
import { IotCore, NO_PLATFORM_FAULTS, type PlatformFaults, type SimClient } from './iot-core.ts'
import type { Mutant } from './mutants.ts'
import { NO_QUEUE_FAULTS, type QueueFaults, Queues } from './queues.ts'
import { type Owner, Random, Scheduler, settled } from './scheduler.ts'
import { type Evidence, witness } from './witness.ts'

/** Who is there, and how much is published: client ids, operator's filters, topics, sizes of bursts. */
interface Cast {
  readonly natives: number
  readonly operators: Readonly<Record<string, readonly string[]>>
  readonly topics: readonly string[]
  readonly bursts: readonly number[]
}
const CASTS: readonly Cast[] = [
  { natives: 3, operators: { s1: ['a/1'], s2: ['a/+'] }, topics: ['a/1', 'a/2'], bursts: [1, 1, 2, 8] },
  // Nobody empties the queues at once: they are sealed into segments.
  { natives: 2, operators: {}, topics: ['a/1', 'a/2'], bursts: [1, 4, 12, 24] },
  { natives: 2, operators: { s1: ['a/1'] }, topics: ['a/1'], bursts: [1, 4, 12, 24] },
  // More clients than a head has room for.
  { natives: 7, operators: { s1: ['a/1'] }, topics: ['a/1'], bursts: [1, 2, 8] },
]
const STEPS = 45
const RUNS_AT_ONCE = 6
/** Share of the steps before which everything is handled and a long time passes. */
const CALM = 0.02
const LONG = 400_000
/** Operations after which a history at rest does not come to rest. */
const PATIENCE = 60_000

export interface Faults {
  readonly database: DatabaseFaults
  readonly platform: PlatformFaults
  readonly queue: QueueFaults
  /** Share of the steps at which some function dies. */
  readonly crash: number
}
export const FAULTS: Faults = {
  database: { throttled: 0.01, replyLost: 0.01, repeated: 0.01, unprocessed: 0.05 },
  platform: { lostDisconnect: 0.1, throttledSend: 0.02, lostPuback: 0.04, unknownConnection: 0.2, notYet: 0.3 },
  queue: { duplicated: 0.1, receivedTwice: 0.02, late: 20_000, overtakenUnsubscribe: false, hasty: true },
  crash: 0.004,
}

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
      observe: options.verbose ? this.observe(note) : undefined,
    }
    const watched = witness({ iotCore: this.iotCore, scheduler: this.scheduler, note })
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

  private observe(note: (line: string) => void) {
    return (owner: Owner, operation: ItemOperation, request: ItemRequest, answer: ItemAnswer | undefined): void => {
      const named = (text: string) =>
        text.replace(/M[A-Za-z0-8]{46}/g, (id) => this.iotCore.byId.get(id)?.name ?? id).replaceAll('\\u0000', '|')
      const key = Object.values(request.Key ?? {})
        .map(({ S }) => S)
        .join(' ')
      const values = request.ExpressionAttributeValues ?? request.Item ?? {}
      const what = [
        request.TableName.slice(5),
        key,
        request.UpdateExpression,
        request.ConditionExpression && `IF ${request.ConditionExpression}`,
        JSON.stringify(values),
      ]
      const gave = answer === undefined ? 'refused' : JSON.stringify(answer)
      note(
        named(
          `  #${(owner as Run).number} ${operation} ${what.filter(Boolean).join(' ')} -> ${gave}`
            .replaceAll('\u0000', '|')
            .replace(/\{"(?:S|N|SS|M)":([^{}]*)\}/g, '$1')
            .replaceAll('18000000', ''),
        ),
      )
    }
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
    const client = this.random.pick([...this.iotCore.clients.values()])
    const dice = this.random.below(100)
    if (dice < 40) for (let n = this.random.pick(this.cast.bursts); n > 0; n--) this.iotCore.publish(this.random.pick(this.cast.topics))
    else if (client.connection === undefined) this.iotCore.connect(client)
    else if (client.connection.halfOpenSince !== undefined) {
      if (dice < 60) this.iotCore.connect(client)
    } else this.act(client, dice)
  }

  private act(client: SimClient, dice: number): void {
    const native = client.operator.length === 0
    if (dice < 65 && native) this.iotCore.subscribe(client, this.someFilters())
    else if (dice < 72 && native && client.connection!.filters.size > 0) {
      this.iotCore.unsubscribe(client, [this.random.pick([...client.connection!.filters])])
    } else if (dice < 82) this.iotCore.end(client, 'CLIENT_INITIATED_DISCONNECT')
    else if (dice < 92) this.iotCore.halfOpen(client)
    else if (dice < 95) this.iotCore.connect(client)
  }

  private someFilters(): string[] {
    const filters = this.random.shuffled([...this.cast.topics, 'a/#'])
    return filters.slice(0, this.random.pick([1, 1, 1, 2]))
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
