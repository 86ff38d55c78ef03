/** The real handlers of every hook, run as Lambda runs them: on ports of their own, until they answer, die, or their time is up. */
import { handlerOf } from '../../lambda/adapters/function/handler.ts'
import { portsOn } from '../../lambda/adapters/on-aws.ts'
import { listensTo } from '../../lambda/core/durable-filter.ts'
import { type HookConfig, type HookName, type HookRow, type HookTable, hookConfigs } from '../../lambda/core/hooks.ts'
import type { DeliveryRequest } from '../../lambda/core/model/delivery-request.ts'
import type { Ports } from '../../lambda/core/model/ports.ts'
import { deliveryRequestBody } from '../../lambda/core/queue/request-delivery.ts'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import { HOOK_SETTINGS } from '../../lib/pipeline/hook-settings.ts'
import { allowedTo } from '../support/call-log.ts'
import { HOOK_HANDLERS } from '../support/hook-handlers.ts'
import type { Cast } from './casts.ts'
import { dataPlaneOf, type Receipt, type Sending, type Sent } from './data-plane.ts'
import { clientOf, type DatabaseWorld } from './dynamodb-client.ts'
import type { IotCore } from './iot-core.ts'
import type { QueuedEvent, Queues } from './queues.ts'
import { Role } from './role.ts'
import type { Owner, Scheduler } from './scheduler.ts'
import type { SimClient } from './sim-client.ts'

type Row = Omit<HookRow, 'label' | 'pool'>

