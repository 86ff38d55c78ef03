/**
 * I9: each function's role allows exactly the calls that it makes. That none is made which is not granted, World checks in every
 * suite; here the handlers are brought to make every call that is granted, and the roles of synthesized templates are compared with
 * those calls: both ways, action and resource.
 *
 * @seconds 30
 */
import { HOOKS, type HookName } from '../../lambda/core/hooks.ts'
import { HEAD_IDS, HEAD_LIVE, segmentKey } from '../../lambda/core/model/topic-row.ts'
import type { BackendOptions } from '../../lib/options/options.ts'
import { allowedTo, unrecorded } from '../support/call-log.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { backend } from '../support/synthesized.ts'
import { allowedIn, askedBy } from '../support/synthesized-roles.ts'
import { PAGE_ROWS, type Row, rowsWithout, World, type WorldOptions } from '../support/world.ts'

const ON_CONNECTED: Row[] = [...rowsWithout('on_subscribe_lookup'), { hook: 'client.connected', action: 'on_subscribe_lookup' }]
const NOT_NATIVE: Row[] = PAGE_ROWS.map((row) =>
  /on_(message_retain|retain_delete)/.test(row.action) ? { ...row, retain: 'property' } : row,
)

/** All publishes ask for one; of some topics the history is kept. */
const RECEIPTS = 'receipts, and a history'
const KEPT: Row[] = [
  ...PAGE_ROWS,
  { hook: 'session.subscribed', topic: 'kept/#', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: 'kept/#', action: 'on_message_acked_for_pubsub' },
]

const CONFS: readonly (readonly [name: string, options: WorldOptions])[] = [
  ["the page's conf", {}],
  ['on_subscribe_lookup on client.connected', { rows: ON_CONNECTED }],
  ['retained by a user property, without the index', { rows: NOT_NATIVE, retainIndex: false }],
  ['without on_subscribe_lookup', { rows: rowsWithout('on_subscribe_lookup') }],
  ['without on_message_fetch_for_queue', { rows: rowsWithout('on_message_fetch_for_queue') }],
  ['without on_retain_lookup', { rows: rowsWithout('on_retain_lookup') }],
  ['without message.acked, where messages expire', { rows: rowsWithout('on_message_acked_for_queue'), expiredAfter: 1_800 }],
  ['without session.unsubscribed: nothing settles', { rows: rowsWithout('on_acked_delete') }],
  [
    RECEIPTS,
    { rows: [...PAGE_ROWS, ...['q/#', 'e'].map((topic): Row => ({ hook: 'message.publish', topic, action: 'on_message_store' }))] },
  ],
  ['topics kept for many beside queues', { rows: KEPT, expiredAfter: 1_800 }],
]

const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
/** What changes whose tables and key a role is about. */
const DEPLOYED: readonly BackendOptions[] = [
  {},
  { existingTables: true, prefix: 'emqx_' },
  { existingTables: ['mqtt_retain', 'mqtt_msg'], keyArn: KEY, prefix: 'a-' },
]
/**
 * DynamoDB asks these of the key in the caller's name, and SQS asks to decrypt what Lambda receives; no call of ours shows it.
 * DynamoDB developer guide, "Encryption at rest: usage notes"; SQS developer guide, "Configuring AWS KMS permissions".
 */
const KEY_ACTIONS = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey']
const keyCalls = (made: readonly string[], keyArn: string | undefined) =>
  keyArn !== undefined && made.some((call) => call.includes(':'))
    ? [
        ...KEY_ACTIONS.map((action) => `${action} through dynamodb`),
        'kms:Decrypt through sqs',
        ...(made.includes('SendMessage') ? ['kms:GenerateDataKey through sqs'] : []),
      ].map((use) => `${use} on ${keyArn}`.replace(':eu-west-1:', ':REGION:'))
    : []

const HOUR = 3_600_000

