/** What the stack's journal tells of every message: which event carried it under which id, and what became of the event. */
import { parsePublish } from '../../lambda/core/events/publish-events.ts'
import { msgidOf } from '../../lambda/core/msgid.ts'
import { type Entry, KeptState } from '../../local/state/kept-state.ts'
import { PUBLISH_QUEUE } from './control.ts'
import { numberOf } from './receipts.ts'

interface PublishEvent {
  readonly number: number
  readonly msgid: string
  readonly what: string[]
}

export class History {
  /** msgid -> number of the message. A publish that its client had to repeat has several msgids. */
  readonly numbers = new Map<string, number>()
  /** Event id -> event. */
  readonly #events = new Map<string, PublishEvent>()
  #kept = new KeptState()

  /** A journal, from its beginning: of the run that wrote it, or of that run so far. */
  read(entries: readonly Entry[]): void {
    this.#kept = new KeptState()
    for (const entry of entries) {
      this.#kept.apply(entry)
      if (entry.did === 'sent') this.#sent(entry)
      else if (entry.did === 'left') this.#note(entry.id, `handled at ${entry.at}`)
      else if (entry.did === 'died') this.#note(entry.id, `dead letter at ${entry.at} after ${entry.receives} tries: ${entry.reason}`)
    }
  }

  /** Numbers of the messages whose events are dead letters. */
  deadLetters(): number[] {
    return [...this.#kept.deadLetters.keys()].flatMap((id) => this.#events.get(id)?.number ?? [])
  }

  of(number: number): string[] {
    return [...this.#events]
      .filter(([, event]) => event.number === number)
      .map(([id, { msgid, what }]) => `event ${id}, msgid ${msgid}: ${what.join('; ')}`)
  }

  #sent({ id, at, queue, body }: Extract<Entry, { did: 'sent' }>): void {
    if (this.#events.has(id) || !queue.startsWith(PUBLISH_QUEUE)) return
    const publish = parsePublish(JSON.parse(body))
    const number = numberOf(publish.payload.toString())
    if (number === undefined) return
    const msgid = msgidOf(publish)
    this.numbers.set(msgid, number)
    this.#events.set(id, { number, msgid, what: [`${publish.topic} from ${publish.sender}, queued at ${at}`] })
  }

  #note(id: string, what: string): void {
    const event = this.#events.get(id)
    if (event && event.what.at(-1) !== what) event.what.push(what)
  }
}
