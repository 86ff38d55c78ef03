/** IoT Core and its clients as they truly are: who is connected and subscribed, what each client got, and the events that tell of it. */
import type { HookName } from '../../lambda/core/hooks.ts'
import { msgidOf } from '../../lambda/core/msgid.ts'
import { topicMatches } from '../../lambda/core/topic.ts'
import type { Faults } from './faults.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Published, SimClient, SimConnection } from './sim-client.ts'

/** A rule stamps a publish up to this much after it came in; lifecycle events err by this much either way. Milliseconds. */
const STAMP_ERROR = 300
/** Native delivery takes up to this. Milliseconds. */
const NATIVE_DELAY = 400
/** A persistent session's replay: 10 messages a second. Milliseconds. */
const REPLAY_INTERVAL = 100
/** IoT Core's default is an hour; here it is short, so that histories see it. Milliseconds. */
const SESSION_EXPIRY = 200_000
/** One retained publish a second and topic is what IoT Core takes. Milliseconds. */
const RETAINED_INTERVAL = 1_000
/** Versions start over after so long offline. Milliseconds. */
const VERSION_RESET = 3_600_000

export interface IotCoreOptions {
  readonly scheduler: Scheduler
  readonly faults: Faults
  /** Decides what the world does. */
  readonly random: Random
  /** Share of natively delivered messages that their receiver acknowledges on the ack topic. */
  readonly acks: number
  readonly emit: (hook: HookName, event: object, label: string) => void
  readonly note: (line: string) => void
}

export class IotCore {
  readonly clients = new Map<string, SimClient>()
  readonly published: Published[] = []
  /** Sessions that unsubscribed from something, or went on with another connection: with a later SUBSCRIBE they begin anew. */
  readonly restarted = new Set<string>()
  /** Session -> its number among the client's connections. */
  readonly numbers = new Map<string, number>()
  readonly byId = new Map<string, Published>()
  /** Topic -> its retained message. */
  readonly retained = new Map<string, Published>()
  private readonly options: IotCoreOptions
  private readonly retainedAt = new Map<string, number>()
  private underWay: { client: SimClient; connection: SimConnection; msgid: string; at: number }[] = []
  private sessions = 0

  constructor(options: IotCoreOptions) {
    this.options = options
  }

  private get now(): number {
    return this.options.scheduler.now
  }

  add(id: string, kind: Pick<Partial<SimClient>, 'operator' | 'persistent'> = {}): SimClient {
    const { operator = [], persistent } = kind
    const keepAlive = this.options.random.pick([2, 4, 12])
    const counters = { version: 0, connections: 0, endedAt: 0, lastStamp: 0, lastEventLost: false }
    const client: SimClient = { id, operator, keepAlive, persistent, held: [], dropped: new Set(), got: new Map(), ...counters }
    this.clients.set(id, client)
    return client
  }

  connect(client: SimClient): void {
    if (client.connection !== undefined) this.end(client, 'DUPLICATE_CLIENTID')
    this.expire(client)
    if (this.now - client.endedAt > VERSION_RESET) client.version = 0
    const { kept } = client
    const connection: SimConnection = {
      session: kept !== undefined && client.persistent === 'same' ? kept.session : `s${++this.sessions}`,
      version: client.version++,
      since: this.now,
      filters: new Set(kept?.filters),
      announced: new Set(),
    }
    client.connection = connection
    if (connection.session === kept?.session) this.restarted.add(connection.session)
    delete client.kept
    this.numbers.set(connection.session, ++client.connections)
    client.lastEventLost = false
    const event = this.lifecycle(client, connection, { eventType: 'connected', versionNumber: connection.version })
    for (const hook of ['client.connected', 'session.created'] as const) this.tell(hook, client, event)
    const goesOn = kept === undefined ? '' : `, goes on with ${client.held.length} held`
    this.options.note(`${client.id} connects ${connection.session} keep-alive ${client.keepAlive} at ${event.timestamp}${goesOn}`)
    for (const [i, msgid] of client.held.splice(0).entries()) {
      this.underWay.push({ client, connection, msgid, at: this.now + (i + 1) * REPLAY_INTERVAL })
    }
  }

