/** One client's socket: packets in, in order and within the broker's back-pressure; packets out; keep-alive; the end. */
import type { Socket } from 'node:net'
import mqtt, { type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet'
import type { Backlog } from './backlog.ts'
import { MAX_IN_FLIGHT, MAX_KEEP_ALIVE_SECONDS, MAX_PAYLOAD_BYTES } from './iot-limits.ts'
import type { DisconnectReason } from './lifecycle.ts'
import { KEEP_ALIVE_TIMEOUT, PACKET_TOO_LARGE } from './reason-codes.ts'
import type { Link, Session } from './session.ts'

/** What the broker does with a connection's packets. Handlers are synchronous: packets of one client never overtake each other. */
export interface PacketHandlers {
  readonly backlog: Backlog
  connect(connection: Connection, packet: IConnectPacket): void
  packet(connection: Connection, packet: Packet): void
  closed(connection: Connection, reason: DisconnectReason): void
  warn(text: string): void
}

/** Longest packet: payload, topic and properties. */
const MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 21 * 1024
/** Beyond so much behind a waiting publish the socket is read no further: the client's TCP holds the rest. */
const MAX_HELD_BYTES = 1_000_000
const PACKET_OVERHEAD_BYTES = 200
const CONNECT_TIMEOUT_MS = 10_000

export class Connection implements Link {
  readonly socket: Socket
  readonly connectedSince = Date.now()
  readonly aliases = new Map<number, string>()
  protocol: 4 | 5 = 4
  window = MAX_IN_FLIGHT
  keepAliveSeconds = MAX_KEEP_ALIVE_SECONDS
  /** Set once CONNECT is accepted. */
  session: Session | undefined
  version = 0
  will: IConnectPacket['will']
  readonly #handlers: PacketHandlers
  readonly #parser = mqtt.parser()
  #timer: NodeJS.Timeout
  /** Packets behind a publish that waits for room. */
  #held: Packet[] = []
  /** Of all packets since none was held. */
  #heldBytes = 0
  #closed = false

  constructor(socket: Socket, handlers: PacketHandlers) {
    this.socket = socket
    this.#handlers = handlers
    this.#timer = setTimeout(() => this.end('CLIENT_ERROR', 'sent no CONNECT'), CONNECT_TIMEOUT_MS)
    socket.setNoDelay(true)
    this.#parser.on('packet', (packet) => this.#receive(packet))
    this.#parser.on('error', (error: Error) => this.end('CLIENT_ERROR', `sent a malformed packet: ${error.message}`))
    socket.on('data', (chunk: Buffer) => this.#parse(chunk))
    socket.on('error', () => undefined) // 'close' follows and says all there is
    socket.on('close', () => this.#lost())
  }

  get clientid(): string {
    return this.session?.clientid ?? '(not connected)'
  }

  get unsent(): number {
    return this.socket.writableLength
  }

  send(packet: Packet | IPublishPacket): void {
    if (!this.#closed) mqtt.writeToStream(packet, this.socket, { protocolVersion: this.protocol })
  }

  keepAlive(seconds: number): void {
    this.keepAliveSeconds = seconds
    clearTimeout(this.#timer)
    // [MQTT-3.1.2-24]
    this.#timer = setTimeout(() => this.#silent(), seconds * 1500)
  }

  /** Closes the connection, saying why to an MQTT 5 client that gets a code. */
  end(reason: DisconnectReason, fault?: string, reasonCode?: number): void {
    if (this.#closed) return
    if (fault) this.#handlers.warn(`client ${JSON.stringify(this.clientid)} ${fault}: connection closed`)
    if (this.protocol === 5 && this.session && reasonCode !== undefined) this.send({ cmd: 'disconnect', reasonCode })
    this.#closed = true
    clearTimeout(this.#timer)
    this.#held = []
    this.socket.destroySoon()
    this.#handlers.closed(this, reason)
  }

  #parse(chunk: Buffer): void {
    if (this.#closed) return
    this.#parser.parse(chunk)
    const { packet } = this.#parser as unknown as { packet: { length: number } }
    if (packet.length > MAX_PACKET_BYTES)
      this.end('CLIENT_ERROR', `sends a packet of ${packet.length} bytes, wanted at most 128 KB`, PACKET_TOO_LARGE)
  }

  #receive(packet: Packet): void {
    if (this.#closed) return
    if (!this.session) {
      if (packet.cmd === 'connect') this.#handlers.connect(this, packet)
      else this.end('CLIENT_ERROR', `sent ${packet.cmd.toUpperCase()} before CONNECT`) // [MQTT-3.1.0-1]
      return
    }
    this.#timer.refresh()
    // A PUBACK may be what a handler waits for: it never waits behind a publish that waits for the handlers.
    if (packet.cmd === 'puback' || packet.cmd === 'pingreq') this.#handlers.packet(this, packet)
    else this.#take(packet)
  }

  #take(packet: Packet): void {
    this.#held.push(packet)
    this.#heldBytes += (packet.length ?? 0) + PACKET_OVERHEAD_BYTES
    if (this.#held.length === 1) this.#drain()
    else if (this.#heldBytes > MAX_HELD_BYTES) this.socket.pause()
  }

  readonly #drain = (): void => {
    while (!this.#closed && this.#held.length > 0) {
      const packet = this.#held[0]!
      if (packet.cmd === 'publish' && this.#handlers.backlog.full) {
        this.#handlers.backlog.whenRoom(this.#drain)
        return
      }
      this.#handlers.packet(this, packet)
      this.#held.shift()
    }
    if (this.#held.length === 0) this.#heldBytes = 0
    if (!this.#closed && this.socket.isPaused()) this.socket.resume()
  }

  /** What the client sent before the socket closed still counts: nothing that arrived is dropped. */
  #lost(): void {
    for (const packet of this.#held) if (!this.#closed) this.#handlers.packet(this, packet)
    this.end('CONNECTION_LOST')
  }

  #silent(): void {
    // Behind back-pressure it is we who do not listen.
    if (this.#held.length > 0) this.#timer.refresh()
    else this.end('MQTT_KEEP_ALIVE_TIMEOUT', undefined, KEEP_ALIVE_TIMEOUT)
  }
}
