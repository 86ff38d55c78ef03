/** One client's socket: reads packets in order, slows the client down while the backlog is full, watches the keep-alive, closes. */
import type { Socket } from 'node:net'
import mqtt, { type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet'
import { TokenBucket } from '../token-bucket.ts'
import type { Backlog } from './backlog.ts'
import { MAX_BYTES_PER_SECOND, MAX_IN_FLIGHT, MAX_KEEP_ALIVE_SECONDS, MAX_PAYLOAD_BYTES, MAX_PUBLISHES_PER_SECOND } from './iot-limits.ts'
import type { DisconnectReason } from './lifecycle.ts'
import type { Link } from './outgoing.ts'
import { KEEP_ALIVE_TIMEOUT, MALFORMED_PACKET, PACKET_TOO_LARGE, RECEIVE_MAXIMUM_EXCEEDED } from './reason-codes.ts'
import type { Session } from './session.ts'
import { strictParser } from './strict-parser.ts'
import { PacedSender } from './throughput.ts'

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
/** While a publish waits, so many bytes behind it are read. The rest stays in the client's TCP buffers. */
const MAX_HELD_BYTES = 1_000_000
const PACKET_OVERHEAD_BYTES = 200
const CONNECT_TIMEOUT_MS = 10_000

export class Connection implements Link {
  readonly socket: Socket
  readonly connectedSince = Date.now()
  readonly aliases = new Map<number, string>()
  protocol: 4 | 5 = 4
  window = MAX_IN_FLIGHT
  maximumPacketSize = Number.POSITIVE_INFINITY
  readonly rate = new TokenBucket(MAX_PUBLISHES_PER_SECOND)
  /** Publishes from the client. */
  readonly inboundRate = new TokenBucket(MAX_PUBLISHES_PER_SECOND)
  keepAliveSeconds = MAX_KEEP_ALIVE_SECONDS
  /** Set once CONNECT is accepted. */
  session: Session | undefined
  version = 0
  will: IConnectPacket['will']
  readonly #handlers: PacketHandlers
  readonly #sender: PacedSender
  readonly #received = new TokenBucket(MAX_BYTES_PER_SECOND)
  /** Runs while the client has sent more than IoT Core processes in that time. */
  #slowed: NodeJS.Timeout | undefined
  readonly #parser = strictParser()
  #timer: NodeJS.Timeout
  /** A publish that waits for room in the backlog, and the packets behind it. */
  #held: Packet[] = []
  /** Bytes that came since `#held` was last empty. */
  #heldBytes = 0
  #closed = false

  constructor(socket: Socket, handlers: PacketHandlers) {
    this.socket = socket
    this.#sender = new PacedSender(socket)
    this.#handlers = handlers
    this.#timer = setTimeout(() => this.end('CLIENT_ERROR', 'sent no CONNECT'), CONNECT_TIMEOUT_MS)
    socket.setNoDelay(true)
    this.#parser.on('packet', (packet) => this.#receive(packet))
    this.#parser.on('error', ({ message }: Error) => this.end('CLIENT_ERROR', `sent a malformed packet: ${message}`, MALFORMED_PACKET))
    socket.on('data', (chunk: Buffer) => this.#parse(chunk))
    socket.on('error', () => undefined) // 'close' follows
    socket.on('close', () => this.#lost())
  }

  get clientid(): string {
    return this.session?.clientid ?? '(not connected)'
  }

  get unsent(): number {
    return this.#sender.unsent
  }

  takes(packet: IPublishPacket): boolean {
    if (this.maximumPacketSize === Number.POSITIVE_INFINITY) return true
    return mqtt.generate(packet, { protocolVersion: this.protocol }).length <= this.maximumPacketSize
  }

  send(packet: Packet | IPublishPacket): void {
    if (!this.#closed) this.#sender.send(packet, this.protocol)
  }

  keepAlive(seconds: number): void {
    this.keepAliveSeconds = seconds
    clearTimeout(this.#timer)
    // [MQTT-3.1.2-24]
    this.#timer = setTimeout(() => this.#silent(), seconds * 1500)
  }

  /** Closes the connection. With a reason code an MQTT 5 client gets a DISCONNECT first. */
  end(reason: DisconnectReason, fault?: string, reasonCode?: number): void {
    if (this.#closed) return
    if (fault) this.#handlers.warn(`client ${JSON.stringify(this.clientid)} ${fault}: connection closed`)
    this.#sender.last(
      this.protocol === 5 && this.session && reasonCode !== undefined ? { cmd: 'disconnect', reasonCode } : undefined,
      this.protocol,
    )
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#slowed)
    this.#held = []
    this.socket.destroySoon()
    this.#handlers.closed(this, reason)
  }

  #parse(chunk: Buffer): void {
    if (this.#closed) return
    const wait = this.#received.spend(chunk.length)
    if (wait > 0) this.#slowDown(wait)
    this.#parser.parse(chunk)
    const { packet } = this.#parser
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
    // A function may wait for this PUBACK, and the held publishes wait for functions: so a PUBACK overtakes them.
    if (packet.cmd === 'puback' || packet.cmd === 'pingreq') this.#handlers.packet(this, packet)
    else this.#take(packet)
  }

  #take(packet: Packet): void {
    this.#held.push(packet)
    this.#heldBytes += (packet.length ?? 0) + PACKET_OVERHEAD_BYTES
    if (this.#held.length === 1) this.#drain()
    else if (this.#exceedsReceiveMaximum())
      this.end('CLIENT_ERROR', `has more than ${MAX_IN_FLIGHT} unacknowledged publishes under way`, RECEIVE_MAXIMUM_EXCEEDED)
    else if (this.#heldBytes > MAX_HELD_BYTES) this.socket.pause()
  }

  /** The CONNACK told an MQTT 5 client how many we take [MQTT-3.3.4-9]; one of MQTT 3.1.1 waits for its PUBACKs. */
  #exceedsReceiveMaximum(): boolean {
    if (this.protocol !== 5 || this.#held.length <= MAX_IN_FLIGHT) return false
    return this.#held.filter((packet) => packet.cmd === 'publish' && packet.qos > 0).length > MAX_IN_FLIGHT
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
    this.#readOn()
  }

  #readOn(): void {
    if (!this.#closed && !this.#slowed && this.#heldBytes <= MAX_HELD_BYTES && this.socket.isPaused()) this.socket.resume()
  }

  #slowDown(milliseconds: number): void {
    clearTimeout(this.#slowed)
    this.socket.pause()
    this.#slowed = setTimeout(() => {
      this.#slowed = undefined
      this.#readOn()
    }, milliseconds).unref()
  }

  /** Packets that arrived before the socket closed are still handled. */
  #lost(): void {
    for (const packet of this.#held) if (!this.#closed) this.#handlers.packet(this, packet)
    this.end('CONNECTION_LOST')
  }

  #silent(): void {
    // While packets are held the socket is not read, so the client's silence proves nothing.
    if (this.#held.length > 0 || this.#slowed) this.#timer.refresh()
    else this.end('MQTT_KEEP_ALIVE_TIMEOUT', undefined, KEEP_ALIVE_TIMEOUT)
  }
}
