/** IoT Core and its clients as they truly are: who is connected and subscribed, what each client got, and the events that tell of it. */
import { listensTo } from '../../lambda/core/durable-filter.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import { msgidOf } from '../../lambda/core/msgid.ts'
import { hasWildcard, parseSubscription, topicMatches } from '../../lambda/core/topic.ts'
import type { Faults } from './faults.ts'
import type { Emitted } from './queues.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { type Handed, MANNERS, type Published, type SimClient, type SimConnection, type SubscriptionOptions } from './sim-client.ts'

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
  /** What is promised: a message counts as delivered if its receiver acknowledges it within this. Milliseconds. */
  readonly settle: number
  /** Whether every third publish asks for a receipt. */
  readonly receipts: boolean
  /** Milliseconds: so long a message is kept. Default: for ever. */
  readonly expiry?: number | undefined
  readonly emit: (one: Emitted) => void
  readonly note: (line: string) => void
}

export class IotCore {
  readonly clients = new Map<string, SimClient>()
  readonly published: Published[] = []
  /** Sessions that unsubscribed from something, lowered a QoS, or went on with another connection: with a later SUBSCRIBE they begin anew. */
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

  add(id: string, kind: Pick<Partial<SimClient>, 'operator' | 'persistent' | 'manner' | 'durable'> = {}): SimClient {
    const { operator = [], persistent, manner = MANNERS.prompt, durable = false } = kind
    const keepAlive = this.options.random.pick([2, 4, 12])
    const counters = { version: 0, connections: 0, endedAt: 0, lastStamp: 0, lastEventLost: false, listens: false }
    const seen = {
      held: [],
      dropped: new Set<string>(),
      silenced: new Set<string>(),
      givenUp: new Set<string>(),
      got: new Map(),
      reads: new Map<string, number>(),
      handed: new Map(),
      refused: new Set<string>(),
      confirmed: new Set<string>(),
      shares: new Set<string>(),
    }
    const client: SimClient = { id, operator, durable, keepAlive, persistent, manner, ...seen, ...counters }
    this.clients.set(id, client)
    return client
  }

  connect(client: SimClient): void {
    if (client.connection !== undefined) this.end(client, 'DUPLICATE_CLIENTID')
    this.expire(client)
    client.silenced.clear()
    client.givenUp.clear()
    if (this.now - client.endedAt > VERSION_RESET) client.version = 0
    const { kept } = client
    const connection: SimConnection = {
      session: kept !== undefined && client.persistent === 'same' ? kept.session : `s${++this.sessions}`,
      version: client.version++,
      since: this.now,
      filters: new Map(kept?.filters),
      announced: new Set(),
      subscribedAt: new Map(),
    }
    client.connection = connection
    client.firstAt ??= this.now
    if (connection.session === kept?.session) this.restarted.add(connection.session)
    delete client.kept
    this.numbers.set(connection.session, ++client.connections)
    client.lastEventLost = false
    const event = this.lifecycle(client, connection, { eventType: 'connected', versionNumber: connection.version })
    for (const hook of ['client.connected', 'session.created'] as const) this.tell(hook, client, event)
    const goesOn = kept === undefined ? '' : `, goes on with ${client.held.length} held`
    this.options.note(`${client.id} connects ${connection.session} keep-alive ${client.keepAlive} at ${event.timestamp}${goesOn}`)
    for (const [i, msgid] of client.held.splice(0).entries()) {
      this.hand(client, msgid, { qos: 1, shared: false }, this.now + (i + 1) * REPLAY_INTERVAL)
    }
  }

  /** The connection ends, and IoT Core knows it. */
  end(client: SimClient, disconnectReason: string): void {
    const connection = client.connection!
    delete client.connection
    client.endedAt = connection.endedAt = this.now
    if (client.persistent !== undefined) this.keep(client, connection)
    const clientInitiatedDisconnect = disconnectReason === 'CLIENT_INITIATED_DISCONNECT'
    const more = { eventType: 'disconnected', versionNumber: connection.version, clientInitiatedDisconnect, disconnectReason }
    const event = this.lifecycle(client, connection, more)
    client.lastEventLost = this.options.faults.happens('disconnect-lost')
    if (!client.lastEventLost) this.tell('client.disconnected', client, event)
    const told = client.lastEventLost ? ', event lost' : ` at ${event.timestamp}`
    this.options.note(`${client.id} ${connection.session} ends: ${disconnectReason}${told}`)
  }

