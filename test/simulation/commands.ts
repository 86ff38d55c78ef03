/** An operator at the command line: the commands' own code, interrupted anywhere, beside the handlers. */

import { deleteRetained, publish, purge } from '../../cli/operate/deeds.ts'
import { addRow, deleteRow, goLive } from '../../cli/operate/operator-subscriptions.ts'
import { portsOn } from '../../lambda/adapters/on-aws.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import type { Ports } from '../../lambda/core/model/ports.ts'
import type { Cast, CommandKind } from './casts.ts'
import { dataPlaneOf } from './data-plane.ts'
import { clientOf, type DatabaseWorld } from './dynamodb-client.ts'
import { type Conf, TABLES, tableOf } from './handlers.ts'
import type { IotCore } from './iot-core.ts'
import type { Operator } from './operator.ts'
import type { Queues } from './queues.ts'
import type { Random } from './random.ts'
import type { Owner } from './scheduler.ts'

/** One command that an operator typed. */
export interface Deed extends Owner {
  readonly label: string
  /** It was ended with Ctrl-C, or failed on the way. */
  interrupted: boolean
}

export interface CommandsWorld {
  readonly cast: Cast
  readonly conf: Conf
  readonly random: Random
  readonly queues: Queues
  readonly iotCore: IotCore
  readonly operator: Operator
  readonly database: DatabaseWorld
  /** Wraps the ports of a purge to see what it takes off. */
  readonly purging: (deed: Deed, ports: Ports, before?: number) => Ports
  readonly note: (line: string) => void
}

/** Share of the world's steps at which a command is typed, and of those that are typed twice, in two windows. */
const TYPED = 0.2
const TWICE = 0.2

export class Commands {
  private readonly world: CommandsWorld
  private readonly running: Deed[] = []
  private count = 0

  constructor(world: CommandsWorld) {
    this.world = world
  }

  has(owner: Owner): boolean {
    return this.running.includes(owner as Deed)
  }

  /** Types a command, if this is the time for one. */
  type(): boolean {
    const { cast, random } = this.world
    if (cast.commands === undefined || !random.chance(TYPED)) return false
    const command = this.command(random.pick(cast.commands))
    for (let n = random.chance(TWICE) ? 2 : 1; n > 0; n--) this.start(...command)
    return true
  }

  /** Ctrl-C, if this is the time for it. */
  interrupt(random: Random): void {
    if (this.running.length === 0 || !this.world.database.faults.happens('ctrl-c')) return
    const deed = random.pick(this.running)
    this.end(deed, true)
    this.world.note(`${deed.label}: Ctrl-C`)
  }

  private command(kind: CommandKind): [what: string, work: (deed: Deed) => Promise<unknown>] {
    const { cast, random, operator } = this.world
    const topic = random.pick(cast.topics)
    if (kind === 'purge') return this.purge(topic, random.chance(0.3) ? random.pick([0, 5_000, 60_000]) : undefined)
    if (kind === 'retained') {
      const put = random.chance(0.5)
      const message = { topic, payload: 'x', qos: 1, retain: true } as const
      return [
        `retained ${put ? 'put' : 'delete'} ${topic}`,
        (deed) => (put ? publish(this.place(deed), message) : deleteRetained(this.place(deed), topic)),
      ]
    }
    const row = this.someRow()
    const said = `${row.clientid} ${row.topic}`
    if (random.chance(0.5) || cast.operators[row.clientid] === undefined)
      return [`subscriptions del ${said}`, (deed) => deleteRow(this.place(deed), row)]
    return [
      `subscriptions add ${said}`,
      async (deed) => {
        await addRow(this.place(deed), row, 1)
        // Who is connecting just now may have looked its rows up before: docs/operate.md.
        const session = this.shownSession(row.clientid)
        const from = await goLive(this.place(deed), row, (hooks, event) => this.tell(deed, row.clientid, hooks, event))
        if (from === 'now') operator.toldOf(row.clientid, row.topic, session)
      },
    ]
  }

  /** @param older milliseconds: only what was published longer ago */
  private purge(topic: string, older: number | undefined): [what: string, work: (deed: Deed) => Promise<unknown>] {
    const { conf, purging, database } = this.world
    const before = older === undefined ? undefined : database.scheduler.now - older
    const work = (deed: Deed) => purge({ ports: purging(deed, this.place(deed).ports, before) }, topic, tableOf(conf), before)
    return [`purge ${topic}${before === undefined ? '' : ` before ${before}`}`, work]
  }

  /** Mostly one of an operator's rows; sometimes a filter to which a client may have subscribed itself. */
  private someRow(): { clientid: string; topic: string } {
    const { cast, random, iotCore } = this.world
    const client = random.pick([...iotCore.clients.values()])
    return { clientid: client.id, topic: random.pick(client.operator.length > 0 ? client.operator : cast.topics) }
  }

  private start(what: string, work: (deed: Deed) => Promise<unknown>): void {
    const deed: Deed = { alive: true, interrupted: false, label: `$${++this.count} ${what}` }
    this.running.push(deed)
    this.world.note(`${deed.label} begins`)
    work(deed).then(
      () => this.end(deed, false),
      (error) => {
        this.end(deed, true)
        this.world.note(`${deed.label} fails: ${error.message}`)
      },
    )
  }

  private end(deed: Deed, interrupted: boolean): void {
    if (!deed.alive) return
    deed.alive = false
    deed.interrupted = interrupted
    this.running.splice(this.running.indexOf(deed), 1)
    this.world.database.scheduler.dropDead()
    if (!interrupted) this.world.note(`${deed.label} ends`)
  }

  private place(deed: Deed) {
    const { database, iotCore } = this.world
    const { scheduler, faults } = database
    const dynamodb = clientOf(database, deed)
    const nothing = () => {}
    const iot = dataPlaneOf({ scheduler, faults, iotCore, sends: nothing, sent: nothing, told: nothing, receipt: nothing }, deed)
    const clock = { now: () => scheduler.now, sleep: (ms: number) => scheduler.turn(deed, ms) }
    const deliveries = { request: () => Promise.reject(new Error('an operator requests no delivery')) }
    return { dynamodb, iot, tables: TABLES, ports: portsOn({ dynamodb, iot, clock, deliveries, tables: TABLES, region: 'us-west-2' }) }
  }

  private shownSession(clientid: string): string {
    const rows = this.world.database.dynamodb.rows('mqtt_client')
    return rows.find((row) => row.clientid?.S === clientid)?.session?.S ?? ''
  }

  /** SQS has the event, or not, or has it and does not say so. */
  private async tell(deed: Deed, clientid: string, hooks: readonly HookName[], event: object): Promise<void> {
    const { queues, database } = this.world
    const { scheduler, faults } = database
    await Promise.all(
      hooks.map(async (hook) => {
        await scheduler.turn(deed)
        if (faults.happens('request-failed')) throw new Error('SendMessage failed')
        queues.put({ hook, event, label: `${clientid} ${(event as { sessionIdentifier: string }).sessionIdentifier}` }, scheduler.now)
        await scheduler.turn(deed)
        if (faults.happens('request-untold')) throw new Error('SendMessage was not answered')
      }),
    )
  }
}
