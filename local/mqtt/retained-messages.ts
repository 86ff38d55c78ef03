/** The retained message of each topic: kept, replaced, and deleted by an empty one. */
import type { Append, SavedRetainedMessage } from '../state/kept-state.ts'
import type { MqttMessage, MqttProperties } from './mqtt-message.ts'

/** A limit of the local run: IoT Core takes 500,000 retained messages of an account, too many for a laptop's memory. */
const MAX_BYTES = 128 * 1024 * 1024

export interface RetainedMessage {
  readonly message: MqttMessage
  /** Milliseconds since the epoch. */
  readonly lastModifiedTime: number
}

export class RetainedMessages {
  readonly #byTopic = new Map<string, RetainedMessage>()
  readonly #journal: Append | undefined
  readonly #maxBytes: number
  /** Of all payloads. */
  #bytes = 0

  /** Every change is written to `journal`. */
  constructor(journal?: Append, maxBytes = MAX_BYTES) {
    this.#journal = journal
    this.#maxBytes = maxBytes
  }

  /** False: there is no room. As in IoT Core at its quota, the old message stays until it is cleared or a shorter one replaces it. */
  apply(message: MqttMessage, now: number): boolean {
    const { topic } = message
    const growth = message.payload.length - (this.#byTopic.get(topic)?.message.payload.length ?? 0)
    if (growth > 0 && this.#bytes + growth > this.#maxBytes) return false
    this.#bytes += growth
    if (message.payload.length === 0) {
      this.#journal?.({ did: 'cleared', topic })
      this.#byTopic.delete(topic)
    } else {
      const retained = { message, lastModifiedTime: now }
      this.#journal?.({ did: 'retained', message: savedOf(retained) })
      this.#byTopic.set(topic, retained)
    }
    return true
  }

  of(topic: string, now: number): RetainedMessage | undefined {
    const retained = this.#byTopic.get(topic)
    if (retained?.message.expiresAt === undefined || retained.message.expiresAt > now) return retained
    this.#byTopic.delete(topic)
    this.#bytes -= retained.message.payload.length
    return undefined
  }

  /** Sorted by topic. */
  all(now: number): RetainedMessage[] {
    const alive = [...this.#byTopic.keys()].map((topic) => this.of(topic, now)).filter((retained) => retained !== undefined)
    return alive.sort((a, b) => (a.message.topic < b.message.topic ? -1 : 1))
  }

  restore(saved: Iterable<SavedRetainedMessage>): void {
    for (const one of saved) {
      const retained = restored(one)
      this.#byTopic.set(one.topic, retained)
      this.#bytes += retained.message.payload.length
    }
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
