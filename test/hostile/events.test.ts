/** Events that would have been half written, or written without anybody being able to read them back. The fuzz looks for more. */
import { createTables, forEachEngine, type Tables } from '../support/engines.ts'
import { rowsWith, World } from '../support/world.ts'
import { assertSilent, CANARY } from './canary.ts'
import { dump, empty } from './tables.ts'

const ROWS = rowsWith({ hook: 'message.publish', topic: '#', action: 'on_message_retain', retain: 'topic' })

forEachEngine((engine) => {
  let tables: Tables
  let world: World
  beforeAll(async () => {
    tables = await createTables(engine)
  })
  beforeEach(() => {
    world = new World(engine, tables, { rows: ROWS })
  })
  afterEach(async () => {
    await empty(world, await dump(world))
    assertSilent('a log line', world.logs.join('\n'))
  })

  const lastError = () => (JSON.parse(world.logs.at(-1)!) as { error: string }).error

  it.each<[what: string, hook: 'message.publish' | 'session.subscribed' | 'client.connected', change: object, error: string]>([
    [
      'a topic that can be no key',
      'message.publish',
      { topic: '\u20ac'.repeat(342) },
      'topic is a string of 342 characters, wanted a topic name of at most 1024 bytes',
    ],
    [
      'a filter that can be no key',
      'session.subscribed',
      { topics: ['good', 'x'.repeat(1025)] },
      'topics[1] is a string of 1025 characters, wanted a topic filter of at most 1024 bytes',
    ],
    [
      'a session that fills a row',
      'session.subscribed',
      { sessionIdentifier: CANARY.repeat(100) },
      'wanted a session of at most 256 bytes',
    ],
    ['a session that fills a row', 'client.connected', { sessionIdentifier: CANARY.repeat(100) }, 'wanted a session of at most 256 bytes'],
    [
      '51 filters',
      'session.subscribed',
      { topics: Array.from({ length: 51 }, (_, i) => `t${i}`) },
      'topics is an array of 51, wanted an array of 1 to 50 topic filters',
    ],
    ['no filter', 'session.subscribed', { topics: [] }, 'topics is an array of 0, wanted an array of 1 to 50 topic filters'],
    [
      'a sender of 129 bytes',
      'message.publish',
      { clientid: 'x'.repeat(129) },
      'clientid is a string of 129 characters, wanted a client id of at most 128 bytes',
    ],
    [
      'half a letter in a property',
      'message.publish',
      { content_type: `${CANARY}\ud83d` },
      'content_type is a string of 24 characters, wanted text that MQTT can carry (an unpaired surrogate',
    ],
    [
      'U+0000 in a user property',
      'message.publish',
      { user_properties: [{ a: 'b' }, { [CANARY]: 'x\0' }] },
      "user_properties[1]'s value is a string of 2 characters, wanted text that MQTT can carry (U+0000",
    ],
    [
      'U+0000 in its name',
      'message.publish',
      { user_properties: [{ [`${CANARY}\0`]: 'x' }] },
      "user_properties[0]'s key is a string of 24 characters",
    ],
    ['an address that is none', 'client.connected', { ipAddress: `${CANARY}\0` }, 'ipAddress is a string of 24 characters'],
    ['400 KB', 'message.publish', { payload: Buffer.alloc(300_000, CANARY).toString('base64') }, 'the event is a string of 400'],
  ])('refuses %s on %s, and writes nothing', async (_, hook, change, error) => {
    const good = {
      'message.publish': world.publishEvent('t', CANARY),
      'session.subscribed': world.subscribedEvent('c', 's', 't'),
      'client.connected': world.connectedEvent('c', 's'),
    }
    const before = await dump(world)
    const { batchItemFailures } = await world.invoke(hook, { ...good[hook], ...change })
    expect(batchItemFailures).toHaveLength(1)
    expect(lastError()).toContain(error)
    expect(await dump(world)).toEqual(before)
  })

  it('takes a topic of 1,024 bytes through all of its rows', async () => {
    const topic = 'x'.repeat(1024)
    await world.operatorSubscribes('other', topic)
    await world.publish(topic, 'first')
    await world.connect('c', 's')
    await world.subscribe('c', 's', topic)
    expect(world.device('c').got).toContain('first')
    await world.publish(topic, '')
    await world.unsubscribe('c', 's', topic)
    expect(await world.queue()).toEqual({ named: [], stored: [] })
  })

  it('a filter that is named twice delivers its queue once', async () => {
    for (let i = 0; i < 20; i++) await world.publish('t', `m${i}`)
    await world.connect('c', 's')
    await world.subscribe('c', 's', 't', 't', 't')
    expect(world.device('c').messages.filter(({ retain }) => !retain)).toHaveLength(20)
  })

  it('an ack that names another topic is refused without repeating what the client sent', async () => {
    await world.publish('t', CANARY)
    const [msgid] = (await world.queue()).named
    const before = await dump(world)
    await world.handle('message.acked', world.ackEvent('c', { msgid, topic: CANARY.replace(/[+#]/g, '-') }))
    expect(lastError()).toBe(`ack of client 'c': message ${msgid} is on topic 't', wanted an ack with that topic or none`)
    expect(await dump(world)).toEqual(before)
  })

  it('refuses 101 acks in one message; 100 times the same is one', async () => {
    await world.publish('t', 'x')
    await world.operatorSubscribes('c', 't')
    const [msgid] = (await world.queue()).named
    await world.handle('message.acked', world.ackEvent('c', Array(101).fill(msgid)))
    expect(lastError()).toBe('bad ack: payload is an array of 101, wanted 1 to 100 acks')
    world.calls.length = 0
    await world.handle('message.acked', world.ackEvent('c', Array(100).fill(msgid)))
    expect(world.calls.filter(({ call }) => call === 'mqtt_acked:PutItem')).toHaveLength(1)
    expect(await world.queue()).toEqual({ named: [], stored: [] })
  })
})
