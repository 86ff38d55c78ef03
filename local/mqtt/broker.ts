/**
 * AWS IoT Core's message broker on a laptop: MQTT 3.1.1 and 5 as IoT Core speaks them (no QoS 2, its limits, its matching,
 * retained messages for exact filters only) and its lifecycle events.
 * It uses the codec mqtt-packet only. The broker aedes does not fit: it refuses $share over MQTT 5, sends PUBACK before
 * a publish can be refused, and delivers topic `a` to a subscriber of `a/#`.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import mqtt from 'mqtt-packet'
import { urlOf } from '../address.ts'
import type { RuleMessage } from '../rules/rule-message.ts'
import type { Journal } from '../state/journal.ts'
import type { KeptState } from '../state/kept-state.ts'
import type { Backlog } from './backlog.ts'
import type { BrokerParts } from './broker-parts.ts'
import { ClientRegistry, subjectOf } from './client-registry.ts'
import { Connection } from './connection.ts'
import { HeldMessages } from './held-messages.ts'
import { emitsLifecycleEvents } from './iot-limits.ts'
import { disconnectedEvent, type LifecycleEvent } from './lifecycle.ts'
import type { MqttMessage } from './mqtt-message.ts'
import { packetHandlers } from './packets/dispatch.ts'
import { type Remind, reminder } from './reminder.ts'
import { RetainedMessages } from './retained-messages.ts'
import type { Session } from './session.ts'
import { SubscriptionIndex } from './subscription-index.ts'
import { traceIds } from './traceid.ts'

export interface BrokerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Publishes wait while it is full. */
  readonly backlog: Backlog
  /** Called once for every accepted publish and every lifecycle event. Returns how many rules matched. */
  readonly onMessage: (message: RuleMessage) => number
  readonly warn: (text: string) => void
  /** Misbehaviour on purpose. False: the PUBACK of a direct message is ignored. */
  readonly hearsPuback?: () => boolean
  /** Keeps connections and retained messages from run to run. */
  readonly journal?: Journal | undefined
}

// Else mqtt-packet keeps a buffer for each of the 65,536 packet ids, and frees none.
mqtt.writeToStream.cacheNumbers = false

export class Broker {
  readonly clients: ClientRegistry
  readonly held = new HeldMessages()
  readonly retained: RetainedMessages
  readonly subscriptions = new SubscriptionIndex<Session>()
  readonly options: BrokerOptions
  readonly #server: Server
  readonly #sockets = new Set<Connection>()
  readonly #remind: Remind
  readonly #traceid = traceIds()

  private constructor(options: BrokerOptions) {
    this.options = options
    this.#remind = reminder(options.warn)
    this.clients = new ClientRegistry({ held: this.held, remind: this.#remind })
    this.retained = new RetainedMessages(options.journal?.append)
    const handlers = packetHandlers(this.#parts())
    this.#server = createServer((socket) => {
      const connection = new Connection(socket, handlers)
      this.#sockets.add(connection)
      socket.on('close', () => this.#sockets.delete(connection))
    })
  }

  /** Rejects with the system's error (`EADDRINUSE`) where the port is taken. */
  static async start(options: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options)
    if (options.journal) broker.#restore(options.journal.kept)
    await new Promise<void>((resolve, reject) => {
      broker.#server.once('error', reject)
      broker.#server.listen(options.port, options.host, resolve)
    })
    return broker
  }

  get url(): string {
    return urlOf('mqtt', this.options.host, (this.#server.address() as { port: number }).port)
  }

  /** A publish over MQTT or HTTP, or a will: to the retained messages, the subscribers and the rules. */
  publish(message: MqttMessage): void {
    const now = Date.now()
    if (message.retain && !this.retained.apply(message, now))
      this.#remind(
        'retained',
        `the message on ${JSON.stringify(message.topic)} is not retained: there are 128 MB of them, the local run's limit`,
      )
    this.#deliver(message)
    const matched = this.options.onMessage({
      topic: message.topic,
      payload: message.payload,
      at: now,
      uuid: randomUUID(),
      ...ruleProperties(message),
      ...(message.clientid === undefined ? {} : { clientid: message.clientid, traceid: this.#traceid() }),
    })
    if (matched === 0)
      this.#remind('no rule', `nothing is stored of a publish on ${JSON.stringify(message.topic)}: no topic filter of the conf takes it`)
  }

  /** An event of the service itself, to rules and to subscribers of `$aws/events/...`. */
  #emitEvent(clientid: string, { topic, body }: LifecycleEvent): void {
    if (emitsLifecycleEvents(clientid)) this.inject(topic, Buffer.from(JSON.stringify(body)))
  }

  /** Publishes as IoT Core itself does: without a client and a trace id. Returns how many rules matched. */
  inject(topic: string, payload: Buffer): number {
    this.#deliver({ topic, payload, qos: 1, retain: false, properties: {} })
    return this.options.onMessage({ topic, payload, at: Date.now(), uuid: randomUUID() })
  }

  /** Ends every connection, each with its disconnected event. */
  disconnectAll(): void {
    for (const connection of this.clients.connections()) connection.end('SERVER_INITIATED_DISCONNECT', undefined, 0x8b)
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.disconnectAll()
    for (const { socket } of this.#sockets) socket.destroy()
    this.clients.close()
    await closed
  }

  #parts(): BrokerParts {
    const { backlog, warn, hearsPuback = () => true, journal } = this.options
    return {
      clients: this.clients,
      retained: this.retained,
      subscriptions: this.subscriptions,
      backlog,
      publish: (message) => this.publish(message),
      emitEvent: (clientid, event) => this.#emitEvent(clientid, event),
      hearsPuback,
      journal: (entry) => journal?.append(entry),
      warn,
      remind: this.#remind,
    }
  }

  /** A connection that was open when an earlier run was killed ended, for us, at the last time in that run's journal. */
  #restore({ clients, retained, lastAt }: KeptState): void {
    this.retained.restore(retained.values())
    for (const [clientid, kept] of clients) {
      const client = this.clients.restore(clientid, kept, lastAt)
      if (kept.disconnectedAt !== undefined) continue
      this.#emitEvent(clientid, disconnectedEvent(subjectOf(client), lastAt, 'SERVER_ERROR'))
      this.options.journal?.append({ did: 'disconnected', clientid, at: lastAt })
    }
  }

  #deliver(message: MqttMessage): void {
    for (const [session, grant] of this.subscriptions.receivers(message.topic)) session.deliver(message, grant)
  }
}

function ruleProperties({ properties }: MqttMessage): Partial<RuleMessage> {
  const { user, contentType, utf8, responseTopic, correlationData } = properties
  return {
    ...(user ? { userProperties: user } : {}),
    ...(contentType === undefined ? {} : { contentType }),
    ...(utf8 === undefined ? {} : { formatIndicator: utf8 ? 'UTF8_DATA' : 'UNSPECIFIED_BYTES' }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
  }
}
