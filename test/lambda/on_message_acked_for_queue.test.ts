/** message.acked from the ack topic: a client says what it has (I3). */
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })
  /** What a broker gives to each MQTT publish, and to no HTTP publish. */
  const TRACE = '0f0f0f0f-1111-2222-3333-444444444444'
  const EMPTY = { named: [], stored: [] }

  /** Messages on t, pending, and a subscriber that could not be reached. */
  const pending = async (count: number): Promise<string[]> => {
    for (let i = 0; i < count; i++) await world.publish('t', `m${i}`)
    const rows = await world.scan('mqtt_msg')
    await world.operatorSubscribes('c', 't')
    return rows.toSorted((a, b) => (a.payload!.S! < b.payload!.S! ? -1 : 1)).map(({ msgid }) => msgid!.S!)
  }
  const acks = (payload: unknown, more: object = {}, c = 'c') => world.invoke('message.acked', world.ackEvent(c, payload, more))
  const DONE = { batchItemFailures: [] }

  it.each<[string, (id: string) => unknown]>([
    ['a JSON object', (msgid) => ({ msgid })],
    ['... that names the topic', (msgid) => ({ msgid, topic: 't' })],
    ['... with other fields', (msgid) => ({ msgid, at: 1 })],
    ['a JSON string', (msgid) => JSON.stringify(msgid)],
    ['the bare id', (msgid) => msgid],
    ['the bare id with blanks around', (msgid) => ` ${msgid}\n`],
    ['an array of objects', (msgid) => [{ msgid }]],
    ['an array of strings', (msgid) => [msgid]],
  ])('%s', async (_name, payloadOf) => {
    const [id] = await pending(1)
    expect(await acks(payloadOf(id!))).toEqual(DONE)
    expect(await world.queue()).toEqual(EMPTY)
    expect(await world.scan('mqtt_acked')).toEqual([
      { topic: { S: 't' }, clientid: { S: 'c' }, msgid: { S: id }, acked_at: { N: expect.any(String) } },
    ])
  })

  it('several at once, wherever the queue holds them', async () => {
    const ids = await pending(50)
    expect(await acks(ids.filter((_, i) => i % 2 === 0))).toEqual(DONE)
    const { named, stored } = await world.queue()
    expect(stored).toEqual(ids.filter((_, i) => i % 2 === 1).sort())
    expect(named).toEqual(stored)
  })

  it.each<[string, (ids: string[]) => unknown, object, string]>([
    ["another client's ack topic", ([id]) => id, { clientid: 'd' }, 'a client acknowledges only for itself'],
    ['a message of another topic', ([id]) => ({ msgid: id, topic: 'other' }), {}, 'wanted an ack with that topic or none'],
    ['what is no id', () => 'hello', {}, 'wanted a message id'],
    ['an empty payload', () => '', {}, 'wanted a message id'],
    ['an empty list', () => [], {}, 'wanted 1 to 100 acks'],
    ['a number', () => '42', {}, 'wanted an object'],
    ['an id that is no text', () => ({ msgid: 42 }), {}, 'wanted a message id'],
    ['a topic that is none', ([id]) => ({ msgid: id, topic: 'a/+' }), {}, 'wanted a topic name'],
    ['101 at once', ([id]) => Array.from({ length: 101 }, () => id), {}, 'wanted 1 to 100 acks'],
    [
      'a client that calls itself n/a, as HTTP publishes are',
      ([id]) => id,
      { clientid: 'n/a', traceid: TRACE },
      'acknowledges only for itself',
    ],
  ])('refuses %s: logged and dropped, nothing taken off, no dead letter', async (_name, payloadOf, more, error) => {
    const ids = await pending(1)
    expect(await acks(payloadOf(ids), more)).toEqual(DONE)
    expect(JSON.parse(world.logs.at(-1)!)).toMatchObject({ outcome: 'refused', code: 'bad-ack', error: expect.stringContaining(error) })
    expect((await world.queue()).stored).toEqual(ids)
    expect(await world.scan('mqtt_acked')).toEqual([])
  })

  it("refuses the ack of one who is not subscribed to the message's topic", async () => {
    const ids = await pending(1)
    await world.operatorSubscribes('stranger', 'other/#')
    expect(await acks(ids[0], {}, 'stranger')).toEqual(DONE)
    expect(JSON.parse(world.logs.at(-1)!)).toMatchObject({ code: 'bad-ack', client: 'stranger' })
    expect((await world.queue()).stored).toEqual(ids)
  })

  it('does the right ones of an event although another of them is refused', async () => {
    const [first, second] = await pending(2)
    expect(await acks([{ msgid: first }, { msgid: second, topic: 'other' }])).toEqual(DONE)
    expect((await world.queue()).stored).toEqual([second])
    expect(JSON.parse(world.logs.at(-1)!)).toMatchObject({ outcome: 'refused' })
  })

  it('100 acks of one topic take one Query, one read of the messages and one of the topic', async () => {
    const ids = await pending(100)
    const before = world.calls.length
    expect(await acks(ids)).toEqual(DONE)
    const reads = world.calls.slice(before).filter(({ call }) => /:(Query|GetItem|BatchGetItem)$/.test(call))
    // The messages and the client's subscriptions, the topic's head and its segments, and once more the messages (I5).
    expect(reads.map(({ call }) => call).sort()).toEqual([
      'mqtt_msg:BatchGetItem',
      'mqtt_msg:BatchGetItem',
      'mqtt_sub:Query',
      'mqtt_topic_msg_map:BatchGetItem',
      'mqtt_topic_msg_map:GetItem',
    ])
    expect(await world.queue()).toEqual(EMPTY)
  })

  it.each([['#'], ['+'], ['$share/g/t'], ['$queue/t']])('a subscription to %s entitles to acknowledge', async (filter) => {
    const [id] = await pending(1)
    await world.operatorSubscribes('d', filter)
    expect(await acks(id, {}, 'd')).toEqual(DONE)
    expect(await world.queue()).toEqual(EMPTY)
  })

  it("a client's own subscription entitles as well, also over HTTP", async () => {
    const [, second] = await pending(2)
    await world.connect('d', 's1')
    world.device('d').script.push('unsendable', 'unsendable')
    await world.subscribe('d', 's1', 't')
    expect(await acks(second, { clientid: 'n/a' }, 'd')).toEqual(DONE)
    expect((await world.queue()).stored).toHaveLength(1)
  })

  it('I4: a repeated ack, and one of a message long gone, are done without a trace', async () => {
    const [id] = await pending(1)
    const event = world.ackEvent('c', id)
    await world.handle('message.acked', event, event)
    await world.handle('message.acked', event)
    expect(await world.queue()).toEqual(EMPTY)
    await world.unsubscribe('c', 's1', 't')
    await world.handle('message.acked', event)
    expect(await world.scan('mqtt_acked')).toEqual([])
  })

  describe('on_acked_delete', () => {
    it("an unsubscribe forgets what the client acknowledged on the topic, and nobody else's", async () => {
      const ids = await pending(2)
      await acks(ids[0])
      await world.operatorSubscribes('d', 't')
      await acks(ids[1], {}, 'd')
      await world.unsubscribe('c', 's1', 't')
      expect((await world.scan('mqtt_acked')).map(({ clientid }) => clientid?.S)).toEqual(['d'])
    })

    it.each([['$share/g/t'], ['t']])('%s: the row of the topic', async (filter) => {
      const [id] = await pending(1)
      await acks(id)
      await world.unsubscribe('c', 's1', filter)
      expect(await world.scan('mqtt_acked')).toEqual([])
    })

    it('I4: a replayed unsubscribe leaves what was acknowledged after it', async () => {
      const event = world.unsubscribedEvent('c', 's1', 't')
      world.wait(10_000)
      const [id] = await pending(1)
      await acks(id)
      await world.handle('session.unsubscribed', event)
      expect(await world.scan('mqtt_acked')).toHaveLength(1)
    })
  })
})
