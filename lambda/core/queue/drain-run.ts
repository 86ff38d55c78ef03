/** The deliveries of one drain, in order. Acknowledgements are written in groups, and ids without a message are removed. */

import type { HookRow } from '../hooks.ts'
import { MARGIN } from '../model/delivery-window.ts'
import { hasExpired, type Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import type { Seat } from '../model/seat.ts'
import type { Homes, TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import type { Puback } from './acknowledge.ts'
import { acknowledge, dropIds, hasAckRow } from './acknowledge.ts'
import { MessagePages } from './message-pages.ts'
import type { Stands } from './operator-rows.ts'
import { PatientSender, type Sent } from './patient-sender.ts'
import { oldestFirst, pendingForwards, type ReadAhead } from './pending.ts'
import { Receipts } from './receipts.ts'
import { isSliceOver } from './slice.ts'

/** Messages acknowledged together at most. */
const ACKS_TOGETHER = 16

export interface Drain {
  readonly seat: Seat
  readonly clientid: string
  /** The `session.subscribed` row of `on_message_fetch_for_queue`: its offline_opts. */
  readonly row: HookRow | undefined
  /** Milliseconds: when the client subscribed or the publish came in; expiry and time_range count from here. */
  readonly at: number
  /** Whether a "not connected" may only mean "not yet". */
  readonly justArrived: boolean
  /** Messages that an earlier slice has left of what the client may get; absent: as the row says. */
  readonly left?: number | undefined
}

/**
 * Why a drain cannot go on. `late`: the time is over; `sliced`: its slice is; `ended`: the subscription is; `silent`, `unknown`: the last
 * sends were not acknowledged.
 */
export type Stop = Exclude<Sent, 'acked' | 'unsendable'> | 'sliced'

/** The deliveries of one drain. */
export interface Run {
  /** Whether the client has acknowledged anything. */
  readonly progressed: boolean
  /** For senders that asked for one. */
  readonly receipts: Receipts
  /** Messages that the client may still get; absent: all. */
  left(): number | undefined
  isLate(): boolean
  /** What the topic holds, in parts. */
  parts(row: TopicRow, ahead?: ReadAhead): AsyncGenerator<Homes>
  /** The ids of the part to deliver, oldest first. */
  eligible(homes: Homes): string[]
  deliver(ids: readonly string[], homes: Homes): Promise<Stop | undefined>
  writeAcks(): Promise<void>
}

/** One drain's deliveries: what was sent, what is off the queue, how many more may be sent. */
export class DrainRun implements Run {
  private readonly context: Context
  private readonly drain: Drain
  /** Ids that are done, delivered or not: skipped as long as they are on the queue. */
  private readonly passed = new Set<string>()
  /** Those of them that leave the queue when the acknowledgements are written: after that a repeated publish may add them again. */
  private readonly offQueue = new Set<string>()
  private readonly sender: PatientSender
  private remaining: number
  /** Whether the client has acknowledged anything. */
  progressed = false
  private tried = false
  private unsaved: Homes = new Map()
  private pubacks = new Map<string, Puback>()
  readonly receipts: Receipts
  private acks: Promise<void> = Promise.resolve()

  /** `stands`: asked before each try. */
  constructor(context: Context, drain: Drain, stands: Stands) {
    this.context = context
    this.drain = drain
    this.receipts = new Receipts(context)
    this.remaining = drain.left ?? drain.row?.offlineOpts?.maxReturnedCount ?? Number.POSITIVE_INFINITY
    this.sender = new PatientSender(context, drain.clientid, { justArrived: drain.justArrived, stands })
  }

  isLate = (): boolean => this.sender.isLate()
  left = (): number | undefined => (this.remaining === Number.POSITIVE_INFINITY ? undefined : this.remaining)

  parts = (row: TopicRow, ahead?: ReadAhead): AsyncGenerator<Homes> => pendingForwards(this.context.ports.topics, row, ahead)

  /** The ids to deliver, oldest first. For a native subscriber those that IoT Core surely or perhaps did not deliver: from before its SUBSCRIBE. */
  eligible(homes: Homes): string[] {
    const { seat, row, at } = this.drain
    const before = seat.live.kind === 'client' ? seat.live.since + MARGIN : Number.POSITIVE_INFINITY
    const range = row?.offlineOpts?.timeRange
    const after = range === undefined ? 0 : at - range * 1000
    const ids = [...homes.keys()].filter((id) => {
      const time = millisOfMsgid(id)
      return !this.passed.has(id) && time < before && time >= after
    })
    return this.remaining > 0 ? oldestFirst(ids) : []
  }

  async deliver(ids: readonly string[], homes: Homes): Promise<Stop | undefined> {
    const pages = new MessagePages(this.context.ports.messages, ids)
    for (let page = await pages.next(); page !== undefined && this.remaining > 0; page = await pages.next()) {
      await this.clean(page.ids, page.stored, homes)
      for (const id of page.ids) {
        const message = page.stored.get(id)
        if (this.passed.has(id) || message === undefined || this.remaining === 0) continue
        if (this.tried && isSliceOver(this.context)) return 'sliced'
        this.tried = true
        const outcome = await this.sender.send(message)
        if (outcome !== 'acked' && outcome !== 'unsendable') return outcome
        this.passed.add(id)
        if (outcome !== 'acked') continue
        this.acked(message, homes.get(id) ?? new Set())
        pages.readAhead()
      }
    }
    await this.writeAcks()
    for (const id of this.offQueue) this.passed.delete(id)
    this.offQueue.clear()
    return undefined
  }

  private acked(message: Message, seqs: Set<number>): void {
    const id = message.msgid
    this.remaining--
    this.progressed = true
    if (hasAckRow(this.context.config, this.drain.seat.topic)) this.offQueue.add(id)
    this.unsaved.set(id, seqs)
    this.pubacks.set(id, this.receipts.acked(this.drain.clientid, message))
    if (this.unsaved.size >= ACKS_TOGETHER) this.flush()
  }

  /** Acknowledgements are written while the next messages are under way. */
  private flush(): void {
    const { unsaved: homes, pubacks } = this
    this.unsaved = new Map()
    this.pubacks = new Map()
    const { seat, clientid } = this.drain
    this.acks = this.acks.then(() => acknowledge(this.context, { topic: seat.topic, clientid, homes, pubacks }))
    this.acks.catch(() => {})
  }

  async writeAcks(): Promise<void> {
    if (this.unsaved.size > 0) this.flush()
    await this.acks
  }

  /** Removes expired messages, and ids without a message: a handler died before it had removed them. */
  private async clean(ids: readonly string[], stored: Map<string, Message>, homes: Homes): Promise<void> {
    const { ports } = this.context
    const expired = ids.filter((id) => stored.has(id) && hasExpired(stored.get(id)!, this.drain.at))
    const dead = [...ids.filter((id) => !stored.has(id)), ...expired]
    if (dead.length === 0) return
    for (const id of dead) {
      this.passed.add(id)
      this.offQueue.add(id)
    }
    if (expired.length > 0) await ports.messages.remove(expired)
    await dropIds(ports, this.drain.seat.topic, new Map(dead.map((id) => [id, homes.get(id) ?? new Set()])))
  }
}
