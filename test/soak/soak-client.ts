/** One MQTT client with its own record of what it got, and all the ways in which clients come and go. */
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import mqtt, { type MqttClient } from 'mqtt'
import { orAborted } from './abort.ts'
import type { Role } from './cast.ts'
import { topicsRead } from './copies.ts'
import { ReceiptBook } from './receipts.ts'

/** Seconds. Short, so that the doubt about a lost connection (one and a half of it) ends within a soak. */
const KEEP_ALIVE = 10
const RECONNECT_MS = 250
/** IoT Core closes the connection on more filters in a SUBSCRIBE. */
const FILTERS_AT_ONCE = 8
/** How long a client waits for the acknowledgements that an orderly end takes, or for an UNSUBACK that a busy broker owes it. */
const PATIENCE_MS = 3_000

interface Line {
  readonly client: MqttClient
  /** Rejects when the client will not be used again. */
  readonly ended: Promise<never>
  /** Cuts it off for good. The library's own end waits for ever for acknowledgements that a lost connection owes it. */
  readonly drop: () => void
}

export class SoakClient {
  readonly role: Role
  readonly book: ReceiptBook
  /** Exact topic -> when it began to be subscribed there, or did anew after an UNSUBSCRIBE. Milliseconds. */
  readonly reads = new Map<string, number>()
  readonly #url: string
  #line: Line | undefined

  constructor(url: string, role: Role) {
    this.#url = url
    this.role = role
    this.book = new ReceiptBook(role)
  }

  get connected(): boolean {
    return this.#line?.client.connected ?? false
  }

  /** Connected and subscribed; from then on it comes back by itself when its connection ends. */
  async connect(signal: AbortSignal): Promise<void> {
    const line = this.#open()
    this.#line = line
    await orAborted(new Promise<void>((resolve) => line.client.once('connect', () => resolve())), signal)
  }

  /** Resolves with the PUBACK, be it after a reconnect; rejects where this client will not get one any more. */
  async publish(topic: string, payload: string, { retain }: { retain: boolean }): Promise<void> {
    if (!this.#line) throw new Error(`${this.role.clientid} is not there`)
    const { client, ended } = this.#line
    await Promise.race([client.publishAsync(topic, payload, { qos: 1, retain }), ended])
  }

  /** DISCONNECT. */
  async leave(): Promise<void> {
    const line = this.#line
    this.#line = undefined
    if (line) await Promise.race([line.client.endAsync(), pause(PATIENCE_MS)])
    line?.drop()
  }

  /** Cut off for good, without a DISCONNECT. */
  end(): void {
    this.#line?.drop()
    this.#line = undefined
  }

  /** Resolves once it is connected, at once if it is. */
  async connectedAgain(): Promise<void> {
    const client = this.#line?.client
    if (client && !client.connected) await new Promise<void>((resolve) => client.once('connect', () => resolve()))
  }

  /** The network is cut without a DISCONNECT; it comes back by itself. */
  cut(): void {
    this.#line?.client.stream.destroy()
  }

  /** Half open: for a while nothing goes through and nobody is told; then as {@link cut}. */
  async freeze(milliseconds: number, signal: AbortSignal): Promise<void> {
    const stream = this.#line?.client.stream as Socket | undefined
    stream?.unpipe()
    stream?.pause()
    stream?.cork()
    await pause(milliseconds, undefined, { signal })
    stream?.destroy()
  }

  /** A second client with the same id, while the first is still there. */
  async takeOver(signal: AbortSignal): Promise<void> {
    const old = this.#line
    // Or the two would take over from each other for ever.
    if (old) old.client.options.reconnectPeriod = 0
    try {
      await this.connect(signal)
    } finally {
      old?.drop()
    }
  }

  async unsubscribe(): Promise<void> {
    const client = this.#line?.client
    if (client?.connected) for (const topic of topicsRead(this.role.filters)) this.reads.delete(topic)
    if (client?.connected) await Promise.race([client.unsubscribeAsync([...this.role.filters]), pause(PATIENCE_MS)])
  }

  async subscribe(): Promise<void> {
    const client = this.#line?.client
    if (!client?.connected) return
    for (let i = 0; i < this.role.filters.length; i += FILTERS_AT_ONCE) {
      const filters = this.role.filters.slice(i, i + FILTERS_AT_ONCE)
      await client.subscribeAsync(filters, { qos: 1 })
      this.#began(filters)
    }
  }

  #began(filters: readonly string[]): void {
    for (const topic of topicsRead(filters)) if (!this.reads.has(topic)) this.reads.set(topic, Date.now())
  }

  #open(): Line {
    const { clientid, protocol } = this.role
    const options = { reconnectPeriod: RECONNECT_MS, connectTimeout: 10_000, keepalive: KEEP_ALIVE, resubscribe: false }
    const client = mqtt.connect(this.#url, { clientId: clientid, protocolVersion: protocol, ...options })
    client.setMaxListeners(0)
    client.on('error', () => undefined) // it tries again
    client.on('message', (_topic, _payload, packet) => this.book.note(packet))
    // Also after a reconnect; what a broken connection makes of it, the next one repairs.
    client.on('connect', () => {
      this.#began(this.role.operatorFilters)
      void this.subscribe().catch(() => undefined)
    })
    let drop = () => {}
    const ended = new Promise<never>((_, reject) => {
      drop = () => {
        client.end(true)
        client.stream.destroy()
        reject(new Error(`${clientid} has ended`))
      }
    })
    ended.catch(() => undefined)
    return { client, ended, drop }
  }
}
