/** The hooks' queues as SQS keeps them: at least once, in any order, again after a failure, dead letters after too many receives. */
import { HOOK_SETTINGS } from '../../lib/hook-settings.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import type { Random } from './scheduler.ts'

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

export interface QueueFaults {
  /** Share of events that a rule puts twice. */
  readonly duplicated: number
  /** Share of receives after which SQS shows the message to another function as well. */
  readonly receivedTwice: number
  /** Milliseconds: an event may be hidden for up to this when it comes in. */
  readonly late: number
}
export const NO_QUEUE_FAULTS: QueueFaults = { duplicated: 0, receivedTwice: 0, late: 0 }

export class Queues {
  events: QueuedEvent[] = []
  deadLetters: QueuedEvent[] = []
  faults: QueueFaults = NO_QUEUE_FAULTS
  private readonly random: Random
  private ids = 0

  constructor(random: Random) {
    this.random = random
  }

  put(hook: HookName, event: object, now: number, label: string): void {
    const copies = this.random.chance(this.faults.duplicated) ? 2 : 1
    for (let i = 0; i < copies; i++) {
      const late = this.random.chance(0.15) ? this.random.below(this.faults.late + 1) : 0
      this.events.push({ hook, id: `q${++this.ids}`, body: JSON.stringify(event), receives: 0, visibleAt: now + late, label })
    }
  }

  /** A batch of one hook's visible events, in any order; empty if there are none. */
  receive(now: number, most: number): QueuedEvent[] {
    const visible = this.events.filter(({ visibleAt }) => visibleAt <= now)
    if (visible.length === 0) return []
    const { hook } = this.random.pick(visible)
    const size = this.random.between(1, most)
    const batch = this.random.shuffled(visible.filter((event) => event.hook === hook)).slice(0, size)
    for (const event of batch) {
      event.receives++
      if (!this.random.chance(this.faults.receivedTwice)) this.events.splice(this.events.indexOf(event), 1)
    }
    return batch
  }

  /** The function failed, or died: visible again some time later, or dead. */
  giveBack(event: QueuedEvent, now: number): void {
    if (this.events.includes(event)) return
    if (event.receives >= HOOK_SETTINGS[event.hook].maxReceives) this.deadLetters.push(event)
    else this.events.push({ ...event, visibleAt: now + this.random.pick([0, 500, 3_000, 20_000]) })
  }

  /** The operator's redrive: new message ids, from the beginning. */
  redrive(now: number): void {
    for (const event of this.deadLetters.splice(0)) this.events.push({ ...event, id: `q${++this.ids}`, receives: 0, visibleAt: now })
  }

  get nextVisible(): number {
    return Math.min(...this.events.map(({ visibleAt }) => visibleAt))
  }
}
