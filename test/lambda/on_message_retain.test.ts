/** mqtt_retain: the last retained message of each topic, whatever the order of the events (I6), and who gets it. */
import type { RetainMode } from '../../lambda/core/hooks.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { permutations, permutationsWithRepeat } from '../support/orders.ts'
import { rowsWith, rowsWithout, World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)
  const mode = (retain: RetainMode) =>
    rowsWith(
      { hook: 'message.publish', topic: '#', action: 'on_message_retain', retain },
      { hook: 'message.publish', topic: '#', action: 'on_retain_delete', retain },
    )
  const retainedOf = async (world: World, topic: string) => (await world.row('mqtt_retain', topic))?.payload?.S
  /** IoT Core retains the payload; '' clears. */
  const nativelyRetained = (world: World, topic: string, payload: string, qos = 1) => {
    if (payload === '') world.native.delete(topic)
    else world.native.set(topic, { payload: Buffer.from(payload), qos, lastModified: world.now })
  }

  describe('I6: the row ends as the last event says, in every order and with repetitions', () => {
    it.each([
      ['put, put', ['m1', 'm2']],
      ['put, clear', ['m1', '']],
      ['clear, put', ['', 'm1']],
      ['put, clear, put', ['m1', '', 'm2']],
      ['put, put, clear', ['m1', 'm2', '']],
      ['clear, put, clear', ['', 'm1', '']],
      ['put, clear, put, clear', ['m1', '', 'm2', '']],
    ])(
      '%s',
      async (_name, payloads) => {
        const world = await given({ rows: [...mode('topic').filter(({ action }) => /retain/.test(action))] })
        const orders = payloads.length < 4 ? permutationsWithRepeat(payloads.map((_, i) => i)) : permutations(payloads.map((_, i) => i))
        const some = orders.filter((_, i) => engine.name === 'embedded' || i % 4 === 0)
        await Promise.all(
          some.map(async (order, n) => {
            const topic = `t/${n}`
            const events = payloads.map((payload) => world.publishEvent(topic, payload))
            for (const i of order) await world.handle('message.publish', events[i])
            expect({ order, retained: await retainedOf(world, topic) }).toEqual({ order, retained: payloads.at(-1) || undefined })
          }),
        )
      },
      60_000,
    )

    it('put and clear side by side', async () => {
      const world = await given({ rows: mode('topic') })
      for (let i = 0; i < (engine.name === 'embedded' ? 30 : 10); i++) {
        const topic = `t/${i}`
        const events = ['m1', '', 'm2', ''].map((payload) => world.publishEvent(topic, payload))
        await Promise.all(events.map((event) => world.handle('message.publish', event)))
        expect(await retainedOf(world, topic)).toBeUndefined()
      }
    })

    it('events of one millisecond are ordered by their UUID', async () => {
      const world = await given({ rows: mode('topic') })
      const at = { timestamp: world.now }
      const events = ['m1', 'm2'].map((payload) => world.publishEvent('t', payload, at))
      for (const event of events.toReversed()) await world.handle('message.publish', event)
      expect(await retainedOf(world, 't')).toBe('m2')
    })
  })

  it('I4: a clearing event that is received twice at once queues nothing, whichever reads between the other’s two writes', async () => {
    const world = await given()
    nativelyRetained(world, 't', 'x', 0)
    await world.publish('t', 'x')
    nativelyRetained(world, 't', '')
    const clearing = world.publishEvent('t', '')
    const { get } = world.ports.retained
    // The other receive does all of it while this one is about to read the row.
    jest.spyOn(world.ports.retained, 'get').mockImplementationOnce(async (topic) => {
      await Promise.resolve()
      await world.handle('message.publish', clearing)
      return get(topic)
    })
    await world.handle('message.publish', clearing)
    expect((await world.queue()).stored).toEqual([])
  })

  describe('"retain": "topic"', () => {
    it('every publish on the filter is the retained one, an empty one clears it and is not queued', async () => {
      const world = await given({ rows: mode('topic') })
      await world.publish('t', 'x', { user_properties: [{ qos: '0' }] })
      expect(await world.row('mqtt_retain', 't')).toMatchObject({ payload: { S: 'x' }, qos: { N: '0' }, retain: { N: '1' } })
      await world.publish('t', '')
      expect(await world.scan('mqtt_retain')).toEqual([])
      expect((await world.queue()).named).toEqual([])
    })
  })

  describe('"retain": "property"', () => {
    it.each([
      ['retain=1', [{ retain: '1' }], 'x'],
      ['retain=0', [{ retain: '0' }], undefined],
      ['another property', [{ other: '1' }], undefined],
    ])('user property %s', async (_name, user_properties, retained) => {
      const world = await given({ rows: mode('property') })
      await world.publish('t', 'x', { user_properties })
      expect(await retainedOf(world, 't')).toBe(retained)
      expect((await world.scan('mqtt_msg'))[0]?.retain).toEqual({ N: retained === undefined ? '0' : '1' })
    })

    it('an empty payload clears only with retain=1; else it is a message like any other', async () => {
      const world = await given({ rows: mode('property') })
      const user_properties = [{ retain: '1' }]
      await world.publish('t', 'x', { user_properties })
      await world.publish('t', '')
      expect(await retainedOf(world, 't')).toBe('x')
      expect((await world.queue()).named).toHaveLength(2)
      await world.publish('t', '', { user_properties })
      expect(await retainedOf(world, 't')).toBeUndefined()
      expect((await world.queue()).named).toHaveLength(2)
    })
  })

  describe('"retain": "native": GetRetainedMessage tells', () => {
    it.each([
      ['it holds this payload: retained, with its true QoS', 'x', 0, 'x'],
      ['it holds another payload: an ordinary publish', 'other', 0, undefined],
      ["it holds the same payload since long ago: another publish's", 'x', -120_000, undefined],
      ['it holds nothing', '', 0, undefined],
    ])('%s', async (_name, native, age, retained) => {
      const world = await given()
      world.wait(120_000)
      nativelyRetained(world, 't', native, 0)
      if (native !== '') world.native.get('t')!.lastModified += age
      await world.publish('t', 'x')
      expect(await retainedOf(world, 't')).toBe(retained)
      if (retained !== undefined) expect(await world.row('mqtt_retain', 't')).toMatchObject({ qos: { N: '0' } })
    })

    it('a retained publish of QoS 0 is kept as retained, and not queued', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x', 0)
      await world.publish('t', 'x')
      expect((await world.queue()).named).toEqual([])
    })

    it('an empty publish of which IoT Core retains nothing any more clears ours; it does not queue', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      nativelyRetained(world, 't', '')
      const clearing = world.publishEvent('t', '')
      await world.handle('message.publish', clearing)
      expect(await world.scan('mqtt_retain')).toEqual([])
      expect((await world.queue()).named).toHaveLength(1)
      await world.handle('message.publish', clearing)
      expect((await world.queue()).named).toHaveLength(1)
    })

    it('an ordinary empty publish taken for the clearing one, which is late: the next retained message stays, though stamped a moment before', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      world.wait(1_000)
      const clearing = world.publishEvent('t', '')
      world.wait(1_000)
      const next = world.publishEvent('t', 'y')
      world.wait(2)
      nativelyRetained(world, 't', '')
      await world.publish('t', '')
      expect(await world.scan('mqtt_retain')).toEqual([])
      nativelyRetained(world, 't', 'y')
      await world.handle('message.publish', next)
      await world.handle('message.publish', clearing)
      expect(await retainedOf(world, 't')).toBe('y')
    })

    const tryAgain = (world: World, event: unknown, receives: number) =>
      world.deliver('message.publish', [
        { messageId: 'again', body: JSON.stringify(event), attributes: { ApproximateReceiveCount: `${receives}` } },
      ])

    it('a clearing publish that is tried again when IoT Core retains the next message already: clears, and is not queued', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      nativelyRetained(world, 't', '')
      const clearing = world.publishEvent('t', '')
      await world.handle('message.publish', clearing)
      nativelyRetained(world, 't', 'y')
      await world.publish('t', 'y')
      expect(await tryAgain(world, clearing, 2)).toEqual({ batchItemFailures: [] })
      expect(await retainedOf(world, 't')).toBe('y')
      expect((await world.queue()).stored).toHaveLength(2)
    })

    it('an ordinary empty publish, before whose look at our table the next message came to be retained there, does not clear that', async () => {
      const world = await given()
      const empty = world.publishEvent('t', '')
      const { get } = world.ports.retained
      // IoT Core is asked first, and holds nothing yet.
      jest.spyOn(world.ports.retained, 'get').mockImplementationOnce(async (topic) => {
        nativelyRetained(world, 't', 'y')
        await world.publish('t', 'y')
        return get(topic)
      })
      world.wait(1_000)
      await world.handle('message.publish', empty)
      expect(await retainedOf(world, 't')).toBe('y')
    })

    it('I5: an empty publish that one try took for a message, and stored, is no clearing one for the next: it is named', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      const clearing = world.publishEvent('t', '')
      jest.spyOn(world.ports.topics, 'add').mockRejectedValueOnce(new Error('killed'))
      await tryAgain(world, clearing, 1)
      // Meanwhile another receive of the event, which IoT Core had told otherwise, remembered that it cleared.
      nativelyRetained(world, 't', '')
      const msgid = (await world.queue()).stored.at(-1)!
      await world.ports.retained.clear((await world.ports.messages.get([msgid])).get(msgid)!, { certain: true })
      await tryAgain(world, clearing, 2)
      const { named, stored } = await world.queue()
      expect([named, stored.length]).toEqual([stored, 2])
    })

    it('an empty publish while IoT Core retains something is a message without payload', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      await world.publish('t', '')
      expect(await retainedOf(world, 't')).toBe('x')
      expect((await world.queue()).named).toHaveLength(2)
    })

    it('an empty publish on a topic that never had one is a message without payload', async () => {
      const world = await given()
      await world.publish('t', '')
      expect((await world.queue()).named).toHaveLength(1)
      expect(await world.scan('mqtt_retain')).toEqual([])
    })

    it('a put that was on its way while the message was cleared finds nothing retained', async () => {
      const world = await given()
      const put = world.publishEvent('t', 'x')
      world.native.set('t', { payload: Buffer.from('x'), qos: 1, lastModified: world.now })
      const seen = world.ports.device.retained('t')
      world.wait(1_000)
      world.native.clear()
      await world.publish('t', '')
      // Its handler had asked GetRetainedMessage before.
      world.native.set('t', (await seen)!)
      await world.handle('message.publish', put)
      expect(await world.scan('mqtt_retain')).toEqual([])
    })

    it('a put whose event comes after the clearing one finds nothing retained', async () => {
      const world = await given()
      const put = world.publishEvent('t', 'x')
      await world.publish('t', '')
      await world.handle('message.publish', put)
      expect(await world.scan('mqtt_retain')).toEqual([])
    })
  })

  it.each([['on_message_retain'], ['on_retain_delete']] as const)('without %s, its part is not done', async (action) => {
    const rows = mode('topic').filter((row) => row.action !== action)
    const world = await given({ rows })
    await world.put('mqtt_retain', { topic: { S: 'kept' }, msgid: { S: 'x' }, payload: { S: 'kept' } })
    await world.publish('t', 'x')
    await world.publish('kept', '')
    const topics = (await world.scan('mqtt_retain')).map(({ topic }) => topic?.S).sort()
    expect(topics).toEqual(action === 'on_message_retain' ? [] : ['kept', 't'])
  })

  describe('on_retain_lookup', () => {
    const TOPICS = ['a', 'a/b', 'a/b/c', 'a/bc', 'b', '/a', '$a/b', 'ü/b']
    const withRetained = async (options: WorldOptions = {}) => {
      const rows = mode('topic').filter(({ action }) => action !== 'on_message_publish')
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

    const billed = engine.name === 'maps' ? it.skip : it
    billed('an exact filter takes one request and half a read unit, a prefix none of its neighbours', async () => {
      const world = await withRetained()
      const spentBy = async (filter: string) => {
        const from = world.calls.length
        await world.subscribe('c', 's1', filter)
        const calls = world.calls.slice(from).filter(({ call }) => call.startsWith('mqtt_retain'))
        return calls.map(({ call, readUnits }) => ({ call, readUnits }))
      }
      expect(await spentBy('a')).toEqual([{ call: 'mqtt_retain:GetItem', readUnits: 0.5 }])
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
          ...mode('topic').filter(({ action }) => !['on_message_publish', 'on_retain_lookup'].includes(action)),
          { hook: 'session.subscribed', topic: 'a/#', action: 'on_retain_lookup' },
        ],
      })
      for (const topic of ['a', 'b']) await world.publish(topic, topic)
      await world.connect('c', 's1')
      for (let i = 0; i < 2; i++) await world.subscribe('c', 's1', 'a', 'b')
      expect(world.device('c').got).toEqual(['a', 'a'])
    })

    it('expired messages are not sent', async () => {
      const world = await withRetained({ expiredAfter: 60 })
      world.wait(61_000)
      await world.subscribe('c', 's1', '#')
      expect(world.device('c').got).toEqual([])
    })

    it('two rows that cover one filter send it once', async () => {
      const rows = [
        ...mode('topic').filter(({ action }) => action !== 'on_message_publish'),
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
  })
})
