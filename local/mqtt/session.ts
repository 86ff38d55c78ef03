/** An MQTT session: subscriptions, and the QoS 1 messages that wait for a slot, a PUBACK or the client's return. */
import type { IPublishPacket } from 'mqtt-packet'
import { TokenBucket } from '../token-bucket.ts'
import type { HeldMessages } from './held-messages.ts'
import { MAX_IN_FLIGHT, MAX_PUBLISHES_PER_SECOND, REPLAYED_PER_SECOND } from './iot-limits.ts'
import { type MqttMessage, packetProperties } from './mqtt-message.ts'
import { type DirectOutcome, type InFlight, isExpired, type Link, type Outgoing } from './outgoing.ts'
import type { Remind } from './reminder.ts'
import type { Grant, Member } from './subscription-index.ts'

/** What all sessions of a broker share. */
export interface SessionParts {
  readonly held: HeldMessages
  readonly remind: Remind
}

/** QoS 0 messages to a client are dropped while so many bytes wait for its socket. */
const MAX_UNSENT_BYTES = 1_000_000
const LAST_PACKET_ID = 65_535
const REPLAY_MS = 1000 / REPLAYED_PER_SECOND
/** MQTT 5 reason codes of a PUBACK from here on refuse the message. */
const FIRST_REFUSAL = 0x80

export class Session implements Member {
  readonly clientid: string
  /** sessionIdentifier */
  readonly id: string
  /** Of the client that began it. */
  readonly protocol: 4 | 5
  /** How long the session outlives its connection; 0: not at all. */
  expirySeconds = 0
  readonly subscriptions = new Map<string, Grant>()
  readonly #parts: SessionParts
  #link: Link | undefined
  /** For the client that is connected. */
  #waiting: Outgoing[] = []
  /** Messages that came while the client was away, or that it had not acknowledged when it left. */
  #stored: Outgoing[] = []
  readonly #inFlight = new Map<number, InFlight>()
  #replayRate = new TokenBucket(REPLAYED_PER_SECOND, 1)
  #replay: NodeJS.Timeout | undefined
  #lastId = 0

  constructor(clientid: string, id: string, protocol: 4 | 5, parts: SessionParts) {
    this.clientid = clientid
    this.id = id
    this.protocol = protocol
    this.#parts = parts
  }

  get online(): boolean {
    return this.#link !== undefined
  }

  attach(link: Link): void {
    this.#link = link
    this.#fill()
  }

