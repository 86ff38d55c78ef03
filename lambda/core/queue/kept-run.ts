/** The deliveries of one drain on a topic that is kept for many: what came since the client's read position, which PUBACKs move on. */
import { MARGIN } from '../model/delivery-window.ts'
import { hasExpired } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { firstUnread, isPassed, leftBehind, type Position } from '../model/position.ts'
import { subscriberOf } from '../model/seat.ts'
import { addHomes, finalSegments, type Homes, headHomes, type TopicRow } from '../model/topic-row.ts'
import { millisOfMsgid } from '../msgid.ts'
import type { Drain, Run, Stop } from './drain-run.ts'
import { MessagePages } from './message-pages.ts'
import type { Stands } from './operator-rows.ts'
import { PatientSender } from './patient-sender.ts'
import { oldestFirst } from './pending.ts'
import { Receipts } from './receipts.ts'
import { isSliceOver } from './slice.ts'
import { beginPass, type WindowPass } from './window-pass.ts'

/** Messages by which the position moves together at most. */
const ACKS_TOGETHER = 16
/** Segments read at a time: one BatchGetItem. */
const SEGMENTS_AT_ONCE = 100

export class KeptRun implements Run {
  private readonly context: Context
  private readonly drain: Drain
  private readonly sender: PatientSender
  private position: Position | undefined
  /** Ids that are done in this run: acknowledged, expired, gone, or such that they can never be sent. */
  private readonly done = new Set<string>()
  /** Final segments that were read, from which and up to which number. */
  private segments = new Map<number, readonly string[]>()
  private head: readonly string[] = []
  private readFrom = 0
  private readTo = 0
  private isToldOfExpiry = false
  /** Id -> the last segment that has it or will have it. */
  private unsaved = new Map<string, number>()
  private saves: Promise<void> = Promise.resolve()
  progressed = false
  private tried = false
  readonly receipts: Receipts

  /** `stands`: asked before each try. */
  constructor(context: Context, drain: Drain, stands: Stands) {
    this.context = context
    this.drain = drain
    this.receipts = new Receipts(context)
    this.sender = new PatientSender(context, drain.clientid, { justArrived: drain.justArrived, stands })
  }

  isLate = (): boolean => this.sender.isLate()
  left = (): undefined => undefined

  /** What stands in the log from the position on, in parts; the last part has the head. Nothing where the client has unsubscribed. */
  async *parts(row: TopicRow): AsyncGenerator<Homes> {
    this.position = await this.reload()
    if (this.position === undefined) return
    const end = finalSegments(row)
    const begin = Math.min(this.position.seq, end)
    const passing = await this.passing(row.topic, begin)
    this.head = [...headHomes(row).keys()]
    this.segments = new Map()
    this.readFrom = this.readTo = begin
    let next: Homes | undefined
    for (let from = begin; from < end; from += SEGMENTS_AT_ONCE) {
      const to = Math.min(from + SEGMENTS_AT_ONCE, end)
      const homes = next ?? (await this.read(row.topic, from, to))
      // A second may go on in the next part.
      if (passing !== undefined && to < end) next = await this.read(row.topic, to, Math.min(to + SEGMENTS_AT_ONCE, end))
      this.readTo = to
      if (from === begin && !this.segments.has(begin)) this.noteExpired()
      const part = to < end ? homes : merged(homes, headHomes(row))
      for (const id of (await passing?.judge(part, to < end ? next! : new Map())) ?? []) this.done.add(id)
      yield part
    }
    if (begin >= end) {
      const part = headHomes(row)
      for (const id of (await passing?.judge(part, new Map())) ?? []) this.done.add(id)
      yield part
    }
    // All parts were delivered, or the caller had not come back.
    if (this.position !== undefined) this.position = (await passing?.end(this.position)) ?? this.position
  }

  private async read(topic: string, from: number, to: number): Promise<Homes> {
    const homes: Homes = new Map()
    for (const [seq, ids] of await this.context.ports.topics.segments(topic, from, to)) {
      addHomes(homes, ids, seq)
      this.segments.set(seq, ids)
    }
    return homes
  }