/** What a publisher leaves that dies while it seals a head: a segment, and a full set aside. Half of the messages are an hour older. */
async function cutShortSealing(world: World, topic: string): Promise<void> {
  for (const pause of [0, 0, HOUR, 0]) {
    await world.handle('message.publish', ...Array.from({ length: 10 }, () => world.publishEvent(topic, 'x')))
    world.wait(pause)
  }
  const row = await world.row('mqtt_topic_msg_map', topic)
  const sealed = Number(row?.seq?.N) - 1
  const segment = await world.row('mqtt_topic_msg_map', segmentKey(topic, sealed))
  if (row === undefined || segment === undefined) return
  await world.put('mqtt_topic_msg_map', { ...row, sealing: segment.MsgId!, sealed: { N: `${sealed}` } })
}

function asksForReceipts(world: World): void {
  const plain = world.publishEvent.bind(world)
  jest.spyOn(world, 'publishEvent').mockImplementation((topic, payload, more = {}) => {
    const { user_properties = [] } = more as { user_properties?: object[] }
    return plain(topic, payload, { ...more, response_topic: 'replies', user_properties: [...user_properties, { receipt: '1' }] })
  })
}

/** Brings the handlers to make all their calls; hooks that the conf does not have are left out. */
class Story {
  private readonly world: World
  constructor(world: World) {
    this.world = world
  }

  private has = (hook: HookName) => this.world.configs.some((config) => config.hook === hook)
  private async handle(hook: HookName, ...events: unknown[]) {
    if (this.has(hook)) await this.world.invoke(hook, ...events)
  }
  private at = (ms: number) => {
    this.world.wait(ms)
    return this.world
  }
  private publish = (topic: string, payload: string, more: object = {}) =>
    this.handle('message.publish', this.world.publishEvent(topic, payload, more))
  private connect = async (c: string, session: string, version = 0) => {
    const event = this.world.connectedEvent(c, session, version)
    await this.handle('client.connected', event)
    await this.handle('session.created', event)
  }
  private disconnect = (c: string, session: string, version = 0, reason?: string) =>
    this.handle('client.disconnected', this.world.disconnectedEvent(c, session, version, reason))
  private subscribe = (c: string, session: string, ...filters: string[]) =>
    this.handle('session.subscribed', this.world.subscribedEvent(c, session, ...filters))
  private unsubscribe = (c: string, session: string, ...filters: string[]) =>
    this.handle('session.unsubscribed', this.world.unsubscribedEvent(c, session, ...filters))

  async retained() {
    const { world } = this
    const retain = { user_properties: [{ retain: '1' }] }
    for (const topic of ['r/kept', 'r/cleared']) {
      world.native.set(topic, { payload: Buffer.from('x'), qos: 1, lastModified: world.now })
      await this.publish(topic, 'x', retain)
    }
    world.native.delete('r/cleared')
    await this.publish('r/cleared', '', retain)
    const filters = ['r/kept', 'r/+', '+/kept']
    for (const filter of filters) await world.operatorSubscribes('o', filter)
    await this.connect('o', 's1')
    world.native.clear()
    await this.subscribe('n', 's1', ...filters)
    await world.operatorSubscribes('l', 'none/+')
    const connected = world.connectedEvent('l', 's1')
    for (const hook of ['client.connected', 'session.created'] as const) await this.outOfTime(hook, connected)
    await this.connect('m', 's1')
    await this.outOfTime('session.subscribed', world.subscribedEvent('m', 's1', 'none/+'))
  }

  /** An event whose first invocation ends too soon, and its next receive. */
  private async outOfTime(hook: HookName, event: object): Promise<void> {
    if (!this.has(hook)) return
    for (const [receives, remaining] of [
      [1, 1_000],
      [2, 120_000],
    ] as const) {
      const attributes = { ApproximateReceiveCount: `${receives}` }
      await this.world.deliver(hook, [{ messageId: `late ${hook}`, body: JSON.stringify(event), attributes }], remaining)
    }
  }

