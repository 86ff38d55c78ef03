/** One history: a world that does as it likes, handlers that are interrupted anywhere, then rest, and the questions asked of it. */
import { type Cast, castOfSeed } from './casts.ts'
import { atRest, emptied } from './checks.ts'
import { Commands } from './commands.ts'
import { Coverage } from './coverage.ts'
import { MapDynamoDb } from './dynamodb.ts'
import type { DatabaseWorld } from './dynamodb-client.ts'
import { Faults, SHARES, type Shares } from './faults.ts'
import { Handlers } from './handlers.ts'
import { IotCore } from './iot-core.ts'
import { missing, segmentsOf } from './many.ts'
import { operationNote } from './operation-note.ts'
import { Operator } from './operator.ts'
import { type Plan, planOf } from './plan.ts'
import { type Emitted, Queues } from './queues.ts'
import { Random } from './random.ts'
import { changed, everything } from './replay.ts'
import { RestlessClients } from './restless-clients.ts'
import type { Scene } from './scene.ts'
import { Scheduler, settled } from './scheduler.ts'
import { MANNERS } from './sim-client.ts'
import { type Evidence, witness } from './witness.ts'

/** How many things happen in the world. */
const LENGTHS = [6, 12, 24, 45]
const RUNS_AT_ONCE = 6
/** Share of the steps before which everything is handled and a long time passes; sometimes so long that versions start over. Milliseconds. */
const CALM = 0.025
const LONG = [400_000, 400_000, 4_000_000]
/** Operations after which a history at rest does not come to rest. */
const PATIENCE = 60_000
/** Events that are replayed once everything is at rest (I4). */
const REPLAYED = 6

export interface Outcome {
  readonly plan: Plan
  readonly violations: readonly string[]
  readonly log: readonly string[]
  readonly coverage: Coverage
  /** Stands for the interleaving. */
  readonly order: number
  /** Numbers of the world's steps. */
  readonly steps: readonly number[]
}

export interface HistoryOptions {
  readonly shares?: Partial<Shares>
  readonly cast?: Cast | undefined
  /** More to ask once everything is at rest. */
  readonly ask?: (scene: Scene) => string[]
  /** Every operation of DynamoDB in the log. */
  readonly verbose?: boolean
  /** Is told every operation of DynamoDB. */
  readonly observe?: DatabaseWorld['observe']
}

export async function runHistory(plan: Plan | number, options: HistoryOptions = {}): Promise<Outcome> {
  return new History(typeof plan === 'number' ? planOf(plan) : plan, options).run()
}

class History implements Scene {
  private readonly plan: Plan
  readonly cast: Cast
  /** Decides what the world does, and when what runs. */
  private readonly worldRandom: Random
  private readonly random: Random
  private readonly faults: Faults
  private readonly scheduler: Scheduler
  readonly dynamodb = new MapDynamoDb()
  readonly queues: Queues
  readonly iotCore: IotCore
  readonly operator: Operator
  private readonly handlers: Handlers
  readonly evidence: Evidence
  private readonly coverage = new Coverage()
  private readonly emitted: Emitted[] = []
  private readonly log: string[] = []
  private readonly clients: RestlessClients
  private readonly commands: Commands
  private readonly ask: (scene: Scene) => string[]

  constructor(plan: Plan, options: HistoryOptions) {
    this.plan = plan
    this.ask = options.ask ?? (() => [])
    this.cast = options.cast ?? castOfSeed(plan.seed)
    this.worldRandom = new Random(plan.seed)
    this.random = new Random(plan.seed, plan.schedule)
    const { random, worldRandom, cast, dynamodb, coverage } = this
    this.faults = new Faults(random, { ...SHARES, ...options.shares }, plan.without)
    this.scheduler = new Scheduler(random)
    this.queues = new Queues(random, this.faults)
    const { scheduler, faults, queues } = this
    const note = (line: string) => void this.log.push(`${scheduler.now - 1_800_000_000_000} ${line}`)
    const emit = (one: Emitted) => {
      this.emitted.push(one)
      queues.put(one, scheduler.now)
    }
    this.iotCore = new IotCore({
      scheduler,
      faults,
      random: worldRandom,
      acks: cast.acks ?? 0,
      settle: (cast.settle ?? 10) * 1000,
      expiry: cast.expiry === undefined ? undefined : cast.expiry * 1000,
      receipts: cast.receipts === true,
      emit,
      note,
    })
    this.operator = new Operator(dynamodb, note)
    const { iotCore, operator } = this
    const noteOperation = options.verbose ? operationNote(note, iotCore) : options.observe
    const watched = witness({
      iotCore,
      queues,
      scheduler,
      operator,
      many: cast.many === true,
      positionsOf: (topic, from, to) => segmentsOf(dynamodb, topic, from, to),
      note,
    })
    const database: DatabaseWorld = {
      scheduler,
      dynamodb,
      faults,
      observe(owner, operation, request, answer) {
        if (request.TableName === 'mqtt_topic_msg_map') coverage.sees(answer?.Attributes)
        if (answer !== undefined) watched.observe(request)
        if (answer !== undefined && request.TableName === 'mqtt_sub' && commands.has(owner)) operator.saw(operation, request, scheduler.now)
        noteOperation?.(owner, operation, request, answer)
      },
    }
    this.clients = new RestlessClients(iotCore, cast, worldRandom)
    this.evidence = watched.evidence
    const { settle, consumers, many, expiry } = cast
    const conf = { retained: cast.retained !== undefined, settle, consumers, many, expiry }
    const { purging } = watched
    const commands = new Commands({ cast, conf, random: worldRandom, queues, iotCore, operator, database, purging, note })
    this.commands = commands
    this.handlers = new Handlers({
      scheduler,
      queues,
      iotCore,
      database,
      conf,
      note,
      watch: watched.watch,
    })
  }

