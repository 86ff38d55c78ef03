/** An MQTT session: subscriptions, and the QoS 1 messages that wait for a slot, a PUBACK or the client's return. */
import type { IPublishPacket } from 'mqtt-packet'
import { MAX_IN_FLIGHT } from './iot-limits.ts'
import { type MqttMessage, packetProperties } from './mqtt-message.ts'
import type { Grant, Member } from './subscription-index.ts'

/** The connection that a session has at the moment. */
export interface Link {
  readonly protocol: 4 | 5
  /** How many unacknowledged messages the client takes (MQTT 5 Receive Maximum). */
  readonly window: number
  /** Bytes that the client's socket has not taken yet. */
  readonly unsent: number
  send(packet: IPublishPacket): void
}

interface InFlight {
  readonly message: MqttMessage
  readonly retain: boolean
  /** Of a direct message: told whether the PUBACK came. */
  readonly confirm?: (acked: boolean) => void
}

export type DirectOutcome = 'sent' | 'acked' | 'unconfirmed' | 'busy'

/** QoS 0 messages to a client are dropped while so many bytes wait for its socket. */
const MAX_UNSENT_BYTES = 1_000_000
const LAST_PACKET_ID = 65_535

export class Session implements Member {
  readonly clientid: string
  /** sessionIdentifier */
  readonly id: string
  /** How long the session outlives its connection; 0: not at all. */
  expirySeconds = 0
  readonly subscriptions = new Map<string, Grant>()
  #link: Link | undefined
  #waiting: { message: MqttMessage; retain: boolean }[] = []
  readonly #inFlight = new Map<number, InFlight>()
  #lastId = 0

  constructor(clientid: string, id: string) {
    this.clientid = clientid
    this.id = id
  }

  get online(): boolean {
    return this.#link !== undefined
  }

  /** Sends again what was in flight [MQTT-4.4.0-1], then what came while the client was away. */
  attach(link: Link): void {
    this.#link = link
    for (const [id, { message, retain }] of this.#inFlight) this.#write(message, 1, { retain, id, dup: true })
    this.#fill()
  }

  /** A direct message is not kept for the client's return: its sender is told that no PUBACK came. */
  detach(): void {
    this.#link = undefined
    for (const [id, { confirm }] of this.#inFlight) {
      if (!confirm) continue
      this.#inFlight.delete(id)
      confirm(false)
    }
    if (this.expirySeconds > 0) return
    this.#inFlight.clear()
    this.#waiting = []
  }

  /** A publish that a subscription matched. */
  deliver(message: MqttMessage, { qos, nl, rap }: Grant): void {
    if (nl && message.clientid === this.clientid) return
    this.#send(message, message.qos < qos ? message.qos : qos, rap && message.retain)
  }

  /** The retained message for a new subscription, always with RETAIN 1. */
  deliverRetained(message: MqttMessage, { qos }: Grant): void {
    this.#send(message, message.qos < qos ? message.qos : qos, true)
  }

  /** To the client whether it is subscribed or not. With `confirmMs`: at QoS 1, and the PUBACK is awaited so long; else at QoS 0. */
  direct(message: MqttMessage, confirmMs: number | undefined): Promise<DirectOutcome> {
    const link = this.#link!
    if (confirmMs === undefined) {
      this.#write(message, 0, { retain: false })
      return Promise.resolve('sent')
    }
    if (this.#inFlight.size >= Math.min(link.window, MAX_IN_FLIGHT)) return Promise.resolve('busy')
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('unconfirmed'), confirmMs).unref()
      const confirm = (acked: boolean) => {
        clearTimeout(timer)
        resolve(acked ? 'acked' : 'unconfirmed')
      }
      const id = this.#takeId()
      this.#inFlight.set(id, { message, retain: false, confirm })
      this.#write(message, 1, { retain: false, id })
    })
  }

  /** @param heard False (misbehaviour on purpose): the sender of a direct message is told at once that no PUBACK came */
  acknowledge(id: number, heard: () => boolean): void {
    const acked = this.#inFlight.get(id)
    if (!acked) return
    this.#inFlight.delete(id)
    acked.confirm?.(heard())
    this.#fill()
  }

  #send(message: MqttMessage, qos: 0 | 1, retain: boolean): void {
    if (qos === 1) {
      if (!this.online && this.expirySeconds === 0) return
      this.#waiting.push({ message, retain })
      this.#fill()
    } else if (this.#link && this.#link.unsent < MAX_UNSENT_BYTES) this.#write(message, 0, { retain })
  }

  #fill(): void {
    while (this.#link && this.#waiting.length > 0 && this.#inFlight.size < Math.min(this.#link.window, MAX_IN_FLIGHT)) {
      const { message, retain } = this.#waiting.shift()!
      if (message.expiresAt !== undefined && message.expiresAt <= Date.now()) continue
      const id = this.#takeId()
      this.#inFlight.set(id, { message, retain })
      this.#write(message, 1, { retain, id })
    }
  }

  #write(message: MqttMessage, qos: 0 | 1, { retain, id, dup = false }: { retain: boolean; id?: number; dup?: boolean }): void {
    const properties = this.#link!.protocol === 5 ? packetProperties(message, Date.now()) : undefined
    const { topic, payload } = message
    const head = { cmd: 'publish', topic, payload, qos, dup, retain } as const
    this.#link!.send({ ...head, ...(id === undefined ? {} : { messageId: id }), ...(properties ? { properties } : {}) })
  }

  #takeId(): number {
    do this.#lastId = this.#lastId >= LAST_PACKET_ID ? 1 : this.#lastId + 1
    while (this.#inFlight.has(this.#lastId))
    return this.#lastId
  }
}
