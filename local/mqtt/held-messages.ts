/** How much the sessions of a broker hold for clients that are away or do not acknowledge. */
import { TokenBucket } from '../token-bucket.ts'
import { MAX_STORED_PER_SECOND } from './iot-limits.ts'
import type { MqttMessage } from './mqtt-message.ts'

/** A limit of the local run: AWS states none, but the memory of a laptop is limited. */
const MAX_BYTES = 64 * 1024 * 1024
/** About what a held message takes beside its topic and payload. */
const OVERHEAD_BYTES = 500

export class HeldMessages {
  readonly #stored = new TokenBucket(MAX_STORED_PER_SECOND)
  readonly #most: number
  #bytes = 0

  /** @param most bytes */
  constructor(most = MAX_BYTES) {
    this.#most = most
  }

  /** Why one more message is dropped; undefined if it is held, until {@link release}. As in IoT Core, the older ones stay. */
  hold(message: MqttMessage, { offline }: { offline: boolean }): string | undefined {
    const size = sizeOf(message)
    if (this.#bytes + size > this.#most) return `all sessions together hold ${this.#most} bytes, the local run's limit`
    if (offline && !this.#stored.take())
      return `IoT Core stores at most ${MAX_STORED_PER_SECOND} messages a second for clients that are away`
    this.#bytes += size
    return undefined
  }

  release(message: MqttMessage): void {
    this.#bytes -= sizeOf(message)
  }

  get bytes(): number {
    return this.#bytes
  }
}

const sizeOf = ({ topic, payload }: MqttMessage): number => topic.length + payload.length + OVERHEAD_BYTES
