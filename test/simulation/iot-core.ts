/** IoT Core and its clients as they truly are: who is connected and subscribed, what each client got, and the events that tell of it. */
import type { HookName } from '../../lambda/core/hooks.ts'
import type { Message } from '../../lambda/core/message.ts'
import { msgidOf } from '../../lambda/core/msgid.ts'
import type { Device, NativeConnection, SendOutcome } from '../../lambda/core/ports.ts'
import { topicMatches } from '../../lambda/core/topic.ts'
import type { Owner, Random, Scheduler } from './scheduler.ts'
import type { Published, SimClient, SimConnection } from './sim-client.ts'

/** A rule stamps a publish up to this much after it came in; lifecycle events err by this much either way. Milliseconds. */
const STAMP_ERROR = 300
/** Native delivery takes up to this. Milliseconds. */
const NATIVE_DELAY = 400
const CONFIRMATION_MS = 5_000

export interface PlatformFaults {
  readonly lostDisconnect: number
  readonly throttledSend: number
  /** No PUBACK in time although the client is there. */
  readonly lostPuback: number
  readonly unknownConnection: number
  readonly notYet: number
}
export const NO_PLATFORM_FAULTS: PlatformFaults = { lostDisconnect: 0, throttledSend: 0, lostPuback: 0, unknownConnection: 0, notYet: 0 }

export interface IotCoreOptions {
  readonly scheduler: Scheduler
  readonly emit: (hook: HookName, event: object) => void
  readonly note: (line: string) => void
}

export class IotCore {
  readonly clients = new Map<string, SimClient>()
  readonly published: Published[] = []
  /** Sessions that unsubscribed from something: with a later SUBSCRIBE they begin anew. */
  readonly restarted = new Set<string>()
  /** Session -> its number among the client's connections. */
  readonly versions = new Map<string, number>()
  readonly byId = new Map<string, Published>()
  faults: PlatformFaults = NO_PLATFORM_FAULTS
  private readonly scheduler: Scheduler
  private readonly random: Random
  private readonly options: IotCoreOptions
  private underWay: { client: SimClient; connection: SimConnection; msgid: string; at: number }[] = []
  private sessions = 0

  constructor(options: IotCoreOptions) {
    this.options = options
    this.scheduler = options.scheduler
    this.random = options.scheduler.random
  }

  add(id: string, operator: readonly string[] = []): SimClient {
    const client: SimClient = {
      id,
      operator,
      keepAlive: this.random.pick([2, 4, 12]),
      version: 0,
      lastStamp: 0,
      lastEventLost: false,
      got: new Map(),
    }
    this.clients.set(id, client)
    return client
  }

  connect(client: SimClient): void {
    if (client.connection !== undefined) this.end(client, 'DUPLICATE_CLIENTID')
    const connection: SimConnection = {
      session: `s${++this.sessions}`,
      version: client.version++,
      since: this.scheduler.now,
      filters: new Set(),
    }
    client.connection = connection
    this.versions.set(connection.session, connection.version)
    client.lastEventLost = false
    const event = this.lifecycle(client, connection, { eventType: 'connected', versionNumber: connection.version })
    this.options.emit('client.connected', event)
    this.options.emit('session.created', event)
    this.options.note(`${client.id} connects ${connection.session} keep-alive ${client.keepAlive} at ${event.timestamp}`)
  }

  /** The connection ends, and IoT Core knows it. */
  end(client: SimClient, disconnectReason: string): void {
    const connection = client.connection!
    delete client.connection
    const clientInitiatedDisconnect = disconnectReason === 'CLIENT_INITIATED_DISCONNECT'
    const more = { eventType: 'disconnected', versionNumber: connection.version, clientInitiatedDisconnect, disconnectReason }
    const event = this.lifecycle(client, connection, more)
    client.lastEventLost = this.random.chance(this.faults.lostDisconnect)
    if (!client.lastEventLost) this.options.emit('client.disconnected', event)
    const told = client.lastEventLost ? ', event lost' : ` at ${event.timestamp}`
    this.options.note(`${client.id} ${connection.session} ends: ${disconnectReason}${told}`)
  }

  halfOpen(client: SimClient): void {
    client.connection!.halfOpenSince = this.scheduler.now
    this.options.note(`${client.id} ${client.connection!.session} half open`)
  }

  /** IoT Core notices dead peers after one and a half keep-alives at the latest. */
  noticeDeadPeers(certainly = false): void {
    for (const client of this.clients.values()) {
      const { keepAlive, connection: { halfOpenSince } = {} } = client
      if (halfOpenSince === undefined) continue
      const late = this.scheduler.now - halfOpenSince - 1500 * keepAlive
      if (certainly || late >= 0 || this.random.chance(0.1)) {
        // Time jumps here; the platform's does not.
        const now = this.scheduler.now
        this.scheduler.now = Math.min(now, halfOpenSince + 1500 * keepAlive)
        this.end(client, 'MQTT_KEEP_ALIVE_TIMEOUT')
        this.scheduler.now = now
      }
    }
  }

