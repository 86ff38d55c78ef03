/** What the local run keeps from run to run: the state that the journal's entries add up to. */

/** A client id forgotten for an hour starts over at version 0 (developer guide, "Lifecycle events"). */
export const CLIENT_MEMORY_MS = 3_600_000

/** One thing that happened. Applying an entry twice changes nothing. Times in milliseconds. */
export type Entry =
  | { readonly did: 'sent'; readonly queue: string; readonly id: string; readonly at: number; readonly body: string }
  /** How often each message has been received by now. */
  | { readonly did: 'received'; readonly at: number; readonly messages: readonly (readonly [id: string, receives: number])[] }
  /** The message was handled, or redriven under a new id. */
  | { readonly did: 'left'; readonly id: string; readonly at: number }
  | { readonly did: 'died'; readonly id: string; readonly at: number; readonly receives: number; readonly reason: string }
  | { readonly did: 'retained'; readonly message: SavedRetainedMessage }
  | { readonly did: 'cleared'; readonly topic: string }
  | { readonly did: 'connected'; readonly clientid: string; readonly session: string; readonly version: number; readonly at: number }
  | { readonly did: 'disconnected'; readonly clientid: string; readonly at: number }

export type Append = (entry: Entry) => void

/** A retained message as the journal keeps it. `payload` and `correlationData` are base64. */
export interface SavedRetainedMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1
  readonly lastModifiedTime: number
  readonly user?: readonly (readonly [string, string])[]
  readonly contentType?: string
  /** Payload format indicator: true for UTF-8. */
  readonly utf8?: boolean
  readonly responseTopic?: string
  readonly correlationData?: string
  readonly expiresAt?: number
}

/** A message that is neither handled nor given up. */
export interface KeptMessage {
  readonly queue: string
  readonly id: string
  readonly at: number
  readonly body: string
  readonly receives: number
}

export interface KeptDeadLetter extends KeptMessage {
  readonly diedAt: number
  readonly reason: string
}

export interface KeptClient {
  readonly session: string
  readonly version: number
  readonly connectedAt: number
  /** Absent while it is connected. */
  readonly disconnectedAt?: number
}

export class KeptState {
  /** Message id -> message, in the order of sending. */
  readonly waiting = new Map<string, KeptMessage>()
  readonly deadLetters = new Map<string, KeptDeadLetter>()
  /** Topic -> its retained message. */
  readonly retained = new Map<string, SavedRetainedMessage>()
  /** Client id -> its latest connection. */
  readonly clients = new Map<string, KeptClient>()
  /** The time of the latest entry: the run was alive then. Milliseconds; 0: no entry. */
  lastAt = 0

  apply(entry: Entry): void {
    if ('at' in entry) this.lastAt = Math.max(this.lastAt, entry.at)
    switch (entry.did) {
      case 'sent': {
        const { queue, id, at, body } = entry
        this.waiting.set(id, { queue, id, at, body, receives: 0 })
        break
      }
      case 'received':
        for (const [id, receives] of entry.messages) this.#received(id, receives)
        break
      case 'left':
        this.waiting.delete(entry.id)
        this.deadLetters.delete(entry.id)
        break
      case 'died':
        this.#died(entry)
        break
      case 'retained':
        this.retained.set(entry.message.topic, entry.message)
        break
      case 'cleared':
        this.retained.delete(entry.topic)
        break
      case 'connected': {
        const { clientid, session, version, at } = entry
        this.clients.set(clientid, { session, version, connectedAt: at })
        break
      }
      case 'disconnected': {
        const client = this.clients.get(entry.clientid)
        if (client) this.clients.set(entry.clientid, { ...client, disconnectedAt: entry.at })
        break
      }
    }
  }

  /** The shortest list of entries that gives the same state. */
  *entries(): Generator<Entry> {
    for (const { queue, id, at, body } of [...this.waiting.values(), ...this.deadLetters.values()])
      yield { did: 'sent', queue, id, at, body }
    for (const { id, at, receives } of this.waiting.values()) if (receives > 0) yield { did: 'received', at, messages: [[id, receives]] }
    for (const { id, diedAt: at, receives, reason } of this.deadLetters.values()) yield { did: 'died', id, at, receives, reason }
    for (const message of this.retained.values()) yield { did: 'retained', message }
    for (const [clientid, { session, version, connectedAt: at, disconnectedAt }] of this.clients) {
      if (disconnectedAt !== undefined && disconnectedAt < this.lastAt - CLIENT_MEMORY_MS) continue
      yield { did: 'connected', clientid, session, version, at }
      if (disconnectedAt !== undefined) yield { did: 'disconnected', clientid, at: disconnectedAt }
    }
  }

  #received(id: string, receives: number): void {
    const message = this.waiting.get(id)
    if (message) this.waiting.set(id, { ...message, receives })
  }

  #died({ id, at, receives, reason }: Extract<Entry, { did: 'died' }>): void {
    const message = this.waiting.get(id)
    if (!message) return
    this.waiting.delete(id)
    this.deadLetters.set(id, { ...message, diedAt: at, receives, reason })
  }
}