  /** A queue in segments, one of them on its way, for a client that subscribes and one that is subscribed. */
  async queues() {
    const { world } = this
    for (const topic of ['q/native', 'q/server', 'q/late']) await cutShortSealing(world, topic)
    for (const c of ['server', 'late']) await world.operatorSubscribes(c, `q/${c}`)
    await this.connect('server', 's1')
    // One that cannot be reached at first is caught up by the next publish.
    world.device('late').script.push(...Array(20).fill('gone'))
    await this.connect('late', 's1')
    await this.publish('q/late', 'x')
    world.device('late').script.length = 0
    this.at(HOUR)
    await this.publish('q/late', 'x')
    await this.connect('native', 's1')
    await this.subscribe('native', 's1', 'q/native')
    world.device('server').script.push(...Array(5).fill('gone'))
    await this.publish('q/server', 'not reachable')
    await this.publish('q/server', 'pushed')
    await this.operatorsRowsGo()
    // A retried event stores again what had been acknowledged.
    const event = world.publishEvent('q/server', 'again')
    await this.handle('message.publish', event)
    await this.handle('message.publish', event, event)
    await this.acknowledgedMeanwhile()
  }

  /** Operator's rows that go while their client is connected, exact and wildcard. */
  private async operatorsRowsGo() {
    const { world } = this
    for (const filter of ['gone/1', 'gone/+']) await world.operatorSubscribes('gone', filter)
    await this.connect('gone', 's1')
    for (const filter of ['gone/1', 'gone/+']) {
      await world.operatorDeletes('gone', filter)
      await this.publish('gone/1', 'x')
    }
  }

  /** Publishes that are acknowledged, and sealed into a segment by another publisher, before they are looked at again. */
  private async acknowledgedMeanwhile() {
    const { world } = this
    const { add } = world.ports.topics
    jest.spyOn(world.ports.topics, 'add').mockImplementationOnce(async (topic, ids) => {
      const row = await add(topic, ids)
      await unrecorded(async () => {
        await world.ports.messages.remove(ids)
        await world.ports.topics.seal(row)
      })
      return row
    })
    const many = Array.from({ length: world.ports.messages.putAllFrom }, () => world.publishEvent('raced', 'x'))
    await this.handle('message.publish', ...many)
  }

  /** More live clients than the head takes, of both kinds, on one topic and on a covering row. */
  async spilled() {
    const { world } = this
    for (const filter of ['t', 'w/+']) {
      for (let i = 0; i <= HEAD_LIVE; i++) {
        await world.operatorSubscribes(`o${i}`, filter)
        await this.connect(`o${i}`, 's1')
        await this.subscribe(`n${i}`, 's1', filter)
      }
    }
    await this.publish('t', 'x')
    await this.publish('w/1', 'x', { user_properties: [{ qos: '0' }] })
    // Once more, it is looked for in the spill rows, too.
    for (let n = 0; n < 2; n++) await this.unsubscribe('n0', 's1', 't')
    // Room in the heads for who comes late.
    await this.disconnect('o0', 's1')
    for (const filter of ['t', 'w/+']) await world.operatorSubscribes('late', filter)
    await this.connect('late', 's1')
    await this.subscribe('late', 's1', 't', 'w/+')
    await this.disconnect('late', 's1')
    for (let i = 0; i <= HEAD_LIVE; i++) {
      await this.disconnect(`o${i}`, 's1')
      await this.disconnect(`n${i}`, 's1', 0, 'CONNECTION_LOST')
    }
  }

  /** Windows with segments in them that end by a disconnect, an unsubscribe, a proof in mid-window. */
  async settling() {
    const { world } = this
    const ends: [string, (c: string, filter: string) => Promise<void>][] = [
      ['settle/disconnect', (c) => this.disconnect(c, 's1')],
      ['settle/unsubscribe', (c, filter) => this.unsubscribe(c, 's1', filter)],
    ]
    for (const [topic, end] of ends) {
      for (const filter of [topic, `$share/g/${topic}`]) {
        const c = `c-${filter}`
        await this.connect(c, 's1')
        await this.subscribe(c, 's1', filter)
        world.device(c).connection = undefined
        this.at(10_000)
        await cutShortSealing(world, topic)
        await end(c, filter)
      }
    }
    await this.groups()
    world.device('mid').granted = undefined
    await this.connect('mid', 's1')
    await this.subscribe('mid', 's1', 'settle/mid')
    world.device('mid').granted = new Map([['settle/mid', 1]])
    this.at(10_000)
    for (let i = 0; i < 3 * HEAD_IDS; i++) await this.publish('settle/mid', 'x')
    this.at(HOUR)
    await cutShortSealing(world, 'settle/mid')
    for (let i = 0; i < HEAD_IDS; i++) await this.publish('settle/mid', 'x')
    // One that is left in the head, for the next SUBSCRIBE to settle.
    await this.publish('settle/mid', 'x')
    this.at(HOUR)
    await this.connect('late', 's1')
    await this.subscribe('late', 's1', 'settle/mid')
  }

