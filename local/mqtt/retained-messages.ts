/** The retained message of each topic: kept, replaced, and deleted by an empty one. */
import type { MqttMessage } from './mqtt-message.ts'

export interface RetainedMessage {
  readonly message: MqttMessage
  /** Milliseconds since the epoch. */
  readonly lastModifiedTime: number
}

/** As written to the data directory: the payload in base64. */
export interface SavedRetainedMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1
  readonly lastModifiedTime: number
  readonly user?: readonly (readonly [string, string])[]
  readonly contentType?: string
  readonly expiresAt?: number
}

export class RetainedMessages {
  readonly #byTopic = new Map<string, RetainedMessage>()

  apply(message: MqttMessage, now: number): void {
    if (message.payload.length === 0) this.#byTopic.delete(message.topic)
    else this.#byTopic.set(message.topic, { message, lastModifiedTime: now })
  }

  of(topic: string, now: number): RetainedMessage | undefined {
    const retained = this.#byTopic.get(topic)
    if (retained?.message.expiresAt === undefined || retained.message.expiresAt > now) return retained
    this.#byTopic.delete(topic)
    return undefined
  }

  /** By topic name. */
  all(now: number): RetainedMessage[] {
    const alive = [...this.#byTopic.keys()].map((topic) => this.of(topic, now)).filter((retained) => retained !== undefined)
    return alive.sort((a, b) => (a.message.topic < b.message.topic ? -1 : 1))
  }

  save(): SavedRetainedMessage[] {
    return [...this.#byTopic.values()].map(({ message, lastModifiedTime }) => ({
      topic: message.topic,
      payload: message.payload.toString('base64'),
      qos: message.qos,
      lastModifiedTime,
      ...(message.properties.user ? { user: message.properties.user } : {}),
      ...(message.properties.contentType === undefined ? {} : { contentType: message.properties.contentType }),
      ...(message.expiresAt === undefined ? {} : { expiresAt: message.expiresAt }),
    }))
  }

  restore(saved: readonly SavedRetainedMessage[]): void {
    for (const { topic, payload, qos, lastModifiedTime, user, contentType, expiresAt } of saved) {
      const properties = { ...(user ? { user } : {}), ...(contentType === undefined ? {} : { contentType }) }
      const expiry = expiresAt === undefined ? {} : { expiresAt }
      const message: MqttMessage = { topic, payload: Buffer.from(payload, 'base64'), qos, retain: true, properties, ...expiry }
      this.#byTopic.set(topic, { message, lastModifiedTime })
    }
  }
}