  async run(): Promise<Outcome> {
    const { plan, random, worldRandom, coverage, scheduler, evidence } = this
    this.populate()
    this.faults.on = true
    const violations: string[] = []
    const steps = plan.steps ?? Array.from({ length: new Random(plan.seed, plan.seed).pick(LENGTHS) }, (_, i) => i)
    for (const step of steps) {
      worldRandom.reseed(plan.seed, step)
      random.reseed(plan.seed, plan.schedule, step)
      if (worldRandom.chance(CALM)) await this.calm(violations)
      this.world()
      for (let n = random.below(50); n > 0; n--) await this.step()
    }
    violations.push(...(await this.rest()), ...evidence.violations, ...this.handlers.refused)
    violations.push(...evidence.twice.filter(({ first }) => !first.interrupted).map(({ said }) => said))
    coverage.count('messages', this.iotCore.published.length)
    coverage.count('settled without promise', evidence.unpromised.size)
    coverage.count('windows remembered', evidence.windows)
    coverage.count('receipts', evidence.receipts)
    coverage.count('time slices', this.handlers.slices)
    coverage.count('operations', scheduler.released)
    coverage.count('operations chosen among several', scheduler.chosen)
    coverage.count(`histories: ${this.cast.name}`)
    for (const [name, count] of this.faults.injected) coverage.count(`fault: ${name}`, count)
    return { plan, violations: [...new Set(violations)], log: this.log, coverage, order: scheduler.order, steps }
  }

  private populate(): void {
    const { persistent, manners = ['prompt'], servers = ['prompt'], lasting = ['prompt'] } = this.cast
    for (let n = 1; n <= this.cast.natives; n++) {
      const manner = MANNERS[manners[(n - 1) % manners.length]!]
      this.iotCore.add(`n${n}`, { manner, ...(persistent && { persistent }) })
    }
    for (const [n, [id, operator]] of Object.entries(this.cast.operators).entries()) {
      this.iotCore.add(id, { operator, manner: MANNERS[servers[n % servers.length]!] })
    }
    for (let n = 1; n <= (this.cast.durables ?? 0); n++) {
      this.iotCore.add(`d${n}`, { durable: true, manner: MANNERS[lasting[(n - 1) % lasting.length]!] })
    }
    for (const { id, operator } of this.iotCore.clients.values()) {
      for (const filter of operator) this.operator.add(id, filter, this.scheduler.now - 1)
    }
  }

  /** Something happens out there, some time after the last. */
  private world(): void {
    this.pass(this.worldRandom.pick([50, 300, 1_000, 3_000]))
    this.iotCore.noticeDeadPeers()
    const { worldRandom, cast, scheduler } = this
    if (cast.changes !== undefined && worldRandom.chance(cast.changes)) this.operator.doSomething(worldRandom, scheduler.now)
    else if (!this.commands.type()) this.clients.doSomething()
  }

  private async calm(violations: string[]): Promise<void> {
    this.iotCore.noticeDeadPeers(true)
    await this.quiet(violations)
    this.log.push('--- a long calm')
    this.pass(this.worldRandom.pick(LONG))
    if (this.cast.expiry !== undefined) this.dynamodb.expire(this.scheduler.now)
    this.faults.on = true
  }

  private pass(ms: number): void {
    this.scheduler.now += ms
    this.iotCore.deliverDue()
    this.handlers.stopLate()
  }

  private async step(): Promise<void> {
    if (this.handlers.runs.length < RUNS_AT_ONCE && this.random.chance(0.25)) await this.startRun(4)
    if (this.handlers.runs.length > 0 && this.faults.happens('crash')) this.handlers.crash(this.random.pick(this.handlers.runs))
    this.commands.interrupt(this.random)
    if (await this.scheduler.step()) this.iotCore.deliverDue()
  }

