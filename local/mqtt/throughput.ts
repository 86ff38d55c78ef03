/** IoT Core's throughput of a connection: data that exceeds 512 KiB a second "is delayed in processing" (quota page). */
import type { Socket } from 'node:net'
import mqtt, { type Packet } from 'mqtt-packet'
import { TokenBucket } from '../token-bucket.ts'
import { MAX_BYTES_PER_SECOND } from './iot-limits.ts'

/** Sends packets to a client in order, not faster than that. */
export class PacedSender {
  readonly #socket: Socket
  readonly #rate = new TokenBucket(MAX_BYTES_PER_SECOND)
  #delayed: Buffer[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Bytes that the client has not got yet, as far as we know. */
  get unsent(): number {
    return this.#socket.writableLength + this.#delayed.reduce((sum, { length }) => sum + length, 0)
  }

  send(packet: Packet, protocolVersion: 4 | 5): void {
    if (this.#timer) this.#delayed.push(mqtt.generate(packet, { protocolVersion }))
    else if (packet.cmd === 'publish') this.#write(mqtt.generate(packet, { protocolVersion }))
    else mqtt.writeToStream(packet, this.#socket, { protocolVersion })
  }

  /** Drops the packets that are delayed. The client gets only this packet, which says why. */
  last(packet: Packet | undefined, protocolVersion: 4 | 5): void {
    clearTimeout(this.#timer)
    this.#delayed = []
    if (packet) mqtt.writeToStream(packet, this.#socket, { protocolVersion })
  }

  #write(bytes: Buffer): void {
    this.#socket.write(bytes)
    const wait = this.#rate.spend(bytes.length)
    if (wait > 0) this.#timer = setTimeout(() => this.#resume(), wait).unref()
  }

  #resume(): void {
    this.#timer = undefined
    while (!this.#timer && this.#delayed.length > 0) this.#write(this.#delayed.shift()!)
  }
}
