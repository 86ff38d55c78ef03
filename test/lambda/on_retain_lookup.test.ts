/**
 * session.subscribed: retained messages come to who subscribes, also by a wildcard.
 *
 * @seconds 18
 */
import { createTables, forEachEngine, itBilled } from '../support/engines.ts'
import { nativelyRetained, retainedBy } from '../support/retained-world.ts'
import { rowsWithout, World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)

  const TOPICS = ['a', 'a/b', 'a/b/c', 'a/bc', 'b', '/a', '$a/b', 'ü/b']
  const withRetained = async (options: WorldOptions = {}) => {
    const rows = retainedBy('topic').filter(({ action }) => action !== 'on_message_publish')
    const world = await given({ rows, ...options })
    for (const topic of TOPICS) await world.publish(topic, topic)
    await world.connect('c', 's1')
    return world
  }

  describe.each([
    ['by the index', true],
    ['by a scan', false],
  ])('%s', (_name, retainIndex) => {
    it.each([
      ['a', ['a']],
      ['none', []],
      ['a/#', ['a', 'a/b', 'a/b/c', 'a/bc']],
      ['a/+', ['a/b', 'a/bc']],
      ['a/b/#', ['a/b', 'a/b/c']],
      ['a/+/c', ['a/b/c']],
      ['+', ['a', 'b']],
      ['+/b', ['a/b', 'ü/b']],
      ['#', ['/a', 'a', 'a/b', 'a/b/c', 'a/bc', 'b', 'ü/b']],
      ['$a/#', []],
      ['/+', ['/a']],
      ['/#', ['/a']],
      ['/a/#', ['/a']],
      ['ü/+', ['ü/b']],
      ['$share/g/a/#', []],
      ['$queue/a', []],
    ])('%s: %j', async (filter, topics) => {
      const world = await withRetained({ retainIndex })
      await world.subscribe('c', 's1', filter)
      expect(world.device('c').got.toSorted()).toEqual(topics)
      expect(world.device('c').messages.every(({ retain }) => retain)).toBe(true)
    })
  })

  itBilled(engine)('an exact filter takes one request and half a read unit, a prefix none of its neighbours', async () => {
    const world = await withRetained()
    const spentBy = async (filter: string) => {
      const from = world.calls.length
      await world.subscribe('c', 's1', filter)
      const calls = world.calls.slice(from).filter(({ call }) => call.startsWith('mqtt_retain'))
      return calls.map(({ call, readUnits }) => ({ call, readUnits }))
    }
    expect(await spentBy('a')).toEqual([{ call: 'mqtt_retain:BatchGetItem', readUnits: 0.5 }])
    const found = await spentBy('a/b/#')
    for (let i = 0; i < 100; i++) await world.publish(`a/b${i}/${'x'.repeat(200)}`, 'neighbour')
    expect(await spentBy('a/b/#')).toEqual(found)
  })

  it('the index is asked for a first level that is known, else the table is scanned', async () => {
    const world = await withRetained()
    await world.subscribe('c', 's1', 'a/#')
    expect(world.calls.some(({ call }) => call === 'mqtt_retain:Scan')).toBe(false)
    await world.subscribe('c', 's1', '+/b')
    expect(world.calls.some(({ call }) => call === 'mqtt_retain:Scan')).toBe(true)
  })

  it.each([
    ['an exact filter whose message IoT Core holds: it has sent it', 'a', []],
    ['a wildcard, for which IoT Core sends none', 'a/#', ['a', 'a/b', 'a/b/c', 'a/bc']],
  ])('%s', async (_name, filter, got) => {
    const world = await withRetained()
    nativelyRetained(world, 'a', 'a')
    await world.subscribe('c', 's1', filter)
    expect(world.device('c').got.toSorted()).toEqual(got)
  })

  it("comes with every SUBSCRIBE, as MQTT says, and only where the row's filter covers", async () => {
    const world = await given({
      rows: [
        ...retainedBy('topic').filter(({ action }) => !['on_message_publish', 'on_retain_lookup'].includes(action)),
        { hook: 'session.subscribed', topic: 'a/#', action: 'on_retain_lookup' },
      ],
    })
    for (const topic of ['a', 'b']) await world.publish(topic, topic)
    await world.connect('c', 's1')
    for (let i = 0; i < 2; i++) await world.subscribe('c', 's1', 'a', 'b')
    expect(world.device('c').got).toEqual(['a', 'a'])
  })

  it.each(['#', 'a'])('%s: expired_after does not hide a retained message, the user property expiry does', async (filter) => {
    const world = await given({ rows: retainedBy('topic'), expiredAfter: 60 })
    await world.publish('a', 'kept', { user_properties: [{ qos: '0' }] })
    await world.publish('a/b', 'gone', { user_properties: [{ expiry: '90' }, { qos: '0' }] })
    await world.connect('c', 's1')
    world.wait(91_000)
    await world.subscribe('c', 's1', filter, ...(filter === 'a' ? ['a/b'] : []))
    expect(world.device('c').got).toEqual(['kept'])
  })

  it('what IoT Core holds expires as it does there, for wildcards as for exact filters', async () => {
    const world = await given({ expiredAfter: 60 })
    nativelyRetained(world, 'a', 'a')
    await world.publish('a', 'a', { user_properties: [{ expiry: '10' }] })
    await world.connect('c', 's1')
    world.wait(61_000)
    await world.subscribe('c', 's1', '#')
    expect(world.device('c').got).toEqual(['a'])
    world.native.clear()
    await world.subscribe('c', 's1', '#')
    expect(world.device('c').got).toEqual(['a'])
  })

  it('two rows that cover one filter send it once', async () => {
    const rows = [
      ...retainedBy('topic').filter(({ action }) => action !== 'on_message_publish'),
      { hook: 'session.subscribed', topic: 'a', action: 'on_retain_lookup' } as const,
    ]
    const world = await given({ rows })
    await world.publish('a', 'x')
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 'a')
    expect(world.device('c').got).toEqual(['x'])
  })

  it('without it, nothing retained is sent', async () => {
    const world = await given({ rows: rowsWithout('on_retain_lookup') })
    nativelyRetained(world, 't', 'x', 0)
    await world.publish('t', 'x')
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', '#')
    expect(world.device('c').got).toEqual([])
  })

  describe('I14: with "retain": "native" IoT Core is asked before a row of ours goes to a wildcard subscriber', () => {
    const THROTTLED = Object.assign(new Error('ThrottlingException'), { $metadata: { httpStatusCode: 429 } })
    const withOld = async () => {
      const world = await given()
      nativelyRetained(world, 'a/b', 'old')
      await world.publish('a/b', 'old')
      await world.connect('c', 's1')
      return world
    }

    it.each([
      ['it holds a newer one, whose publish is not handled yet', 'new', ['new']],
      ['it holds ours', 'old', ['old']],
      ['it was cleared, and the clearing publish is not handled yet', '', []],
    ])('%s', async (_name, held, got) => {
      const world = await withOld()
      world.wait(1_000)
      nativelyRetained(world, 'a/b', held)
      await world.subscribe('c', 's1', 'a/#')
      expect(world.device('c').got).toEqual(got)
      expect(world.device('c').messages.every(({ retain }) => retain)).toBe(true)
    })

    it.each(['durable/a/b', "an operator's row"])('... and before it goes to an exact subscriber by %s', async (by) => {
      const world = await given()
      nativelyRetained(world, 'a/b', 'old')
      await world.publish('a/b', 'old')
      for (const { msgid } of await world.scan('mqtt_msg')) await world.handle('message.acked', world.ackEvent('x', msgid!.S!))
      nativelyRetained(world, 'a/b', 'new')
      const isDurable = by.startsWith('durable/')
      if (!isDurable) await world.operatorSubscribes('c', 'a/b')
      await world.connect('c', 's1')
      if (isDurable) await world.subscribe('c', 's1', by)
      expect(
        world
          .device('c')
          .messages.filter(({ retain }) => retain)
          .map(({ message }) => `${message.payload}`),
      ).toEqual(['new'])
    })

    it('... and again before each further try: what is published meanwhile IoT Core has sent itself', async () => {
      const world = await withOld()
      world.device('c').script.push('gone')
      const { send } = world.ports.device
      jest.spyOn(world.ports.device, 'send').mockImplementation(async (...args) => {
        const outcome = await send(...args)
        nativelyRetained(world, 'a/b', 'new')
        return outcome
      })
      await world.subscribe('c', 's1', 'a/#')
      expect(world.device('c').got).toEqual(['new'])
    })

    it('what is not our row has an id of its own: its ack takes no queued message away', async () => {
      const world = await withOld()
      const { named } = await world.queue()
      nativelyRetained(world, 'a/b', 'new')
      await world.subscribe('c', 's1', 'a/#')
      expect(named).toHaveLength(1)
      expect(named).not.toContain(world.device('c').messages[0]?.message.msgid)
    })

    it('IoT Core throttles: our rows are sent, and it is asked no more for this SUBSCRIBE', async () => {
      const world = await withOld()
      for (const topic of ['a/c', 'a/d']) {
        nativelyRetained(world, topic, 'old')
        await world.publish(topic, 'old')
      }
      const ask = jest.spyOn(world.ports.device, 'retained').mockRejectedValue(THROTTLED)
      await world.subscribe('c', 's1', 'a/#')
      expect(world.device('c').got).toEqual(['old', 'old', 'old'])
      expect(ask).toHaveBeenCalledTimes(1)
    })

    it("a row of EMQX's, which IoT Core never held, is sent", async () => {
      const world = await given({ retainIndex: false })
      await world.put('mqtt_retain', { topic: { S: 'a/b' }, msgid: { S: 'x' }, payload: { S: 'kept' } })
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 'a/#')
      expect(world.device('c').got).toEqual(['kept'])
    })
  })

  describe('work and memory of a wildcard SUBSCRIBE', () => {
    const many = async (count: number, options: WorldOptions = {}) => {
      const rows = retainedBy('topic').filter(({ action }) => action !== 'on_message_publish')
      const world = await given({ rows, ...options })
      const topics = Array.from({ length: count }, (_, i) => `a/${String(i).padStart(3, '0')}`)
      await world.handle('message.publish', ...topics.map((topic) => world.publishEvent(topic, topic)))
      await world.connect('c', 's1')
      return { world, topics }
    }

    it('eight filters share one scan, which reads keys; messages are read sixteen at a time', async () => {
      const { world, topics } = await many(100, { retainIndex: false })
      const from = world.calls.length
      const getAll = jest.spyOn(world.ports.retained, 'getAll')
      await world.subscribe('c', 's1', ...Array.from({ length: 7 }, (_, i) => `+/${i}/#`), '#')
      expect(world.calls.slice(from).filter(({ call }) => call === 'mqtt_retain:Scan')).toHaveLength(1)
      expect(Math.max(...getAll.mock.calls.map(([some]) => some.length))).toBe(16)
      expect(world.device('c').got.toSorted()).toEqual(topics)
    })

    it.each([
      ['by the index', true],
      ['by a scan', false],
    ])('%s: what does not fit into one invocation goes on where it was, at the next receive', async (_name, retainIndex) => {
      const { world, topics } = await many(50, { retainIndex })
      const subscribed = world.subscribedEvent('c', 's1', 'a/#')
      const receive = (receives: number, remaining: number) =>
        world.deliver(
          'session.subscribed',
          [{ messageId: 'm', body: JSON.stringify(subscribed), attributes: { ApproximateReceiveCount: `${receives}` } }],
          remaining,
        )
      const { send } = world.ports.device
      jest.spyOn(world.ports.device, 'send').mockImplementation(async (...args) => {
        world.wait(100)
        return send(...args)
      })
      expect((await receive(1, 10_000)).batchItemFailures).toHaveLength(1)
      const first = world.device('c').got.length
      expect(first).toBeGreaterThan(10)
      expect(first).toBeLessThan(50)
      expect((await receive(2, 120_000)).batchItemFailures).toEqual([])
      expect(world.device('c').got).toHaveLength(50)
      expect(world.device('c').got.toSorted()).toEqual(topics)
    })
  })
})
