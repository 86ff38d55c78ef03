/** message.acked from the ack topic: a client says what it has (I3). */
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })
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
    expect(await world.scan('mqtt_acked')).toEqual([{ topic: { S: 't' }, clientid: { S: 'c' }, msgid: { S: id } }])
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
    ['an empty list', () => [], {}, 'wanted 1 to 1000 acks'],
    ['a number', () => '42', {}, 'wanted an object'],
    ['an id that is no text', () => ({ msgid: 42 }), {}, 'wanted a message id'],
    ['a topic that is none', ([id]) => ({ msgid: id, topic: 'a/+' }), {}, 'wanted a topic name'],
  ])('refuses %s: failed, logged, nothing taken off', async (_name, payloadOf, more, error) => {
    const ids = await pending(1)
    expect((await acks(payloadOf(ids), more)).batchItemFailures).toHaveLength(1)
    expect(JSON.parse(world.logs.at(-1)!)).toMatchObject({ outcome: 'failed', error: expect.stringContaining(error) })
    expect((await world.queue()).stored).toEqual(ids)
    expect(await world.scan('mqtt_acked')).toEqual([])
  })

  it("refuses the ack of one who is not subscribed to the message's topic", async () => {
    const ids = await pending(1)
    await world.operatorSubscribes('stranger', 'other/#')
    expect((await acks(ids[0], {}, 'stranger')).batchItemFailures).toHaveLength(1)
    expect(JSON.parse(world.logs.at(-1)!)).toMatchObject({ code: 'bad-ack', client: 'stranger' })
    expect((await world.queue()).stored).toEqual(ids)
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