  private async startRun(most: number): Promise<boolean> {
    const batch = this.queues.receive(this.scheduler.now, most)
    if (batch.length === 0) return false
    this.coverage.count(`handled: ${batch[0]!.hook}`, batch.length)
    this.handlers.start(batch)
    await settled()
    return true
  }

  /** Faults stop; dead letters are redriven; everything is handled. */
  private async quiet(violations: string[]): Promise<void> {
    this.faults.on = false
    let redrives = 2
    for (let n = 0; n < PATIENCE; n++) {
      if (this.handlers.runs.length < RUNS_AT_ONCE && this.random.chance(0.2) && (await this.startRun(4))) continue
      if (await this.scheduler.step()) {
        this.iotCore.deliverDue()
        this.handlers.stopLate()
        continue
      }
      if (await this.startRun(4)) continue
      const next = Math.min(this.scheduler.idle ? Number.POSITIVE_INFINITY : this.scheduler.next, this.queues.nextVisible)
      if (next === Number.POSITIVE_INFINITY) {
        if (this.queues.deadLetters.length > 0 && redrives-- > 0) {
          this.coverage.count('dead letters redriven', this.queues.deadLetters.length)
          this.queues.redrive(this.scheduler.now)
          continue
        }
        // What IoT Core still delivers arrives; an acknowledgement may follow.
        this.pass(1_000)
        if (this.queues.events.length > 0) continue
        violations.push(...this.poison())
        return
      }
      this.pass(Math.max(0, next - this.scheduler.now))
    }
    violations.push(`no rest after ${PATIENCE} operations`)
  }

  /** Dead letters that a redrive did not help. An acknowledgement of a client that is gone by now is refused for good. */
  private poison(): string[] {
    const letters = this.queues.deadLetters.splice(0)
    const said = letters.map(({ hook, label, id }) => ({ hook, label, why: this.lastFailure(id) }))
    return said.filter(({ why }) => !why.includes(' bad-ack: ')).map(({ hook, label, why }) => `I1 dead letter: ${hook} ${label}: ${why}`)
  }

  private lastFailure(id: string): string {
    return this.handlers.failures.findLast((line) => line.startsWith(`${id} `)) ?? 'it died every time'
  }

  private async rest(): Promise<string[]> {
    const violations: string[] = []
    const { iotCore } = this
    iotCore.noticeDeadPeers(true)
    await this.quiet(violations)
    this.log.push('--- at rest')
    violations.push(...atRest(this), ...this.ask(this))
    await this.replay(violations)
    for (const client of iotCore.clients.values()) if (client.connection) iotCore.end(client, 'CLIENT_INITIATED_DISCONNECT')
    await this.quiet(violations)
    this.log.push('--- everybody gone')
    violations.push(...atRest(this))
    this.pass(60_000)
    if (this.cast.many) return [...violations, ...(await this.everybodyReturns(violations))]
    const last = iotCore.add('last')
    iotCore.connect(last)
    this.pass(2_000)
    iotCore.subscribe(last, this.cast.topics)
    await this.quiet(violations)
    this.log.push('--- after the last subscriber')
    violations.push(...emptied(this))
    return violations
  }

  /** On topics kept for many who ever subscribed comes once more, and has everything then. */
  private async everybodyReturns(violations: string[]): Promise<string[]> {
    const { iotCore } = this
    for (const client of iotCore.clients.values()) {
      const filters = [...client.reads.keys()].map((topic) => `${client.durable ? 'durable/' : ''}${topic}`)
      iotCore.connect(client)
      this.pass(2_000)
      if (client.operator.length === 0 && filters.length > 0) iotCore.subscribe(client, filters)
      await this.quiet(violations)
    }
    this.log.push('--- after everybody came back')
    return [...atRest(this), ...missing(this)]
  }

  /** I4: lifecycle events that come once more change nothing; publishes that do are at most pending once more. */
  private async replay(violations: string[]): Promise<void> {
    const { queues, scheduler, random, emitted } = this
    const before = everything(this)
    const again = async (some: readonly Emitted[]) => {
      for (const one of random.shuffled(some).slice(0, REPLAYED)) queues.put(one, scheduler.now)
      await this.quiet(violations)
    }
    const ofMessages = ({ hook }: Emitted) => hook.startsWith('message.')
    await again(emitted.filter((one) => !ofMessages(one)))
    this.log.push('--- after lifecycle events were replayed')
    violations.push(...changed(before, everything(this)))
    await again(emitted.filter(ofMessages))
    this.log.push('--- after publishes and acknowledgements were replayed')
    violations.push(...atRest(this))
  }
}