const ROWS: readonly Row[] = [
  { hook: 'client.connected', action: 'on_client_connected' },
  { hook: 'session.created', action: 'on_subscribe_lookup' },
  { hook: 'client.disconnected', action: 'on_client_disconnected' },
  { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_queue' },
  { hook: 'session.unsubscribed', topic: '#', action: 'on_acked_delete' },
  { hook: 'message.publish', topic: '#', action: 'on_message_publish' },
  { hook: 'message.acked', topic: '#', action: 'on_message_acked_for_queue' },
]
const RETAINED_ROWS: readonly Row[] = [
  { hook: 'session.subscribed', topic: '#', action: 'on_retain_lookup' },
  { hook: 'message.publish', topic: '#', action: 'on_message_retain' },
  { hook: 'message.publish', topic: '#', action: 'on_retain_delete' },
]
/** Beside the rows of the queue, which they overrule. */
const MANY_ROWS: readonly Row[] = [
  { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: '#', action: 'on_message_acked_for_pubsub' },
]
type Configs = ReadonlyMap<HookName, HookConfig>

/** What the conf has beside the page's rows of the queue. */
export type Conf = Pick<Cast, 'settle' | 'consumers' | 'many' | 'expiry'> & { readonly retained: boolean }

const configsOf = (conf: Conf): Configs => new Map(hookConfigs(tableOf(conf)).map((config) => [config.hook, config]))

export function tableOf({ retained, settle, consumers, many, expiry }: Conf): HookTable {
  const rows = [...(many ? [...ROWS, ...MANY_ROWS] : ROWS), ...(retained ? RETAINED_ROWS : [])].map((row, i) => ({
    label: `${i + 1}`,
    pool: 'pool1',
    ...row,
    ...(/fetch/.test(row.action) && settle !== undefined ? { settle } : {}),
    ...(row.action === 'on_message_fetch_for_queue' && consumers !== undefined ? { consumers } : {}),
  }))
  return { pools: { pool1: {} }, rows, ...(expiry !== undefined && { expiredAfter: expiry }) }
}

export const TABLES = Object.fromEntries(TABLE_NAMES.map((name) => [name, name])) as Record<TableName, string>

/** One invocation of a function. */
export interface Run extends Owner {
  readonly number: number
  readonly hook: HookName
  readonly batch: readonly QueuedEvent[]
  readonly startedAt: number
  /** Milliseconds: Lambda stops it then. */
  readonly deadline: number
  /** It died, or failed on the way. */
  interrupted: boolean
}

export interface HandlersOptions {
  readonly scheduler: Scheduler
  readonly queues: Queues
  readonly iotCore: IotCore
  readonly database: DatabaseWorld
  readonly conf: Conf
  readonly note: (line: string) => void
  readonly watch: {
    sends(run: Run, message: Sending): void
    sent(run: Run, sent: Sent): void
    receipt(run: Run, receipt: Receipt): void
    /** Wraps the ports of a run to see what it does. */
    told(run: Run, topic: string, payload: string | undefined | null): void
    ports(run: Run, ports: Ports): Ports
  }
}

export class Handlers {
  readonly runs: Run[] = []
  /** Log lines of failed events, newest last. */
  readonly failures: string[] = []
  /** Calls that the hook's role does not allow (I9). */
  readonly refused: string[] = []
  private readonly options: HandlersOptions
  private readonly configs: Configs
  private readonly allowed: ReadonlyMap<HookName, ReadonlySet<string>>
  /** Deliveries that let go of their invocations. */
  slices = 0
  private count = 0

  constructor(options: HandlersOptions) {
    this.options = options
    this.configs = configsOf(options.conf)
    this.allowed = new Map([...this.configs].map(([hook, config]) => [hook, new Set(allowedTo(config, false))]))
  }

  start(batch: readonly QueuedEvent[]): void {
    const { scheduler, queues, note } = this.options
    const { hook } = batch[0]!
    const timeout = HOOK_SETTINGS[hook].timeoutSeconds * 1000
    const run: Run = {
      alive: true,
      interrupted: false,
      number: ++this.count,
      hook,
      batch,
      startedAt: scheduler.now,
      deadline: scheduler.now + timeout,
    }
    this.runs.push(run)
    note(`#${run.number} ${hook} starts: ${batch.map(({ id, receives, label }) => `${id}/${receives} ${label}`).join('; ')}`)
    const handler = handlerOf(HOOK_HANDLERS[hook], {
      config: this.configs.get(hook)!,
      ports: this.portsOf(run),
      log: (line) => this.log(run, line),
    })
    const Records = batch.map(({ id, body, receives }) => ({ messageId: id, body, attributes: { ApproximateReceiveCount: `${receives}` } }))
    handler({ Records }, { getRemainingTimeInMillis: () => timeout }).then(
      ({ batchItemFailures }) => {
        if (!run.alive) return
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
        this.finish(run)
        run.interrupted = failed.size > 0
        note(`#${run.number} ends${failed.size > 0 ? `, failed: ${[...failed].join(' ')}` : ''}`)
        for (const event of batch) {
          if (failed.has(event.id)) queues.giveBack(event, scheduler.now)
          // Deleted: also the copy that another receive had shown.
          else queues.handled(event)
        }
      },
      (error) => {
        throw error
      },
    )
  }

  /** The process dies where it stands. */
  crash(run: Run): void {
    this.finish(run)
    run.interrupted = true
    this.options.note(`#${run.number} crashes`)
    for (const event of run.batch) this.options.queues.giveBack(event, this.options.scheduler.now)
  }

  stopLate(): void {
    for (const run of [...this.runs]) if (this.options.scheduler.now > run.deadline) this.crash(run)
  }

  private finish(run: Run): void {
    run.alive = false
    this.runs.splice(this.runs.indexOf(run), 1)
    this.options.scheduler.dropDead()
  }

  private log(run: Run, line: string): void {
    if (line.includes('"code":"client-silent"')) {
      const { client, topic } = JSON.parse(line)
      giveUp(this.options.iotCore.clients.get(client), topic)
      this.options.note(`#${run.number} gives ${client} up on ${topic}`)
    }
    if (!line.includes('"outcome":"failed"')) return
    const { code, error, messageId } = JSON.parse(line)
    this.failures.push(`${messageId} ${code}: ${error}`)
    this.options.note(`#${run.number} ${messageId} failed ${code}: ${error}`)
  }

  private portsOf(run: Run): Ports {
    const { scheduler, database, iotCore, watch } = this.options
    const role = new Role(this.allowed.get(run.hook)!, TABLES, (call) => this.refused.push(`I9: ${run.hook} may not ${call}`))
    const ports = portsOn({
      dynamodb: role.ask(clientOf(database, run)),
      iot: role.ask(
        dataPlaneOf(
          {
            scheduler,
            faults: database.faults,
            iotCore,
            sends: (_, message) => watch.sends(run, message),
            sent: (_, sent) => watch.sent(run, sent),
            told: (_, topic, payload) => watch.told(run, topic, payload),
            receipt: (_, receipt) => watch.receipt(run, receipt),
          },
          run,
        ),
      ),
      clock: { now: () => scheduler.now, sleep: (ms) => scheduler.turn(run, ms) },
      deliveries: { request: (one) => this.request(run, one) },
      tables: TABLES,
      retainIndex: undefined,
      region: 'us-west-2',
    })
    return watch.ports(run, ports)
  }

  /** SQS has it, or not, or has it and does not say so. */
  private async request(run: Run, delivery: DeliveryRequest): Promise<void> {
    const { scheduler, queues, database, note } = this.options
    const { deliveryHook: hook } = this.configs.get(run.hook)!
    if (!this.allowed.get(run.hook)!.has('SendMessage')) this.refused.push(`I9: ${run.hook} may not SendMessage`)
    await scheduler.turn(run)
    if (database.faults.happens('request-failed')) throw new Error('SendMessage failed')
    const goesOn = delivery.goesOn !== undefined
    if (goesOn) this.slices++
    note(`#${run.number} ${goesOn ? 'lets go' : 'requests delivery'} on ${delivery.topic}`)
    const { topic } = delivery
    const { seat } = delivery.goesOn ?? {}
    const label = seat === undefined ? `deliver ${topic}` : `goes-on ${seat.session} ${topic} ${seat.entry}`
    queues.put({ hook: hook!, event: deliveryRequestBody(delivery), label }, scheduler.now)
    await scheduler.turn(run)
    if (database.faults.happens('request-untold')) throw new Error('SendMessage was not answered')
  }
}

/** It is no subscriber of the topic any more, by whatever subscription (I15). */
function giveUp(client: SimClient | undefined, topic: string): void {
  client?.silenced.add(topic)
  for (const filter of [...(client?.connection?.announced ?? []), ...(client?.operator ?? [])])
    if (listensTo(filter, 'durable/') === topic) client?.givenUp.add(filter)
}
