/**
 * A small world for the handlers: real stores on a real engine, the handlers' own envelope, and devices that do as they are told.
 * given: world.publish / connect / subscribe ...; then: world.device('c').got, world.queue('t'), tables through the client.
 */
import { randomUUID } from 'node:crypto'
import { type AttributeValue, DeleteItemCommand, GetItemCommand, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb'
import type { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { handlerOf, type SqsBatchResponse, type SqsRecord } from '../../lambda/adapters/function/handler.ts'
import type { LogLevel } from '../../lambda/adapters/function/log.ts'
import { portsOn } from '../../lambda/adapters/on-aws.ts'
import { liveOf } from '../../lambda/adapters/tables/topic-rows.ts'
import { type ActionName, type HookConfig, type HookName, type HookRow, type HookTable, hookConfigs } from '../../lambda/core/hooks.ts'
import type { SendOutcome } from '../../lambda/core/metrics.ts'
import type { Message } from '../../lambda/core/model/message.ts'
import type { Clock, DeliveryQueue, Device, NativeConnection, Ports } from '../../lambda/core/model/ports.ts'
import type { NativeRetained } from '../../lambda/core/model/retain-table.ts'
import { deliveryRequestBody } from '../../lambda/core/queue/request-delivery.ts'
import { RETAIN_INDEX, TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import { HOOK_SETTINGS } from '../../lib/pipeline/hook-settings.ts'
import { allowedTo, type Call, note, recording, unrecorded, watch } from './call-log.ts'
import type { Engine, Tables } from './engines.ts'
import { HOOK_HANDLERS } from './hook-handlers.ts'

/** The page's hooks, with on_subscribe_lookup on session.created as in the page's conf. */
export const PAGE_ROWS: readonly Row[] = [
  { hook: 'client.connected', action: 'on_client_connected' },
  { hook: 'session.created', action: 'on_subscribe_lookup' },
  { hook: 'client.disconnected', action: 'on_client_disconnected' },
  { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_queue' },
  { hook: 'session.subscribed', topic: '#', action: 'on_retain_lookup' },
  { hook: 'session.unsubscribed', topic: '#', action: 'on_acked_delete' },
  { hook: 'message.publish', topic: '#', action: 'on_message_publish' },
  { hook: 'message.publish', topic: '#', action: 'on_message_retain' },
  { hook: 'message.publish', topic: '#', action: 'on_retain_delete' },
  { hook: 'message.acked', topic: '#', action: 'on_message_acked_for_queue' },
]

const CLEAN = 'CLIENT_INITIATED_DISCONNECT'

export type Row = Omit<HookRow, 'label' | 'pool'>
export type Item = Record<string, AttributeValue>

/** Those attributes of a row that it has. */
export const attributesOf = (row: Item | undefined, ...names: string[]): Item =>
  Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => names.includes(name)))

/** The page's rows without some actions, or with others' rows instead. */
export const rowsWithout = (...actions: ActionName[]): Row[] => PAGE_ROWS.filter(({ action }) => !actions.includes(action))
export const rowsWith = (...rows: Row[]): Row[] => [...rowsWithout(...rows.map(({ action }) => action)), ...rows]

export interface WorldOptions {
  readonly rows?: readonly Row[]
  /** Seconds. */
  readonly expiredAfter?: number
  readonly durablePrefix?: string
  /** Whether mqtt_retain is looked up by its index. Default: yes. */
  readonly retainIndex?: boolean
  /** CloudWatch namespace of the handlers' metrics. Default: they write none. */
  readonly namespace?: string
  /** Default `info`. */
  readonly logLevel?: LogLevel
}

export interface FakeDevice {
  /** What GetConnection says; undefined: it is throttled. */
  connection: NativeConnection | undefined
  /** Payloads of direct messages that reached the client, in order, as text. */
  readonly got: string[]
  readonly messages: { message: Message; retain: boolean; topic: string }[]
  /** What the next sends answer; then `acked` while connected, else `gone`. The client gets the message on `acked` only. */
  readonly script: SendOutcome[]
  /** What ListSubscriptions says: filter -> QoS; undefined: it is throttled. */
  granted: Map<string, number> | undefined
}

export class World {
  /** Milliseconds: time of the next event. */
  now = 1_800_000_000_000
  readonly devices = new Map<string, FakeDevice>()
  readonly native = new Map<string, { -readonly [K in keyof NativeRetained]: NativeRetained[K] }>()
  readonly logs: string[] = []
  /** Every SDK call of every handler. */
  readonly calls: Call[] = []
  readonly ports: Ports
  readonly engine: Engine
  readonly tables: Tables
  readonly hookTable: HookTable
  readonly configs: readonly HookConfig[]
  readonly retainIndex: boolean
  private readonly namespace: string | undefined
  private readonly logLevel: LogLevel
  private readonly afterSends = new Map<string, { payload: string | undefined; act: () => Promise<void> }[]>()
  /** Bodies of the delivery queue. */
  private readonly requested: string[] = []
  /** What was requested and not handled: shown again by {@link redeliver}. */
  undelivered: SqsRecord[] = []
  /** Whether what is requested waits for {@link redeliver}. */
  holdsDeliveries = false
  private counter = 0

  constructor(engine: Engine, tables: Tables, options: WorldOptions = {}) {
    this.engine = engine
    this.tables = tables
    this.retainIndex = options.retainIndex ?? true
    this.namespace = options.namespace
    this.logLevel = options.logLevel ?? 'info'
    const rows = (options.rows ?? PAGE_ROWS).map((row, i): HookRow => ({ label: `${i + 1}`, pool: 'pool1', ...row }))
    this.hookTable = {
      pools: { pool1: {} },
      rows,
      ...(options.expiredAfter === undefined ? {} : { expiredAfter: options.expiredAfter }),
      ...(options.durablePrefix === undefined ? {} : { durablePrefix: options.durablePrefix }),
    }
    this.configs = hookConfigs(this.hookTable)
    const real = portsOn({
      dynamodb: watch(engine),
      iot: undefined as unknown as IoTDataPlaneClient,
      deliveries: this.deliveries,
      clock: this.clock,
      tables,
      retainIndex: this.retainIndex ? RETAIN_INDEX.name : undefined,
      region: 'us-west-2',
    })
    this.ports = { ...real, device: this.dataPlane }
  }

  private readonly deliveries: DeliveryQueue = {
    request: async (one) => {
      note('SendMessage')
      this.requested.push(JSON.stringify(deliveryRequestBody(one)))
    },
  }

  readonly clock: Clock = { now: () => this.now, sleep: async (ms) => this.wait(ms) }

  private readonly dataPlane: Device = {
    send: async (clientid, message, { retain = false, prefix = '' } = {}) => {
      note('SendDirectMessage')
      const device = this.device(clientid)
      const outcome = device.script.shift() ?? (device.connection?.connected ? 'acked' : 'gone')
      if (outcome === 'acked') {
        device.got.push(message.payload.toString())
        device.messages.push({ message, retain, topic: `${prefix}${message.topic}` })
      }
      for (const { payload, act } of this.afterSends.get(clientid) ?? []) {
        if (payload === undefined || payload === message.payload.toString()) await unrecorded(act)
      }
      return outcome
    },
    connection: async (clientid) => {
      note('GetConnection')
      return this.device(clientid).connection
    },
    subscriptions: async (clientid) => {
      note('ListSubscriptions')
      const { granted } = this.device(clientid)
      return granted && { at: this.now, known: granted }
    },
    retained: async (topic) => {
      note('GetRetainedMessage')
      return this.native.get(topic)
    },
  }

  device(clientid: string): FakeDevice {
    const device = this.devices.get(clientid) ?? { connection: undefined, got: [], messages: [], script: [], granted: new Map() }
    this.devices.set(clientid, device)
    return device
  }

  configOf(hook: HookName): HookConfig {
    const config = this.configs.find((one) => one.hook === hook)
    if (config === undefined) throw new Error(`${hook} is not in the conf of this world`)
    return config
  }

  /** Hands events to the hook's handler as one batch; throws if the hook is not in the conf. */
  invoke(hook: HookName, ...events: unknown[]): Promise<SqsBatchResponse> {
    return this.deliver(
      hook,
      events.map((event) => ({ messageId: `m${this.counter++}`, body: typeof event === 'string' ? event : JSON.stringify(event) })),
    )
  }

  /** A batch as SQS delivers it: a retried message keeps its id. `remaining`: of the invocation, in milliseconds. */
  async deliver(hook: HookName, Records: readonly SqsRecord[], remaining = 120_000): Promise<SqsBatchResponse> {
    const config = this.configOf(hook)
    const { namespace, ports, logLevel } = this
    const { maxReceives } = HOOK_SETTINGS[hook]
    const handler = handlerOf(HOOK_HANDLERS[hook], { config, ports, log: (line) => this.logs.push(line), namespace, maxReceives, logLevel })
    const calls: Call[] = []
    const recorder = { hook, tables: this.tables, calls }
    const response = await recording(recorder, () => handler({ Records }, { getRemainingTimeInMillis: () => remaining }))
    const allowed = allowedTo(config, this.retainIndex)
    this.calls.push(...calls)
    const refused = calls.filter(({ call }) => !allowed.includes(call))
    if (refused.length > 0) throw new Error(`I9: ${hook} called what grants.ts does not grant: ${refused.map(({ call }) => call)}`)
    for (const body of this.requested.splice(0)) this.undelivered.push({ messageId: `d${this.counter++}`, body })
    if ((hook === 'message.publish' || hook === 'session.unsubscribed') && !this.holdsDeliveries) await this.redeliver()
    return response
  }

  /** What was requested reaches the function that delivers, one by one; what it does not handle is shown again the next time. */
  async redeliver(remaining?: number): Promise<void> {
    for (const record of this.undelivered.splice(0)) {
      const receives = Number(record.attributes?.ApproximateReceiveCount ?? 0) + 1
      const shown = { ...record, attributes: { ApproximateReceiveCount: `${receives}` } }
      const { batchItemFailures } = await this.deliver(this.configs[0]!.deliveryHook!, [shown], remaining)
      if (batchItemFailures.length > 0) this.undelivered.push(shown)
    }
  }

  /** The same, and every event must have been handled. */
  async handle(hook: HookName, ...events: unknown[]): Promise<void> {
    const { batchItemFailures } = await this.invoke(hook, ...events)
    if (batchItemFailures.length > 0) throw new Error(`${hook}: ${this.logs.at(-1)}`)
  }

  publishEvent(topic: string, payload: string | Buffer, more: object = {}): Record<string, unknown> {
    const timestamp = this.now++
    const counter = (this.counter++).toString(16).padStart(12, '0')
    const uuid = `${counter.slice(0, 8)}-${counter.slice(8)}-4${randomUUID().slice(15)}`
    return { topic, clientid: 'publisher', timestamp, traceid: uuid, uuid, payload: Buffer.from(payload).toString('base64'), ...more }
  }

  publish(topic: string, payload: string | Buffer, more: object = {}): Promise<void> {
    return this.handle('message.publish', this.publishEvent(topic, payload, more))
  }

  lifecycle(clientId: string, session: string, more: object = {}): Record<string, unknown> {
    return { clientId, timestamp: this.now++, sessionIdentifier: session, principalIdentifier: 'p', ...more }
  }

  connectedEvent(clientid: string, session: string, versionNumber = 0): Record<string, unknown> {
    this.device(clientid).connection = { connected: true, connectedSince: this.now, keepAlive: 60 }
    return this.lifecycle(clientid, session, { eventType: 'connected', versionNumber, ipAddress: '10.0.0.1' })
  }

  disconnectedEvent(clientid: string, session: string, versionNumber = 0, disconnectReason = CLEAN): Record<string, unknown> {
    this.device(clientid).connection = { connected: false, keepAlive: 60 }
    const clientInitiatedDisconnect = disconnectReason === CLEAN
    return this.lifecycle(clientid, session, { eventType: 'disconnected', versionNumber, clientInitiatedDisconnect, disconnectReason })
  }

  /** At QoS 1, where the device's `granted` says nothing else. */
  subscribedEvent(clientid: string, session: string, ...topics: string[]): Record<string, unknown> {
    const { granted } = this.device(clientid)
    for (const topic of topics) if (granted?.has(topic) === false) granted.set(topic, 1)
    return this.lifecycle(clientid, session, { eventType: 'subscribed', topics })
  }

  unsubscribedEvent(clientid: string, session: string, ...topics: string[]): Record<string, unknown> {
    return this.lifecycle(clientid, session, { eventType: 'unsubscribed', topics })
  }

  /** A connected event goes to both hooks that hear of it. */
  async handleConnected(event: unknown): Promise<void> {
    for (const { hook } of this.configs) if (hook === 'client.connected' || hook === 'session.created') await this.handle(hook, event)
  }

  connect(clientid: string, session: string, versionNumber = 0): Promise<void> {
    return this.handleConnected(this.connectedEvent(clientid, session, versionNumber))
  }

  disconnect(clientid: string, session: string, versionNumber = 0, disconnectReason = CLEAN): Promise<void> {
    return this.handle('client.disconnected', this.disconnectedEvent(clientid, session, versionNumber, disconnectReason))
  }

  subscribe(clientid: string, session: string, ...topics: string[]): Promise<void> {
    return this.handle('session.subscribed', this.subscribedEvent(clientid, session, ...topics))
  }

  unsubscribe(clientid: string, session: string, ...topics: string[]): Promise<void> {
    return this.handle('session.unsubscribed', this.unsubscribedEvent(clientid, session, ...topics))
  }

  /** A client says on its ack topic what it has. */
  ackEvent(clientid: string, payload: unknown, more: object = {}): Record<string, unknown> {
    const said = typeof payload === 'string' ? payload : JSON.stringify(payload)
    return { topic: `acked/${clientid}`, clientid, timestamp: this.now++, payload: Buffer.from(said).toString('base64'), ...more }
  }

  /** A server-side subscription: a row of mqtt_sub without origin. */
  async operatorSubscribes(clientid: string, topic: string, qos = 1): Promise<void> {
    await this.put('mqtt_sub', { clientid: { S: clientid }, topic: { S: topic }, qos: { N: `${qos}` } })
  }

  async operatorDeletes(clientid: string, topic: string): Promise<void> {
    const Key = { clientid: { S: clientid }, topic: { S: topic } }
    await this.engine.client.send(new DeleteItemCommand({ TableName: this.tables.mqtt_sub, Key }))
  }

  /** Does something after each try to send the client a message with that payload, or any. */
  whenSent(clientid: string, payload: string | undefined, act: () => Promise<void>): void {
    this.afterSends.set(clientid, [...(this.afterSends.get(clientid) ?? []), { payload, act }])
  }

  /** Writes a row as somebody else would: EMQX, an operator, a crashed handler. */
  async put(table: TableName, Item: Item): Promise<void> {
    await this.engine.client.send(new PutItemCommand({ TableName: this.tables[table], Item }))
  }

  /** The row of a key: hash, then range. */
  async row(table: TableName, hash: string, range?: string): Promise<Item | undefined> {
    const { hashKey, rangeKey }: TableDefinition = TABLES[table]
    const Key = { [hashKey]: { S: hash }, ...(rangeKey === undefined ? {} : { [rangeKey]: { S: range ?? '' } }) }
    const got = await this.engine.client.send(new GetItemCommand({ TableName: this.tables[table], Key, ConsistentRead: true }))
    return got.Item
  }

  /** Lets time pass. Milliseconds. */
  wait(ms: number): void {
    this.now += ms
  }

  async scan(table: TableName): Promise<Item[]> {
    const items: Item[] = []
    for await (const page of paginateScan({ client: this.engine.client }, { TableName: this.tables[table], ConsistentRead: true })) {
      items.push(...(page.Items ?? []))
    }
    return items
  }

  /** Everybody who is live: `row key` + ' ' + `entry`, with U+0000 shown as '|'. */
  async live(): Promise<string[]> {
    const rows = await this.scan('mqtt_topic_msg_map')
    const live = rows.flatMap(({ topic, live }) => [...liveOf(live).keys()].map((entry) => `${topic?.S} ${entry}`))
    return live.map((name) => name.replaceAll('\0', '|')).sort()
  }

  /** Every id that a head, sealing set or segment names, and every id that has a row: equal at rest (I5). */
  async queue(): Promise<{ named: string[]; stored: string[] }> {
    const named = (await this.scan('mqtt_topic_msg_map')).flatMap((item) => [...(item.MsgId?.SS ?? []), ...(item.sealing?.SS ?? [])])
    const stored = (await this.scan('mqtt_msg')).map((item) => item.msgid?.S ?? '')
    return { named: [...new Set(named)].sort(), stored: stored.sort() }
  }
}