  subscribe(client: SimClient, filters: readonly string[]): void {
    for (const filter of filters) client.connection!.filters.add(filter)
    const event = this.lifecycle(client, client.connection!, { eventType: 'subscribed', topics: filters })
    this.options.emit('session.subscribed', event)
    this.options.note(`${client.id} ${client.connection!.session} subscribes ${filters} at ${event.timestamp}`)
  }

  unsubscribe(client: SimClient, filters: readonly string[]): void {
    for (const filter of filters) client.connection!.filters.delete(filter)
    this.restarted.add(client.connection!.session)
    const event = this.lifecycle(client, client.connection!, { eventType: 'unsubscribed', topics: filters })
    this.options.emit('session.unsubscribed', event)
    this.options.note(`${client.id} ${client.connection!.session} unsubscribes ${filters} at ${event.timestamp}`)
  }

  publish(topic: string): void {
    const number = this.published.length
    const name = `m${number}`
    const timestamp = this.scheduler.now + this.random.below(STAMP_ERROR)
    const uuid = `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
    const msgid = msgidOf({ at: timestamp, uuid })
    const message = { msgid, topic, name, at: timestamp }
    this.published.push(message)
    this.byId.set(msgid, message)
    const payload = Buffer.from(name).toString('base64')
    this.options.emit('message.publish', { topic, clientid: 'publisher', timestamp, traceid: uuid, uuid, payload })
    const to = [...this.clients.values()].filter(({ connection }) => subscribes(connection, topic))
    this.options.note(`publish ${name} on ${topic} at ${timestamp}${to.map(({ id }) => ` ~${id}`)}`)
    for (const client of to) {
      const at = this.scheduler.now + this.random.below(NATIVE_DELAY)
      this.underWay.push({ client, connection: client.connection!, msgid, at })
    }
  }

  /** What IoT Core delivers natively has arrived by its time, where the connection still stood. */
  deliverDue(): void {
    const due = this.underWay.filter(({ at }) => at <= this.scheduler.now)
    this.underWay = this.underWay.filter(({ at }) => at > this.scheduler.now)
    for (const { client, connection, msgid, at } of due) {
      if (client.connection === connection && at < (connection.halfOpenSince ?? Number.POSITIVE_INFINITY))
        this.received(client, msgid, 'native')
    }
  }

  private received(client: SimClient, msgid: string, how: 'native' | 'direct'): void {
    if (!client.got.has(msgid)) client.got.set(msgid, { how, at: this.scheduler.now })
  }

  /** The data plane as one run of a handler sees it. */
  device(owner: Owner, sent: (clientid: string, msgid: string, outcome: SendOutcome) => void): Device {
    const { scheduler, random } = this
    return {
      send: async (clientid, message: Message) => {
        await scheduler.turn(owner)
        const outcome = await this.transmit(owner, this.clients.get(clientid), message.msgid)
        await scheduler.turn(owner, outcome === 'unknown' ? CONFIRMATION_MS : 0)
        sent(clientid, message.msgid, outcome)
        return outcome
      },
      connection: async (clientid): Promise<NativeConnection | undefined> => {
        await scheduler.turn(owner)
        if (random.chance(this.faults.unknownConnection)) return undefined
        const { connection, keepAlive } = this.clients.get(clientid)!
        if (connection === undefined) return { connected: false, keepAlive }
        return { connected: true, connectedSince: connection.since, keepAlive }
      },
      retained: async () => undefined,
    }
  }

  private async transmit(_owner: Owner, client: SimClient | undefined, msgid: string): Promise<SendOutcome> {
    if (this.random.chance(this.faults.throttledSend)) return 'throttled'
    const connection = client?.connection
    if (client === undefined || connection === undefined) return 'gone'
    if (this.scheduler.now - connection.since < 500 && this.random.chance(this.faults.notYet)) return 'gone'
    if (connection.halfOpenSince !== undefined) return 'unknown'
    if (this.random.chance(this.faults.lostPuback)) {
      if (this.random.chance(0.5)) this.received(client, msgid, 'direct')
      return 'unknown'
    }
    this.received(client, msgid, 'direct')
    return 'acked'
  }

  /** An event of the client: approximate time, but never before the client's previous event. */
  private lifecycle(client: SimClient, connection: SimConnection, more: object): { timestamp: number } {
    const timestamp = Math.max(client.lastStamp + 1, this.scheduler.now + this.random.between(-STAMP_ERROR, STAMP_ERROR))
    client.lastStamp = timestamp
    return { clientId: client.id, timestamp, sessionIdentifier: connection.session, principalIdentifier: 'p', ...more } as {
      timestamp: number
    }
  }
}

const subscribes = (connection: SimConnection | undefined, topic: string): boolean =>
  connection !== undefined &&
  connection.halfOpenSince === undefined &&
  [...connection.filters].some((filter) => topicMatches(filter, topic))