  /** The connection ends, and IoT Core knows it. */
  end(client: SimClient, disconnectReason: string): void {
    const connection = client.connection!
    delete client.connection
    client.endedAt = this.now
    if (client.persistent !== undefined) this.keep(client, connection)
    const clientInitiatedDisconnect = disconnectReason === 'CLIENT_INITIATED_DISCONNECT'
    const more = { eventType: 'disconnected', versionNumber: connection.version, clientInitiatedDisconnect, disconnectReason }
    const event = this.lifecycle(client, connection, more)
    client.lastEventLost = this.options.faults.happens('disconnect-lost')
    if (!client.lastEventLost) this.tell('client.disconnected', client, event)
    const told = client.lastEventLost ? ', event lost' : ` at ${event.timestamp}`
    this.options.note(`${client.id} ${connection.session} ends: ${disconnectReason}${told}`)
  }

  private keep(client: SimClient, { session, filters }: SimConnection): void {
    client.held.push(...this.underWay.filter((one) => one.client === client).map(({ msgid }) => msgid))
    this.underWay = this.underWay.filter((one) => one.client !== client)
    client.kept = { session, filters, endedAt: this.now, held: new Set(client.held) }
  }

  private expire(client: SimClient): void {
    if (client.kept === undefined || this.now - client.kept.endedAt <= SESSION_EXPIRY) return
    this.options.note(`${client.id} ${client.kept.session} expires with ${client.held.length} held`)
    for (const id of client.held) if (client.kept.held.has(id)) client.dropped.add(id)
    delete client.kept
    client.held.length = 0
  }

  halfOpen(client: SimClient): void {
    client.connection!.halfOpenSince = this.now
    this.options.note(`${client.id} ${client.connection!.session} half open`)
  }

  /** IoT Core notices dead peers after one and a half keep-alives at the latest. */
  noticeDeadPeers(certainly = false): void {
    const { scheduler, random } = this.options
    for (const client of this.clients.values()) {
      const { keepAlive, connection: { halfOpenSince } = {} } = client
      if (halfOpenSince === undefined) continue
      const late = this.now - halfOpenSince - 1500 * keepAlive
      if (certainly || late >= 0 || random.chance(0.1)) {
        // Time jumps here; the platform's does not.
        const now = this.now
        scheduler.now = Math.min(now, halfOpenSince + 1500 * keepAlive)
        this.end(client, 'MQTT_KEEP_ALIVE_TIMEOUT')
        scheduler.now = now
      }
    }
  }

  subscribe(client: SimClient, filters: readonly string[]): void {
    const connection = client.connection!
    for (const filter of filters) {
      connection.filters.add(filter)
      connection.announced.add(filter)
    }
    this.change('session.subscribed', client, filters)
  }

  unsubscribe(client: SimClient, filters: readonly string[]): void {
    const connection = client.connection!
    for (const filter of filters) {
      connection.filters.delete(filter)
      connection.announced.delete(filter)
    }
    this.restarted.add(connection.session)
    this.change('session.unsubscribed', client, filters)
  }

  private change(hook: 'session.subscribed' | 'session.unsubscribed', client: SimClient, topics: readonly string[]): void {
    const eventType = hook.slice('session.'.length)
    const event = this.lifecycle(client, client.connection!, { eventType, topics })
    this.tell(hook, client, event, ` ${topics}`)
    this.options.note(`${client.id} ${client.connection!.session} ${eventType} ${topics} at ${event.timestamp}`)
  }

