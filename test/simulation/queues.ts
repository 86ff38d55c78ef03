/** The hooks' queues as SQS keeps them: at least once, in any order, again after a failure, dead letters after too many receives. */

import type { HookName } from '../../lambda/core/hooks.ts'
import { HOOK_SETTINGS } from '../../lib/pipeline/hook-settings.ts'
import type { Faults } from './faults.ts'
import type { Random } from './random.ts'

export interface QueuedEvent {
  readonly hook: HookName
  /** SQS message id: the same at every receive. */
  readonly id: string
  readonly body: string
  receives: number
  /** Milliseconds. */
  visibleAt: number
  readonly label: string
}

/** What IoT Core tells of. */
export interface Emitted {
  readonly hook: HookName
  readonly event: object
  readonly label: string
  readonly beforeEnds?: boolean
}

/** An event may come so late. Milliseconds. */
const LATEST = 20_000
const ENDS: readonly HookName[] = ['client.disconnected', 'session.unsubscribed']

export class Queues {
  events: QueuedEvent[] = []
  deadLetters: QueuedEvent[] = []
  /** Ids under which nothing is tried again, though their last try failed: a lease of theirs ends only with its time. And their sessions. */
  readonly abandoned = new Set<string>()
  private readonly deleted = new Set<string>()
  /** Ids that were handled twice at once: they share a lease. */
  readonly doubled = new Set<string>()
  /** Id -> receives that are being handled. */
  private readonly running = new Map<string, number>()
  /** Ids of which one receive failed while another was being handled. */
  private readonly failedBeside = new Set<string>()
  private readonly random: Random
  private readonly faults: Faults
  private ids = 0

  constructor(random: Random, faults: Faults) {
    this.random = random
    this.faults = faults
  }

  /** `beforeEnds`: see {@link mustWait}. */
  put({ hook, event, label, beforeEnds }: Emitted, now: number): void {
    const copies = this.faults.happens('duplicated') ? 2 : 1
    for (let i = 0; i < copies; i++) {
      const late = this.faults.happens('late') ? this.random.below(LATEST + 1) : 0
      const queued = { hook, id: `q${++this.ids}`, body: JSON.stringify(event), receives: 0, visibleAt: now + late, label }
      this.events.push(queued)
      if (beforeEnds && i === 0) this.unhandled.set(queued.id, queued)
    }
  }

  /** A batch of one hook's visible events, in any order; empty if there are none. */
  receive(now: number, most: number): QueuedEvent[] {
    const visible = this.events.filter((event) => event.visibleAt <= now && !this.mustWait(event))
    if (visible.length === 0) return []
    const { hook } = this.random.pick(visible)
    const size = this.random.between(1, most)
    const batch = this.random.shuffled(visible.filter((event) => event.hook === hook)).slice(0, size)
    for (const event of batch) {
      event.receives++
      const running = (this.running.get(event.id) ?? 0) + 1
      this.running.set(event.id, running)
      if (running > 1) this.doubled.add(event.id)
      if (!this.faults.happens('received-twice')) this.events.splice(this.events.indexOf(event), 1)
    }
    return batch
  }

  private readonly unhandled = new Map<string, QueuedEvent>()

  /**
   * Unsubscribes, and SUBSCRIBEs that lower the QoS to 0, are handled before what ends the same client's windows later: the one order that
   * the protocol relies on, because a change that nobody has heard of looks like a subscription that goes on (docs/guarantees.md).
   */
  private mustWait(event: QueuedEvent): boolean {
    if (!ENDS.includes(event.hook)) return false
    const { clientId, timestamp } = JSON.parse(event.body)
    return [...this.unhandled.values()].some((other) => {
      const earlier = JSON.parse(other.body)
      return other.id !== event.id && earlier.clientId === clientId && earlier.timestamp < timestamp
    })
  }

  /** Deletes it, and the copy that another receive had shown. */
  handled(event: QueuedEvent): void {
    this.stopped(event)
    if (this.failedBeside.has(event.id)) this.abandon(event)
    this.deleted.add(event.id)
    this.events = this.events.filter(({ id }) => id !== event.id)
    this.unhandled.delete(event.id)
  }

  /** The function failed, or died: visible again some time later, or dead. */
  giveBack(event: QueuedEvent, now: number): void {
    if (this.stopped(event) > 0) this.failedBeside.add(event.id)
    if (this.deleted.has(event.id)) this.abandon(event)
    else if (this.events.some(({ id }) => id === event.id)) return
    else if (event.receives >= HOOK_SETTINGS[event.hook].maxReceives) {
      this.abandon(event)
      this.deadLetters.push(event)
    } else this.events.push({ ...event, visibleAt: now + this.visibilityTimeout(event.hook) })
  }

  private stopped({ id }: QueuedEvent): number {
    const left = (this.running.get(id) ?? 1) - 1
    this.running.set(id, left)
    return left
  }

  private abandon(event: QueuedEvent): void {
    this.abandoned.add(event.id)
    this.abandoned.add(event.label.split(' ')[1] ?? '')
  }

  private visibilityTimeout(hook: HookName): number {
    return this.faults.happens('hasty') ? this.random.pick([0, 500, 3_000, 20_000]) : (HOOK_SETTINGS[hook].timeoutSeconds + 10) * 1000
  }

  /** The operator's redrive: new message ids, from the beginning. */
  redrive(now: number): void {
    for (const event of this.deadLetters.splice(0)) {
      const again = { ...event, id: `q${++this.ids}`, receives: 0, visibleAt: now }
      this.events.push(again)
      if (this.unhandled.delete(event.id)) this.unhandled.set(again.id, again)
    }
  }

  get nextVisible(): number {
    return Math.min(...this.events.filter((event) => !this.mustWait(event)).map(({ visibleAt }) => visibleAt))
  }
}