  /** For a native subscriber that has windows. */
  private async passing(topic: string, begin: number): Promise<WindowPass | undefined> {
    const { windows } = this.position!
    const { sent } = subscriberOf(this.drain.seat)
    if (windows.length === 0 || this.drain.seat.live.kind !== 'client' || sent !== topic) return undefined
    return beginPass(this.context, { topic, clientid: this.drain.clientid, windows, begin, isLate: this.isLate })
  }

  /** Oldest first. For a native subscriber those that IoT Core surely or perhaps did not deliver: from before its SUBSCRIBE. */
  eligible(homes: Homes): string[] {
    const { live } = this.drain.seat
    const before = live.kind === 'client' ? live.since + MARGIN : Number.POSITIVE_INFINITY
    return oldestFirst([...homes.keys()].filter((id) => !this.has(id) && millisOfMsgid(id) < before))
  }

  async deliver(ids: readonly string[], homes: Homes): Promise<Stop | undefined> {
    const pages = new MessagePages(this.context.ports.messages, ids)
    const { prefix } = subscriberOf(this.drain.seat)
    for (let page = await pages.next(); page !== undefined; page = await pages.next()) {
      for (const id of page.ids) {
        const message = page.stored.get(id)
        if (message === undefined || hasExpired(message, this.drain.at)) {
          this.done.add(id)
          continue
        }
        if (this.tried && isSliceOver(this.context)) return 'sliced'
        this.tried = true
        const outcome = await this.sender.send(message, { prefix })
        if (outcome !== 'acked' && outcome !== 'unsendable') return outcome
        this.done.add(id)
        if (outcome !== 'acked') continue
        this.progressed = true
        this.receipts.acked(this.drain.clientid, message)
        this.unsaved.set(id, Math.max(...(homes.get(id) ?? [])))
        if (this.unsaved.size >= ACKS_TOGETHER) this.flush()
        pages.readAhead()
      }
    }
    await this.writeAcks()
    return undefined
  }

  /** The position moves while the next messages are under way. */
  private flush(): void {
    const acked = this.unsaved
    this.unsaved = new Map()
    this.saves = this.saves.then(() => this.save(acked))
    this.saves.catch(() => {})
  }

  async writeAcks(): Promise<void> {
    this.flush()
    await this.saves
  }

  /** Leaves full segments behind of which the client has everything, and remembers what it has of later ones. */
  private async save(acked: ReadonlyMap<string, number>): Promise<void> {
    const { acked: table } = this.context.ports
    const { topic } = this.drain.seat
    const { clientid } = this.drain
    const newest = oldestFirst(acked.keys()).at(-1)
    const before = this.position
    // Moved back meanwhile, it stands before what was read: the next round goes on there.
    const isRead = before !== undefined && before.seq >= this.readFrom
    const to = !isRead ? 0 : firstUnread(before, this.readTo, this.segments, (id) => this.done.has(id))
    if (isRead && to > before.seq) {
      const gone = leftBehind(before, to, this.segments, this.head)
      this.position = (await table.fold(topic, clientid, before, { to, gone, newest })) ?? (await this.reload())
    }
    // Another event may have moved the position meanwhile.
    for (let rest = [...acked]; this.position !== undefined; ) {
      const { seq } = this.position
      rest = rest.filter(([, home]) => home >= seq)
      if (rest.length === 0) return
      const ids = oldestFirst(rest.map(([id]) => id))
      const home = Math.min(...rest.map(([, home]) => home))
      const added = await table.addSeen(topic, clientid, ids, home)
      this.position = added ?? (await this.reload())
      if (added !== undefined) return
    }
  }

  private has = (id: string): boolean => this.done.has(id) || (this.position !== undefined && isPassed(this.position, id))

  private reload = async (): Promise<Position | undefined> =>
    (await this.context.ports.acked.lastAcked(this.drain.seat.topic, this.drain.clientid))?.position

  private noteExpired(): void {
    if (this.isToldOfExpiry) return
    this.isToldOfExpiry = true
    const { clientid, seat } = this.drain
    const why = 'what stood at its read position has expired; it goes on with what is there'
    this.context.limited({ limit: 'position-expired', clientid, topic: seat.topic, why })
  }
}

function merged(a: Homes, b: Homes): Homes {
  const all: Homes = new Map(a)
  for (const [id, seqs] of b) all.set(id, new Set([...(a.get(id) ?? []), ...seqs]))
  return all
}
