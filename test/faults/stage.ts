/** One run of a scenario: fresh tables, one thing that goes wrong, and queues that show the event again until all is quiet. */
import { createHash } from 'node:crypto'
import { deliveryQueue } from '../../lambda/adapters/function/delivery-queue.ts'
import { handlerOf } from '../../lambda/adapters/function/handler.ts'
import { portsOn } from '../../lambda/adapters/on-aws.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import type { Clock, Ports } from '../../lambda/core/model/ports.ts'
import { RETAIN_INDEX, TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import { HOOK_SETTINGS } from '../../lib/pipeline/hook-settings.ts'
import type { Tables } from '../support/engines.ts'
import { HOOK_HANDLERS } from '../support/hook-handlers.ts'
import { DataPlane } from './data-plane.ts'
import type { Database } from './database.ts'
import type { Fault, Happening, Injected } from './fault.ts'
import { type Answer, jsonOf, type Request, success } from './http.ts'
import { Process, processes } from './process.ts'
import { type HookEvent, type Setting, SLOW } from './scenario.ts'
import { described, type SdkCall } from './sdk-call.ts'
import type { Clients } from './wire.ts'

/** A product that is broken on purpose. */
export interface Breakage {
  readonly ports?: (real: Ports, process: Process) => Ports
  /** What it makes of DynamoDB's answer. */
  readonly answer?: (answer: Answer) => Answer
}

interface Queued {
  readonly hook: HookName
  readonly id: string
  readonly body: string
  readonly faults: readonly Injected[]
  receives: number
  /** Milliseconds. */
  visibleAt: number
}

const OUR_NAMES = Object.fromEntries(TABLE_NAMES.map((name) => [name, name])) as Record<TableName, string>
/** A function gets its answer to SQS before the event is shown to another. Milliseconds. */
const VISIBILITY_MARGIN = 10_000
const LAST_RECEIVES = 3

export class Stage {
  readonly setting: Setting
  readonly database: Database
  readonly dataPlane: DataPlane
  readonly deliveryQueue = { perform: (request: Request) => this.requested(request) }
  readonly all: Process[] = []
  readonly logs: string[] = []
  readonly history: string[] = []
  readonly deadLetters: string[] = []
  /** Whether some invocation died or failed. */
  disturbed = false
  readonly clock: Clock & { passTo(ms: number): void }
  /** Whether the history tells every call. */
  verbose = false
  /** What a deliberately broken product does instead. */
  breakage: Breakage | undefined
  private readonly clients: Clients
  private readonly tables: Tables
  private now: number
  private readonly deleted = new Set<string>()
  private queue: Queued[] = []
  private dead: Queued[] = []
  private ids = 0

  constructor(setting: Setting, { clients, database, tables = OUR_NAMES }: { clients: Clients; database: Database; tables?: Tables }) {
    this.setting = setting
    this.clients = clients
    this.database = database
    this.tables = tables
    const { slow } = setting.scenario
    this.dataPlane = new DataPlane(setting.connectivity, (clientid) => {
      if (slow?.includes(clientid)) this.now += SLOW
    })
    this.now = setting.now
    this.clock = {
      now: () => this.now,
      sleep: async (ms) => {
        this.now += ms
      },
      passTo: (ms) => {
        this.now = Math.max(this.now, ms)
      },
    }
  }

  /** The scenario's events arrive, in one batch. */
  async arrive(faults: readonly Injected[]): Promise<void> {
    const { maxReceives } = HOOK_SETTINGS[this.setting.scenario.hook]
    // Of all the receives up to the dead letters the last few tell as much as all.
    const receives = faults.some(({ fault }) => fault.everyReceive) ? Math.max(0, maxReceives - LAST_RECEIVES) : 0
    await this.receive(this.batchOf(this.setting.events, faults).map((one) => ({ ...one, receives })))
    if (this.setting.next !== undefined) await this.handled(this.setting.next)
  }

  /** Faults are over: what failed is shown again after its visibility timeout, dead letters are redriven, until nothing is left. */
  async quiet(): Promise<void> {
    for (let redrives = 2; ; ) {
      const next = this.queue.toSorted((a, b) => a.visibleAt - b.visibleAt)[0]
      if (next !== undefined) {
        this.queue = this.queue.filter((one) => one !== next)
        this.clock.passTo(next.visibleAt)
        if (!this.deleted.has(next.id)) await this.receive([next])
      } else if (this.dead.length > 0 && redrives-- > 0) {
        this.history.push('--- dead letters are redriven')
        for (const { visibleAt } of this.dead) this.clock.passTo(visibleAt)
        for (const { hook, body } of this.dead.splice(0)) this.queue.push(this.queued(hook, body))
      } else {
        this.deadLetters.push(...this.dead.splice(0).map(({ hook, id }) => `${hook} ${id}`))
        return
      }
    }
  }

  /** SQS shows the event to another function while the first is at it. */
  async receivedAgain(faults: readonly Injected[] = []): Promise<void> {
    const { hook } = this.setting.scenario
    await this.receive(this.setting.events.map((event, i) => ({ ...this.queued(hook, JSON.stringify(event), `e${i}`), faults })))
  }

  /** The rule had put the event on the queue twice. */
  async copyHandled(): Promise<void> {
    await this.receive(this.batchOf(this.setting.events, []))
  }

  async rivalHandled(name: string): Promise<void> {
    const rival = this.setting.rivals?.[name]
    if (rival === undefined) throw new Error(`no rival ${name}`)
    await this.handled(rival)
  }

  async handled({ hook, event }: HookEvent): Promise<void> {
    await this.receive([this.queued(hook, JSON.stringify(event))])
  }

  async inject(fault: Fault, happening: Happening): Promise<Answer> {
    this.history.push(`#${happening.process.number}      ${fault.name}`)
    return fault.act(happening, this)
  }

  called(process: Process, call: SdkCall): void {
    if (this.verbose) this.history.push(`#${process.number}   ${described(call)}`)
  }

  private batchOf(events: readonly object[], faults: readonly Injected[]): Queued[] {
    const fresh = this.ids === 0
    const { hook } = this.setting.scenario
    return events.map((event, i) => ({ ...this.queued(hook, JSON.stringify(event), fresh ? `e${i}` : undefined), faults }))
  }

  /** A publish hands something over to the function that delivers. */
  private requested(request: Request): Answer {
    const { MessageBody: body } = jsonOf(request) as { MessageBody: string }
    this.queue.push(this.queued(this.setting.configs[0]!.deliveryHook!, body))
    return success({ MessageId: `${this.ids}`, MD5OfMessageBody: createHash('md5').update(body).digest('hex') })
  }

  private queued(hook: HookName, body: string, id = `q${++this.ids}`): Queued {
    this.ids++
    return { hook, id, body, faults: [], receives: 0, visibleAt: this.now }
  }

  /** One invocation, to its end or death. What it did not handle becomes visible again, or a dead letter. */
  private async receive(batch: readonly Queued[]): Promise<void> {
    this.clients.stage = this
    const { hook } = batch[0]!
    const { timeoutSeconds, maxReceives } = HOOK_SETTINGS[hook]
    const started = this.now
    const faults = batch[0]!.faults.filter(({ fault, receive = 1 }) => fault.everyReceive || receive === batch[0]!.receives + 1)
    const process = new Process({ number: this.all.length + 1, hook, deadline: started + timeoutSeconds * 1000, faults })
    this.all.push(process)
    this.history.push(
      `#${process.number} ${hook} gets ${batch.map(({ id, receives }) => `${id}/${receives + 1}`)} at ${started - this.setting.now}`,
    )
    const outcome = await this.invoke(process, batch, timeoutSeconds * 1000)
    const failed = new Set(outcome === 'died' ? batch.map(({ id }) => id) : outcome.batchItemFailures.map((one) => one.itemIdentifier))
    this.history.push(`#${process.number} ${outcome === 'died' ? 'dies' : failed.size > 0 ? `failed: ${[...failed]}` : 'is done'}`)
    if (failed.size > 0) this.disturbed = true
    for (const one of batch) {
      const again = { ...one, receives: one.receives + 1, visibleAt: started + timeoutSeconds * 1000 + VISIBILITY_MARGIN }
      if (!failed.has(one.id)) this.deleted.add(one.id)
      else if (again.receives >= maxReceives) this.dead.push(again)
      else this.queue.push(again)
    }
  }

  private invoke(process: Process, batch: readonly Queued[], remaining: number) {
    const real = portsOn({
      dynamodb: this.clients.dynamodb,
      iot: this.clients.iot,
      deliveries: deliveryQueue(() => this.clients.sqs, 'http://127.0.0.1:1/1/deliveries'),
      clock: this.clock,
      tables: this.tables,
      retainIndex: this.setting.retainIndex ? RETAIN_INDEX.name : undefined,
      region: 'us-west-2',
    })
    const config = this.setting.configs.find((one) => one.hook === process.hook)
    if (config === undefined) throw new Error(`${process.hook} is not in the conf`)
    const ports = this.breakage?.ports?.(real, process) ?? real
    const handler = handlerOf(HOOK_HANDLERS[process.hook], { config, ports, log: (line) => this.said(process, line) })
    const Records = batch.map(({ id, body, receives }) => ({
      messageId: id,
      body,
      attributes: { ApproximateReceiveCount: `${receives + 1}` },
    }))
    return processes.run({ process }, () =>
      Promise.race([handler({ Records }, { getRemainingTimeInMillis: () => remaining }), process.death]),
    )
  }

  private said(process: Process, line: string): void {
    this.logs.push(line)
    const { outcome, code, error } = JSON.parse(line)
    if (process.alive && outcome === 'failed') this.history.push(`#${process.number}      ${code}: ${error}`)
  }
}