  /** Members of a group of which IoT Core did not tell the QoS at first. */
  private async groups() {
    for (const end of [(c: string) => this.disconnect(c, 's1'), (c: string) => this.unsubscribe(c, 's1', '$share/h/group')]) {
      for (const c of ['one', 'two']) {
        this.world.device(c).granted = c === 'one' ? new Map() : undefined
        await this.connect(c, 's1')
        await this.subscribe(c, 's1', '$share/h/group')
      }
      this.world.device('two').granted = new Map([['$share/h/group', 1]])
      this.at(HOUR)
      await end('one')
      await this.disconnect('two', 's1')
      this.at(HOUR)
    }
  }

  /** Events out of order: disconnect before connect, subscribe after its end, unsubscribe between two subscribes. */
  async disorder() {
    const { world } = this
    const connected = world.connectedEvent('d', 's1')
    const subscribed = world.subscribedEvent('d', 's1', 't')
    await this.disconnect('d', 's1')
    await this.handle('client.connected', connected)
    await this.handle('session.created', connected)
    await this.handle('session.subscribed', subscribed)
    await this.connect('e', 's1')
    const first = world.subscribedEvent('e', 's1', 'e')
    const gone = this.at(5_000).unsubscribedEvent('e', 's1', 'e')
    await this.handle('session.subscribed', first)
    world.device('e').connection = undefined
    this.at(5_000)
    await cutShortSealing(world, 'e')
    world.device('e').connection = { connected: true }
    await this.handle('session.subscribed', this.at(5_000).subscribedEvent('e', 's1', 'e'))
    await this.handle('session.unsubscribed', gone)
    await this.connect('e', 's2', 1)
  }

  async acks() {
    const { world } = this
    await world.operatorSubscribes('acker', 'acks/#')
    await cutShortSealing(world, 'acks/1')
    const ids = (await world.scan('mqtt_msg')).filter(({ topic }) => topic?.S === 'acks/1').map(({ msgid }) => msgid!.S!)
    if (ids.length > 0) await this.handle('message.acked', ...ids.map((id) => world.ackEvent('acker', id)))
    await world.put('mqtt_acked', { topic: { S: 'acks/1' }, clientid: { S: 'acker' }, msgid: { S: ids[0] ?? 'x' } })
    if (ids.length > 0) await this.unsubscribe('acker', 's1', 'acks/1')
  }

  /** A topic kept for many, where that is in the conf: a queue like any other where it is not. */
  async kept() {
    const { world } = this
    await this.connect('k', 's1')
    await this.subscribe('k', 's1', 'durable/kept/1', 'kept/2')
    await world.operatorSubscribes('ko', 'kept/1')
    await this.connect('ko', 's1')
    for (const topic of ['kept/1', 'kept/2']) await cutShortSealing(world, topic)
    const stored = (await world.scan('mqtt_msg')).filter(({ topic }) => topic?.S === 'kept/2').map(({ msgid }) => msgid!.S!)
    await this.publish('kept/2', 'x')
    for (const id of stored.slice(-1)) await this.handle('message.acked', world.ackEvent('k', id))
    await this.unsubscribe('k', 's1', 'durable/kept/1')
    // What it surely got natively is remembered.
    await this.connect('kw', 's1')
    await this.subscribe('kw', 's1', 'kept/4')
    this.at(60_000)
    await this.disconnect('kw', 's1')
    // An UNSUBSCRIBE that is handled after the connection, of a client that had the topic by two filters.
    await this.connect('kt', 's1')
    await this.subscribe('kt', 's1', 'kept/5', 'durable/kept/5')
    await this.disconnect('kt', 's1')
    await this.unsubscribe('kt', 's1', 'kept/5')
    // An UNSUBSCRIBE between two SUBSCRIBEs that is handled after both.
    await this.connect('ke', 's1')
    await this.subscribe('ke', 's1', 'kept/3')
    const gone = this.at(5_000).unsubscribedEvent('ke', 's1', 'kept/3')
    this.at(5_000)
    await this.publish('kept/3', 'x')
    await this.handle('session.subscribed', this.at(5_000).subscribedEvent('ke', 's1', 'kept/3'))
    await this.handle('session.unsubscribed', gone)
    // Its UNSUBSCRIBE is handled while its SUBSCRIBE is.
    const { begin } = world.ports.acked
    for (const [c, come] of [
      ['ku', () => this.subscribe('ku', 's1', 'kept/2')],
      ['ko2', () => this.connect('ko2', 's1')],
    ] as const) {
      if (c === 'ko2') await world.operatorSubscribes(c, 'kept/2')
      else await this.connect(c, 's1')
      const ends = world.unsubscribedEvent(c, 's1', 'kept/2')
      jest.spyOn(world.ports.acked, 'begin').mockImplementationOnce(async (...given) => {
        const begun = await begin(...given)
        await unrecorded(() =>
          world.ports.topics.markGone('kept/2', { clientid: c, session: 's1', topics: ['kept/2'], at: Number(ends.timestamp) + 10_000 }),
        )
        return begun
      })
      await come()
    }
    jest.restoreAllMocks()
  }