  private keep(client: SimClient, connection: SimConnection): void {
    const { session, filters } = connection
    const open = [...client.handed].filter(([id, all]) => all.at(-1)!.connection === connection && !this.hasAcknowledged(client, id))
    client.held.push(...open.filter(([id, all]) => all.at(-1)!.qos === 1 && !client.held.includes(id)).map(([id]) => id))
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

  subscribe(client: SimClient, filters: readonly string[], options: SubscriptionOptions = { qos: 1, noLocal: false }): void {
    const connection = client.connection!
    for (const filter of filters) {
      client.silenced.delete(listensTo(filter, 'durable/'))
      client.givenUp.delete(filter)
    }
    const lowers = options.qos === 0 && filters.some((filter) => connection.filters.get(filter)?.qos === 1)
    // Nothing queued is for QoS 0, so a later SUBSCRIBE at QoS 1 begins anew.
    if (lowers) this.restarted.add(connection.session)
    for (const filter of filters) {
      connection.filters.set(filter, { ...options, noLocal: options.noLocal && !filter.startsWith('$share/') })
      connection.announced.add(filter)
      connection.subscribedAt.set(filter, this.now)
      const topic = listensTo(filter, 'durable/')
      if (!hasWildcard(topic) && !client.reads.has(topic)) client.reads.set(topic, this.now)
      if (hasWildcard(filter)) client.listens = true
      if (parseSubscription(filter).share !== undefined) client.shares.add(parseSubscription(filter).filter)
    }
    const said = ` qos ${options.qos}${options.noLocal ? ', no local' : ''}`
    this.change('session.subscribed', client, filters, { said, beforeEnds: lowers })
  }

  unsubscribe(client: SimClient, filters: readonly string[]): void {
    const connection = client.connection!
    for (const filter of filters) {
      connection.filters.delete(filter)
      connection.announced.delete(filter)
      connection.subscribedAt.delete(filter)
      stopReading(client, listensTo(filter, 'durable/'))
    }
    this.restarted.add(connection.session)
    this.change('session.unsubscribed', client, filters, { said: '', beforeEnds: true })
  }

  private change(
    hook: 'session.subscribed' | 'session.unsubscribed',
    client: SimClient,
    topics: readonly string[],
    { said, beforeEnds }: { said: string; beforeEnds: boolean },
  ): void {
    const eventType = hook.slice('session.'.length)
    const event = this.lifecycle(client, client.connection!, { eventType, topics })
    this.tell(hook, client, event, { more: ` ${topics}`, beforeEnds })
    this.options.note(`${client.id} ${client.connection!.session} ${eventType} ${topics}${said} at ${event.timestamp}`)
  }

  publish(topic: string, how: { retain?: Published['retain']; empty?: boolean; sender?: string } = {}): void {
    const number = this.published.length
    const name = `m${number}`
    const retain = this.now - (this.retainedAt.get(topic) ?? 0) < RETAINED_INTERVAL ? undefined : how.retain
    if (retain !== undefined) this.retainedAt.set(topic, this.now)
    const timestamp = this.now + this.options.random.below(STAMP_ERROR)
    const uuid = `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
    const msgid = msgidOf({ at: timestamp, uuid })
    const payload = retain === 'clear' || (how.empty && retain === undefined) ? '' : name
    const asked = this.options.receipts && number % 3 === 0
    const { sender = 'publisher' } = asked ? { sender: [...this.clients.keys()][(number / 3) % this.clients.size]! } : how
    const message: Published = { msgid, topic, sender, name, at: timestamp, publishedAt: this.now, payload, asked, retain }
    this.published.push(message)
    this.byId.set(msgid, message)
    if (retain === 'put') this.retained.set(topic, message)
    if (retain === 'clear') this.retained.delete(topic)
    const asking = { response_topic: `replies/${sender}`, correlation_data: name, user_properties: [{ receipt: '1' }] }
    const seen = { topic, clientid: sender, timestamp, traceid: uuid, uuid, payload: Buffer.from(payload).toString('base64') }
    const event = asked ? { ...seen, ...asking } : seen
    this.options.emit({ hook: 'message.publish', event, label: name })
    const to = this.receiversOf(message)
    const kind = retain === undefined ? '' : ` (retained: ${retain})`
    const by = sender === 'publisher' ? '' : ` by ${sender}`
    this.options.note(
      `publish ${name} on ${topic}${by}${kind}${payload === '' ? ' (empty)' : ''} at ${timestamp}${[...to.keys()].map(({ id }) => ` ~${id}`)}`,
    )
    for (const [client, how] of to) this.hand(client, msgid, how, this.now + this.options.random.below(NATIVE_DELAY))
    for (const client of this.clients.values()) {
      this.expire(client)
      const offline = client.connection === undefined ? client.kept?.filters : undefined
      if (client.persistent !== undefined && subscriptionOf(offline, message, client.id)?.qos === 1) client.held.push(msgid)
    }
  }

  /** Every subscriber once, and of each shared subscription one member: IoT Core does not know who is half open. */
  private receiversOf(message: Published): Map<SimClient, { qos: 0 | 1; shared: boolean }> {
    const to = new Map<SimClient, { qos: 0 | 1; shared: boolean }>()
    const groups = new Map<string, SimClient[]>()
    for (const client of this.clients.values()) {
      const filters = client.connection?.filters
      const own = subscriptionOf(filters, message, client.id)
      if (own !== undefined) to.set(client, { qos: own.qos, shared: false })
      for (const filter of filters?.keys() ?? []) {
        const { share, filter: topics } = parseSubscription(filter)
        if (share !== undefined && delivers(topics, message.topic)) groups.set(filter, [...(groups.get(filter) ?? []), client])
      }
    }
    for (const [filter, members] of groups) {
      const client = this.options.random.pick(members)
      // Once to each, at the best QoS: who has it by a subscription of its own too has it for the group.
      const qos = client.connection!.filters.get(filter)!.qos
      to.set(client, { qos: Math.max(to.get(client)?.qos ?? 0, qos) as 0 | 1, shared: true })
    }
    return to
  }

  /** IoT Core has a message for a client: it arrives as soon as the client's window of unacknowledged ones has room. */
  private hand(client: SimClient, msgid: string, { qos, shared }: Pick<Handed, 'qos' | 'shared'>, arrival: number): void {
    const connection = client.connection!
    const { manner, handed } = client
    const { random } = this.options
    const open = [...handed.values()].flat().filter((one) => one.qos === 1 && one.connection === connection && one.acknowledgedAt > arrival)
    const room = open.map(({ acknowledgedAt }) => acknowledgedAt).sort((a, b) => a - b)[open.length - manner.receiveMaximum]
    const at = qos === 0 ? arrival : (room ?? arrival)
    const acknowledges = qos === 1 && !random.chance(manner.never ?? 0)
    const acknowledgedAt = acknowledges ? at + random.between(...manner.delay) : Number.POSITIVE_INFINITY
    const counts = !random.chance(manner.refuses ?? 0)
    const inTime = counts && acknowledgedAt - this.byId.get(msgid)!.publishedAt <= this.options.settle
    handed.set(msgid, [...(handed.get(msgid) ?? []), { connection, qos, shared, acknowledgedAt, inTime }])
    if (!counts) client.refused.add(msgid)
    if (at < Number.POSITIVE_INFINITY) this.underWay.push({ client, connection, msgid, at })
  }

  /** What IoT Core delivers natively has arrived by its time, where the connection still stood. */
  deliverDue(): void {
    if (!this.underWay.some(({ at }) => at <= this.now)) return
    const due = this.underWay.filter(({ at }) => at <= this.now)
    this.underWay = this.underWay.filter(({ at }) => at > this.now)
    for (const { client, connection, msgid, at } of due) {
      if (client.connection === connection && at < (connection.halfOpenSince ?? Number.POSITIVE_INFINITY)) {
        this.received(client, msgid, 'native')
      }
    }
  }

  received(client: SimClient, msgid: string, how: 'native' | 'direct'): void {
    if (!client.got.has(msgid)) client.got.set(msgid, { how, at: this.now })
    if (how === 'direct') client.confirmed.add(msgid)
    if (how === 'direct' || !this.options.random.chance(this.options.acks)) return
    const { topic, name } = this.byId.get(msgid)!
    client.confirmed.add(msgid)
    const payload = Buffer.from(JSON.stringify({ msgid, topic })).toString('base64')
    const event = { topic: `acked/${client.id}`, clientid: client.id, timestamp: this.now, payload }
    this.options.emit({ hook: 'message.acked', event, label: `${client.id} ${name}` })
    this.options.note(`${client.id} acknowledges ${name} by topic`)
  }

  /**
   * Whether a message may go off its queue for the client (I3). `had`: it acknowledged it, or IoT Core holds it for its persistent session
   * and will deliver it, or held it until that expired. `unpromised`: IoT Core had it for the client, which does not acknowledge in time.
   * Of a shared subscription it may be another member who has it.
   */
  deliveryTo(clientid: string, msgid: string): 'had' | 'unpromised' | 'none' {
    const client = this.clients.get(clientid)
    if (client === undefined) return 'none'
    const { topic } = this.byId.get(msgid)!
    const shares = [...client.shares].some((filter) => delivers(filter, topic))
    const others = shares ? [...this.clients.values()].filter(({ handed }) => handed.get(msgid)?.some((one) => one.shared)) : []
    const all = [client, ...others.filter((other) => other !== client)]
    if (all.some((one) => this.hasAcknowledged(one, msgid) || one.held.includes(msgid) || one.dropped.has(msgid))) return 'had'
    const handed = all.flatMap((one) => one.handed.get(msgid) ?? []).filter(({ qos }) => qos === 1)
    if (client.persistent !== undefined && handed.some(({ connection }) => connection === client.connection)) return 'had'
    return handed.length > 0 && handed.every(({ inTime }) => !inTime) ? 'unpromised' : 'none'
  }

  /** Whether the client did not get its own message because it had said No Local. */
  wasNotLocal(clientid: string, msgid: string): boolean {
    return this.byId.get(msgid)?.sender === clientid && this.clients.get(clientid)?.handed.has(msgid) === false
  }

  /** It acknowledged the message, to IoT Core or to us. */
  hasAcknowledged(client: SimClient, msgid: string): boolean {
    if (client.confirmed.has(msgid)) return true
    if (client.refused.has(msgid)) return false
    return (client.handed.get(msgid) ?? []).some(({ connection, acknowledgedAt }) => {
      const { halfOpenSince = Number.POSITIVE_INFINITY, endedAt = Number.POSITIVE_INFINITY } = connection
      return acknowledgedAt < Math.min(halfOpenSince, endedAt, this.now + 1)
    })
  }

  /** Whether the message is to be kept no longer. */
  hasExpired(msgid: string): boolean {
    const { expiry = Number.POSITIVE_INFINITY } = this.options
    const { at = this.now } = this.byId.get(msgid) ?? {}
    return Math.floor(at / 1000) * 1000 + expiry <= this.now
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

  private tell(hook: HookName, client: SimClient, event: { sessionIdentifier: string }, { more = '', beforeEnds = false } = {}): void {
    this.options.emit({ hook, event, label: `${client.id} ${event.sessionIdentifier}${more}`, beforeEnds })
  }
}

/** It unsubscribes. What it reads by another filter since then it goes on with. */
function stopReading({ reads, connection }: SimClient, topic: string): void {
  const others = [...(connection?.subscribedAt ?? [])].filter(([filter]) => listensTo(filter, 'durable/') === topic)
  if (others.length === 0) reads.delete(topic)
  else reads.set(topic, Math.min(...others.map(([, at]) => at)))
}

/** The subscription, not shared, by which a client gets the message: the one of the greatest QoS. */
function subscriptionOf(
  filters: ReadonlyMap<string, SubscriptionOptions> | undefined,
  { topic, sender }: Published,
  clientid?: string,
): SubscriptionOptions | undefined {
  const all = [...(filters ?? [])].filter(([filter, { noLocal }]) => delivers(filter, topic) && !(noLocal && sender === clientid))
  return all.map(([, options]) => options).sort((a, b) => b.qos - a.qos)[0]
}

/** IoT Core's own reading: `a/#` does not match `a`. */
const delivers = (filter: string, topic: string): boolean => topicMatches(filter, topic) && filter !== `${topic}/#`
