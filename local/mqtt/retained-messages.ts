/** The retained message of each topic: kept, replaced, and deleted by an empty one. */
import type { Append, SavedRetainedMessage } from '../state/kept-state.ts'
import type { MqttMessage, MqttProperties } from './mqtt-message.ts'

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
    for (const one of saved) this.#byTopic.set(one.topic, restored(one))
  }
}

function savedOf({ message, lastModifiedTime }: RetainedMessage): SavedRetainedMessage {
  const { topic, payload, qos, expiresAt, properties } = message
  const { correlationData, ...others } = properties
  return {
    topic,
    payload: payload.toString('base64'),
    qos,
    lastModifiedTime,
    ...others,
    ...(correlationData === undefined ? {} : { correlationData: correlationData.toString('base64') }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

function restored({ topic, payload, qos, lastModifiedTime, expiresAt, correlationData, ...others }: SavedRetainedMessage): RetainedMessage {
  const correlation = correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData, 'base64') }
  const expiry = expiresAt === undefined ? {} : { expiresAt }
  const properties: MqttProperties = { ...others, ...correlation }
  const message: MqttMessage = { topic, payload: Buffer.from(payload, 'base64'), qos, retain: true, properties, ...expiry }
  return { message, lastModifiedTime }
}