  /** Clients that acknowledge so slowly that their deliveries let go, and go on by a request. */
  async slices() {
    const { world } = this
    const slow = (c: string) => world.whenSent(c, undefined, async () => world.wait(11_000))
    for (const c of ['slow', 'pushed', 'slow native']) slow(c)
    for (const topic of ['s/1', 's/2']) for (const payload of ['a', 'b', 'c', 'd']) await this.publish(topic, payload)
    await world.operatorSubscribes('slow', 's/1')
    await this.connect('slow', 's1')
    await this.connect('slow native', 's1')
    world.wait(5_000)
    await this.subscribe('slow native', 's1', 's/2')
    await world.operatorSubscribes('pushed', 's/3')
    await this.connect('pushed', 's1')
    const some = Array.from({ length: 4 }, () => world.publishEvent('s/3', 'x'))
    await this.handle('message.publish', ...some)
    for (let n = 0; n < 10; n++) await world.redeliver()
  }

  async tell() {
    await this.slices()
    await this.retained()
    await this.queues()
    await this.spilled()
    await this.settling()
    await this.disorder()
    await this.acks()
    await this.kept()
  }
}

forEachEngine((engine) => {
  const every = engine.name === 'embedded' ? CONFS : CONFS.slice(0, 1)

  it.each(every)(
    'I9: %s: every call that is granted is made',
    async (name, options) => {
      const world = new World(engine, await createTables(engine), options)
      if (name === RECEIPTS) asksForReceipts(world)
      await new Story(world).tell()
      const made = (hook: HookName) => [...new Set(world.calls.filter((call) => call.hook === hook).map(({ call }) => call))].sort()
      const hooks = HOOKS.filter((hook) => world.configs.some((config) => config.hook === hook))
      const unused = hooks.map((hook) => [
        hook,
        allowedTo(world.configOf(hook), world.retainIndex).filter((call) => !made(hook).includes(call)),
      ])
      expect(Object.fromEntries(unused)).toEqual(Object.fromEntries(hooks.map((hook) => [hook, []])))

      // The templates are the same whatever the engine; with which tables and key, one conf shows.
      const deployed = engine.name !== 'embedded' ? [] : name === CONFS[0]![0] ? DEPLOYED : DEPLOYED.slice(0, 1)
      for (const options of deployed) {
        const template = backend(world.hookTable, { ...options, retainIndex: world.retainIndex })
        const asked = (hook: HookName) => [
          ...made(hook).map((call) =>
            askedBy(call, template, { prefix: options.prefix ?? '', deliveryHook: world.configs[0]?.deliveryHook }),
          ),
          ...keyCalls(made(hook), options.keyArn),
        ]
        const allowed = hooks.map((hook) => [hook, allowedIn(template, hook)])
        expect(Object.fromEntries(allowed)).toEqual(Object.fromEntries(hooks.map((hook) => [hook, asked(hook).sort()])))
      }
    },
    60_000,
  )
})
