/** One dispatch: the queue's messages, oldest first, each to the durable subscriber who has waited longest; acknowledgements in groups. */
import { hasExpired, type Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { firstOfEachClient, type Seat, subscriberOf } from '../model/seat.ts'
import type { Homes, TopicRow } from '../model/topic-row.ts'
import type { Puback } from './acknowledge.ts'
import { acknowledge, dropIds } from './acknowledge.ts'
import { hasJustArrived } from './drain-stop.ts'
import { MessagePages } from './message-pages.ts'
import { CLOSING_TIME, PatientSender, type Sent } from './patient-sender.ts'
import { oldestFirst, pendingForwards } from './pending.ts'
import { Receipts } from './receipts.ts'
import { isSliceOver } from './slice.ts'

/** Messages acknowledged together at most. */
const ACKS_TOGETHER = 16
/** So often it is asked who is subscribed by now. Milliseconds. */
const LOOK = 500

/** A message on its way, and the segments that have its id. */
interface Pending {
  readonly message: Message
  readonly seqs: Set<number>
}

export type Outcome = Exclude<Sent, 'acked' | 'unsendable'> | 'throttled'

/** A subscriber who did not take a message. */
export interface PassedOver {
  readonly seat: Seat
  readonly outcome: Outcome
}

/** A durable subscriber: of the seats of one client the first. */
interface Consumer {
  readonly seat: Seat
  readonly clientid: string
  readonly prefix: string
  readonly sender: PatientSender
  passedOver?: Outcome
}

export class DispatchRun {
  private readonly context: Context
  private readonly topic: string
  private readonly at: number
  /** In turn: who got a message goes to the end. */
  private consumers: Consumer[] = []
  private lookedAt = 0
  private started = 0
  /** Those that are being delivered: the next one is read once somebody has acknowledged a message. */
  private pages: MessagePages | undefined
  /** Client id -> what is on its way to it: one message, also where it subscribed once more meanwhile. */
  private readonly working = new Map<string, Promise<void>>()
  /** Messages that somebody did not take, oldest first. */
  private returned: Pending[] = []
  /** Ids that are done, delivered or not; those of them that leave the queue with the next acknowledgements. */
  private readonly passed = new Set<string>()
  private readonly offQueue = new Set<string>()
  /** Client id -> what it acknowledged. */
  private readonly unsaved = new Map<string, { readonly homes: Homes; readonly pubacks: Map<string, Puback> }>()
  readonly receipts: Receipts
  private acks: Promise<void> = Promise.resolve()
  /** The event continues at its next try, and keeps its lease until then. */
  rests = false

  constructor(context: Context, topic: string, at: number) {
    this.context = context
    this.topic = topic
    this.at = at
    this.receipts = new Receipts(context)
  }

  get passedOver(): PassedOver[] {
    return this.consumers.flatMap(({ seat, passedOver }) => (passedOver === undefined ? [] : [{ seat, outcome: passedOver }]))
  }

  isLate = (): boolean => this.context.ports.clock.now() > this.context.invocation.deadline - CLOSING_TIME

  /** Delivers what the row holds. Returns whether messages are left that nobody took. */
  async deliver(row: TopicRow): Promise<boolean> {
    await this.look(row)
    this.returned = []
    const queue = this.messagesOf(row)
    const [result] = await Promise.allSettled([this.share(queue)])
    // After a failure nothing is still running.
    await Promise.allSettled(this.working.values())
    await queue.return(undefined)
    if (result.status === 'rejected') throw result.reason
    await this.writeAcks()
    for (const id of this.offQueue) this.passed.delete(id)
    this.offQueue.clear()
    return result.value
  }

  private async share(queue: AsyncGenerator<Pending>): Promise<boolean> {
    for (;;) {
      if (this.isLate()) break
      await this.look()
      const stops = this.isSliceOver()
      const idle = stops ? [] : this.active().filter(({ clientid }) => !this.working.has(clientid))
      let isEmpty = false
      for (const consumer of idle) {
        const next = this.returned.shift() ?? (await queue.next()).value
        // While the end of the queue was read, somebody may not have taken a message: it is for another one.
        isEmpty = next === undefined && this.returned.length === 0
        if (next === undefined) break
        this.start(consumer, next)
      }
      if (this.working.size === 0 && (stops || isEmpty || this.active().length === 0)) break
      if (this.working.size > 0) await Promise.race(this.working.values())
    }
    return this.returned.length > 0 || (await queue.next()).value !== undefined
  }

  private isSliceOver = (): boolean => this.started > 0 && isSliceOver(this.context)

  /** Somebody would take more, but others wait for their turn. */
  letsGo = (): boolean => this.isSliceOver() && this.active().length > 0

  private active = (): Consumer[] => this.consumers.filter(({ passedOver }) => passedOver === undefined)

  private start(consumer: Consumer, pending: Pending): void {
    this.started++
    this.consumers = [...this.consumers.filter((one) => one !== consumer), consumer]
    const work = this.give(consumer, pending)
    // A failure is thrown where it is waited for.
    const done = work.finally(() => this.working.delete(consumer.clientid))
    done.catch(() => {})
    this.working.set(consumer.clientid, done)
  }

  private async give(consumer: Consumer, pending: Pending): Promise<void> {
    const { message, seqs } = pending
    const outcome = await this.send(consumer, message)
    if (outcome === 'acked') return this.acked(consumer, message, seqs)
    if (outcome === 'unsendable') return void this.passed.add(message.msgid)
    consumer.passedOver = outcome
    this.returned = inOrder([...this.returned, pending])
  }

  /** Once, if others wait for the message: it goes to the next one at once. */
  private async send({ sender, clientid, prefix }: Consumer, message: Message): Promise<Sent | Outcome> {
    if (this.active().length > 1) return this.context.ports.device.send(clientid, message, { prefix })
    return sender.send(message, { prefix })
  }

  /** Pending messages, oldest first; expired ones, and ids without a message, are removed. */
  private async *messagesOf(row: TopicRow): AsyncGenerator<Pending> {
    const { topics, messages } = this.context.ports
    for await (const homes of pendingForwards(topics, row)) {
      const ids = oldestFirst([...homes.keys()].filter((id) => !this.passed.has(id)))
      const pages = new MessagePages(messages, ids)
      this.pages = pages
      for (let page = await pages.next(); page !== undefined; page = await pages.next()) {
        await this.clean(page.ids, page.stored, homes)
        for (const id of page.ids) {
          const message = page.stored.get(id)
          if (message !== undefined && !this.passed.has(id)) yield { message, seqs: homes.get(id) ?? new Set() }
        }
      }
    }
  }

  /** Who is subscribed now. `known`: the topic's row, read a moment ago. */
  private async look(known?: TopicRow): Promise<void> {
    const { topics, clock } = this.context.ports
    if (known === undefined && clock.now() - this.lookedAt < LOOK) return
    this.lookedAt = clock.now()
    const row = known ?? (await topics.head(this.topic))
    const seats = row === undefined ? [] : await topics.seats(row, { headOnly: !row.spillServers })
    const all = seats.filter(({ live }) => live.kind === 'durable')
    // Under another prefix than the conf has now the client is not known to be subscribed still.
    const durable = all.filter((seat) => subscriberOf(seat).prefix === this.context.config.durablePrefix)
    await Promise.all(all.filter((seat) => !durable.includes(seat)).map((seat) => topics.endSilent(seat)))
    const isFirst = this.consumers.length === 0
    const stand = this.consumers.filter(({ seat }) => durable.some((one) => isSame(one, seat)))
    const fresh = durable.filter((seat) => !stand.some(({ clientid }) => clientid === subscriberOf(seat).clientid))
    const joined = firstOfEachClient(fresh).map((seat) => this.consumerAt(seat))
    // A queue that is dispatched message by message begins with another subscriber each time.
    const turn = isFirst && joined.length > 0 ? (row?.adds ?? 0) % joined.length : 0
    this.consumers = [...joined.slice(turn), ...joined.slice(0, turn), ...stand]
  }

  private consumerAt(seat: Seat): Consumer {
    const { clientid, prefix } = subscriberOf(seat)
    const justArrived = hasJustArrived(seat.live, this.context.ports.clock.now())
    return { seat, clientid, prefix, sender: new PatientSender(this.context, clientid, { justArrived }) }
  }

  private acked({ clientid }: Consumer, message: Message, seqs: Set<number>): void {
    const { msgid } = message
    this.passed.add(msgid)
    this.offQueue.add(msgid)
    this.pages?.readAhead()
    const mine = this.unsaved.get(clientid) ?? { homes: new Map(), pubacks: new Map() }
    mine.homes.set(msgid, seqs)
    mine.pubacks.set(msgid, this.receipts.acked(clientid, message))
    this.unsaved.set(clientid, mine)
    if ([...this.unsaved.values()].reduce((sum, { homes }) => sum + homes.size, 0) >= ACKS_TOGETHER) this.flush()
  }

  /** Acknowledgements are written while the next messages are under way. */
  private flush(): void {
    const all = [...this.unsaved]
    this.unsaved.clear()
    for (const [clientid, acked] of all) {
      this.acks = this.acks.then(() => acknowledge(this.context, { topic: this.topic, clientid, ...acked }))
    }
    this.acks.catch(() => {})
  }

  async writeAcks(): Promise<void> {
    this.flush()
    await this.acks
  }

  private async clean(ids: readonly string[], stored: Map<string, Message>, homes: Homes): Promise<void> {
    const { ports } = this.context
    const expired = ids.filter((id) => stored.has(id) && hasExpired(stored.get(id)!, this.at))
    const dead = [...ids.filter((id) => !stored.has(id) && !this.passed.has(id)), ...expired]
    if (dead.length === 0) return
    for (const id of dead) {
      this.passed.add(id)
      this.offQueue.add(id)
    }
    if (expired.length > 0) await ports.messages.remove(expired)
    await dropIds(ports, this.topic, new Map(dead.map((id) => [id, homes.get(id) ?? new Set()])))
  }
}

/** A client that subscribed once more is there again, whatever it did with the messages before. */
const isSame = (a: Seat, b: Seat): boolean =>
  a.entry === b.entry && a.live.session === b.live.session && a.live.since === b.live.since && a.live.at === b.live.at

function inOrder(all: readonly Pending[]): Pending[] {
  const byId = new Map(all.map((one) => [one.message.msgid, one]))
  return oldestFirst(byId.keys()).map((id) => byId.get(id)!)
}