  publish(topic: string, how: { retain?: Published['retain']; empty?: boolean } = {}): void {
    const number = this.published.length
    const name = `m${number}`
    const retain = this.now - (this.retainedAt.get(topic) ?? 0) < RETAINED_INTERVAL ? undefined : how.retain
    if (retain !== undefined) this.retainedAt.set(topic, this.now)
    const timestamp = this.now + this.options.random.below(STAMP_ERROR)
    const uuid = `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
    const msgid = msgidOf({ at: timestamp, uuid })
    const payload = retain === 'clear' || (how.empty && retain === undefined) ? '' : name
    const message: Published = { msgid, topic, name, at: timestamp, payload, retain }
    this.published.push(message)
    this.byId.set(msgid, message)
    if (retain === 'put') this.retained.set(topic, message)
    if (retain === 'clear') this.retained.delete(topic)
    const event = { topic, clientid: 'publisher', timestamp, traceid: uuid, uuid, payload: Buffer.from(payload).toString('base64') }
    this.options.emit('message.publish', event, name)
    const to = [...this.clients.values()].filter(({ connection }) => subscribes(connection, topic))
    const kind = retain === undefined ? '' : ` (retained: ${retain})`
    this.options.note(
      `publish ${name} on ${topic}${kind}${payload === '' ? ' (empty)' : ''} at ${timestamp}${to.map(({ id }) => ` ~${id}`)}`,
    )
    for (const client of to) {
      const at = this.now + this.options.random.below(NATIVE_DELAY)
      this.underWay.push({ client, connection: client.connection!, msgid, at })
    }
    for (const client of this.clients.values()) {
      this.expire(client)
      const dead = client.connection?.halfOpenSince !== undefined ? client.connection.filters : client.kept?.filters
      if (client.persistent !== undefined && matches(dead, topic)) client.held.push(msgid)
    }
  }

  /** What IoT Core delivers natively has arrived by its time, where the connection still stood; a persistent session holds the rest. */
  deliverDue(): void {
    if (!this.underWay.some(({ at }) => at <= this.now)) return
    const due = this.underWay.filter(({ at }) => at <= this.now)
    this.underWay = this.underWay.filter(({ at }) => at > this.now)
    for (const { client, connection, msgid, at } of due) {
      if (client.connection === connection && at < (connection.halfOpenSince ?? Number.POSITIVE_INFINITY)) {
        this.received(client, msgid, 'native')
      } else if (client.persistent !== undefined) client.held.push(msgid)
    }
  }

  received(client: SimClient, msgid: string, how: 'native' | 'direct'): void {
    if (!client.got.has(msgid)) client.got.set(msgid, { how, at: this.now })
    if (how === 'direct' || !this.options.random.chance(this.options.acks)) return
    const { topic, name } = this.byId.get(msgid)!
    const payload = Buffer.from(JSON.stringify({ msgid, topic })).toString('base64')
    this.options.emit(
      'message.acked',
      { topic: `acked/${client.id}`, clientid: client.id, timestamp: this.now, payload },
      `${client.id} ${name}`,
    )
    this.options.note(`${client.id} acknowledges ${name} by topic`)
  }

  /** Whether the client got the message, or IoT Core holds it for its persistent session and will deliver it, or held it until that expired. */
  has(clientid: string, msgid: string): boolean {
    const client = this.clients.get(clientid)
    if (client === undefined) return false
    const underWay = client.persistent !== undefined && this.underWay.some((one) => one.client === client && one.msgid === msgid)
    return client.got.has(msgid) || client.held.includes(msgid) || underWay || client.dropped.has(msgid)
  }

  /** By the times that their rules stamped, then as they came. */
  isOlder(a: string, b: string): boolean {
    const [one, other] = [this.byId.get(a)!, this.byId.get(b)!]
    return one.at === other.at ? this.published.indexOf(one) < this.published.indexOf(other) : one.at < other.at
  }

  /** An event of the client: approximate time, but never before the client's previous event. */
  private lifecycle(client: SimClient, connection: SimConnection, more: object): { timestamp: number; sessionIdentifier: string } {
    const error = this.options.random.between(-STAMP_ERROR, STAMP_ERROR)
    const timestamp = Math.max(client.lastStamp + 1, this.now + error)
    client.lastStamp = timestamp
    const who = { clientId: client.id, principalIdentifier: 'p' }
    return { ...who, timestamp, sessionIdentifier: connection.session, ...more }
  }

  private tell(hook: HookName, client: SimClient, event: { sessionIdentifier: string }, more = ''): void {
    this.options.emit(hook, event, `${client.id} ${event.sessionIdentifier}${more}`)
  }
}

const matches = (filters: ReadonlySet<string> | undefined, topic: string): boolean =>
  filters !== undefined && [...filters].some((filter) => topicMatches(filter, topic))

const subscribes = (connection: SimConnection | undefined, topic: string): boolean =>
  connection?.halfOpenSince === undefined && matches(connection?.filters, topic)