  /** A direct message is not kept for the client's return: its sender is told that no PUBACK came. */
  detach(): void {
    this.#link = undefined
    const unacknowledged = [...this.#inFlight.values()]
    this.#inFlight.clear()
    for (const { confirm } of unacknowledged) confirm?.(false)
    this.#stored = [...unacknowledged.filter(({ confirm }) => !confirm), ...this.#stored, ...this.#waiting]
    this.#waiting = []
    if (this.expirySeconds === 0) this.end()
  }

  /** The session is over: what it held is dropped, as in IoT Core. */
  end(): void {
    clearTimeout(this.#replay)
    if (this.expirySeconds > 0 && this.#stored.length > 0) this.#dropping('its session has ended while they were stored for it')
    for (const { message } of [...this.#stored, ...this.#waiting]) this.#parts.held.release(message)
    this.#stored = []
    this.#waiting = []
  }

  /** A publish that a subscription matched. */
  deliver(message: MqttMessage, { qos, nl, rap, share }: Grant): void {
    if (nl && message.clientid === this.clientid) return
    this.#send({ message, retain: rap && message.retain, share }, message.qos < qos ? message.qos : qos)
  }

  /** The retained message for a new subscription, always with RETAIN 1. */
  deliverRetained(message: MqttMessage, { qos }: Grant): void {
    this.#send({ message, retain: true }, message.qos < qos ? message.qos : qos)
  }

  /** Sends to the client whether it is subscribed or not. With `confirmMs` at QoS 1, and waits so long for the PUBACK; else at QoS 0. */
  direct(message: MqttMessage, confirmMs: number | undefined): Promise<DirectOutcome> {
    if (!this.#hasSlot() && confirmMs !== undefined) return Promise.resolve('busy')
    if (!this.#link!.rate.take()) return Promise.resolve('throttled')
    if (confirmMs === undefined) {
      this.#write(message, 0, { retain: false })
      return Promise.resolve('sent')
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('unconfirmed'), confirmMs).unref()
      const confirm = (acked: boolean) => {
        clearTimeout(timer)
        resolve(acked ? 'acked' : 'unconfirmed')
      }
      this.#launch({ message, retain: false, confirm })
    })
  }

  /**
   * A PUBACK. Whatever its reason code, the message is not sent again [MQTT-4.4.0-2]; with one that refuses it, the sender of a
   * direct message is not told that it was delivered.
   * @param heard False (misbehaviour on purpose): the sender of a direct message is told at once that no PUBACK came
   */
  acknowledge(id: number, reasonCode: number, heard: () => boolean): void {
    const acked = this.#inFlight.get(id)
    if (!acked) return
    this.#inFlight.delete(id)
    if (acked.confirm) acked.confirm(reasonCode < FIRST_REFUSAL && heard())
    else this.#parts.held.release(acked.message)
    this.#fill()
  }

  /** Hands the messages of a shared filter (undefined: of other filters) that wait for this client's return over to another session. */
  handOver(share: string | undefined): Outgoing[] {
    const theirs = this.#stored.filter((one) => one.share === share)
    this.#stored = this.#stored.filter((one) => one.share !== share)
    return theirs
  }

  takeOver(stored: readonly Outgoing[]): void {
    this.#stored.push(...stored)
    this.#fill()
  }

  #send(outgoing: Outgoing, qos: 0 | 1): void {
    const { message } = outgoing
    if (qos === 0) {
      this.#sendOnce(outgoing)
      return
    }
    if (!this.#link && this.expirySeconds === 0) return
    const refusal = this.#parts.held.hold(message, { offline: !this.#link })
    if (refusal !== undefined) {
      this.#dropping(refusal)
      return
    }
    if (this.#link) this.#waiting.push(outgoing)
    else this.#stored.push(outgoing)
    this.#fill()
  }

  /** Quota page, "Publish requests per second per connection": "requests that exceed that quota are discarded". */
  #isWithinRate(): boolean {
    if (this.#link!.rate.take()) return true
    this.#dropping(`IoT Core sends at most ${MAX_PUBLISHES_PER_SECOND} a second to a connection`)
    return false
  }

  #sendOnce({ message, retain }: Outgoing): void {
    if (!this.#link) return
    if (this.#link.unsent >= MAX_UNSENT_BYTES) this.#dropping(`its socket has not taken ${MAX_UNSENT_BYTES} bytes (QoS 0 only)`)
    else if (this.#isWithinRate()) this.#write(message, 0, { retain })
  }

  #dropping(why: string): void {
    this.#parts.remind(`${why} ${this.clientid}`, `client ${JSON.stringify(this.clientid)}: messages to it are dropped: ${why}`)
  }

  #fill(): void {
    while (this.#hasSlot() && this.#waiting.length > 0) {
      const next = this.#waiting.shift()!
      if (!isExpired(next) && this.#isWithinRate()) this.#launch(next)
      else this.#parts.held.release(next.message)
    }
    this.#replayStored()
  }

  /** Developer guide, "Message traffic after reconnection": at most 10 a second, beside what is published now. */
  #replayStored(): void {
    clearTimeout(this.#replay)
    while (this.#hasSlot() && this.#stored.length > 0) {
      if (isExpired(this.#stored[0]!)) this.#parts.held.release(this.#stored.shift()!.message)
      else if (this.#replayRate.take() && this.#link!.rate.take()) this.#launch(this.#stored.shift()!)
      else {
        this.#replay = setTimeout(() => this.#replayStored(), REPLAY_MS).unref()
        return
      }
    }
  }

  /** Quota page, "Maximum outbound unacknowledged QoS 1 publish requests". */
  #hasSlot(): boolean {
    return this.#link !== undefined && this.#inFlight.size < Math.min(this.#link.window, MAX_IN_FLIGHT)
  }

  #launch(outgoing: InFlight): void {
    const id = this.#takeId()
    this.#inFlight.set(id, outgoing)
    this.#write(outgoing.message, 1, { retain: outgoing.retain, id })
  }

  /** "The MQTT DUP flag is not supported": IoT Core sends a message again under another packet id, with DUP 0. */
  #write(message: MqttMessage, qos: 0 | 1, { retain, id }: { retain: boolean; id?: number }): void {
    const properties = this.#link!.protocol === 5 ? packetProperties(message, Date.now()) : undefined
    const { topic, payload } = message
    const head = { cmd: 'publish', topic, payload, qos, dup: false, retain } as const
    const packet: IPublishPacket = { ...head, ...(id === undefined ? {} : { messageId: id }), ...(properties ? { properties } : {}) }
    if (this.#link!.takes(packet)) {
      this.#link!.send(packet)
      return
    }
    // [MQTT-3.1.2-25] The client cannot take the packet: the message counts as delivered.
    this.#dropping('they are above its Maximum Packet Size')
    if (id !== undefined) queueMicrotask(() => this.acknowledge(id, FIRST_REFUSAL, () => true))
  }

  #takeId(): number {
    do this.#lastId = this.#lastId >= LAST_PACKET_ID ? 1 : this.#lastId + 1
    while (this.#inFlight.has(this.#lastId))
    return this.#lastId
  }
}
