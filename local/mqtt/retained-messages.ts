/** The retained message of each topic: kept, replaced, and deleted by an empty one. */
import type { Append, SavedRetainedMessage } from '../state/kept-state.ts'
import type { MqttMessage } from './mqtt-message.ts'

export interface RetainedMessage {
  readonly message: MqttMessage
  /** Milliseconds since the epoch. */
  readonly lastModifiedTime: number
}

export class RetainedMessages {
  readonly #byTopic = new Map<string, RetainedMessage>()
  readonly #journal: Append | undefined

  /** Every change is written to `journal`. */
  constructor(journal?: Append) {
    this.#journal = journal
  }

  apply(message: MqttMessage, now: number): void {
    const { topic } = message
    if (message.payload.length === 0) {
      this.#journal?.({ did: 'cleared', topic })
      this.#byTopic.delete(topic)
    } else {
      const retained = { message, lastModifiedTime: now }
      this.#journal?.({ did: 'retained', message: savedOf(retained) })
      this.#byTopic.set(topic, retained)
    }
  }

  of(topic: string, now: number): RetainedMessage | undefined {
    const retained = this.#byTopic.get(topic)
    if (retained?.message.expiresAt === undefined || retained.message.expiresAt > now) return retained
    this.#byTopic.delete(topic)
    return undefined
  }

  /** Sorted by topic. */
  all(now: number): RetainedMessage[] {
    const alive = [...this.#byTopic.keys()].map((topic) => this.of(topic, now)).filter((retained) => retained !== undefined)
    return alive.sort((a, b) => (a.message.topic < b.message.topic ? -1 : 1))
  }

  restore(saved: Iterable<SavedRetainedMessage>): void {
    for (const { topic, payload, qos, lastModifiedTime, user, contentType, expiresAt } of saved) {
      const properties = { ...(user ? { user } : {}), ...(contentType === undefined ? {} : { contentType }) }
      const expiry = expiresAt === undefined ? {} : { expiresAt }
      const message: MqttMessage = { topic, payload: Buffer.from(payload, 'base64'), qos, retain: true, properties, ...expiry }
      this.#byTopic.set(topic, { message, lastModifiedTime })
    }
  }
}

const savedOf = ({ message, lastModifiedTime }: RetainedMessage): SavedRetainedMessage => ({
  topic: message.topic,
  payload: message.payload.toString('base64'),
  qos: message.qos,
  lastModifiedTime,
  ...(message.properties.user ? { user: message.properties.user } : {}),
  ...(message.properties.contentType === undefined ? {} : { contentType: message.properties.contentType }),
  ...(message.expiresAt === undefined ? {} : { expiresAt: message.expiresAt }),
})
