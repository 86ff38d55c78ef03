/** message.publish: mqtt_retain has the last retained message of each topic, whatever the order of events that put and clear it (I6). */
import { createTables, forEachEngine } from '../support/engines.ts'
import { permutations, permutationsWithRepeat } from '../support/orders.ts'
import { nativelyRetained, retainedBy, retainedOf } from '../support/retained-world.ts'
import { World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)
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
        const world = await given({ rows: [...retainedBy('topic').filter(({ action }) => /retain/.test(action))] })
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
      const world = await given({ rows: retainedBy('topic') })
      for (let i = 0; i < (engine.name === 'embedded' ? 30 : 10); i++) {
        const topic = `t/${i}`
        const events = ['m1', '', 'm2', ''].map((payload) => world.publishEvent(topic, payload))
        await Promise.all(events.map((event) => world.handle('message.publish', event)))
        expect(await retainedOf(world, topic)).toBeUndefined()
      }
    })

    it('events of one millisecond are ordered by their UUID', async () => {
      const world = await given({ rows: retainedBy('topic') })
      const at = { timestamp: world.now }
      const events = ['m1', 'm2'].map((payload) => world.publishEvent('t', payload, at))
      for (const event of events.toReversed()) await world.handle('message.publish', event)
      expect(await retainedOf(world, 't')).toBe('m2')
    })
  })

  describe('"retain": "topic"', () => {
    it('every publish on the filter is the retained one, an empty one clears it and is not queued', async () => {
      const world = await given({ rows: retainedBy('topic') })
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
      const world = await given({ rows: retainedBy('property') })
      await world.publish('t', 'x', { user_properties })
      expect(await retainedOf(world, 't')).toBe(retained)
      expect((await world.scan('mqtt_msg'))[0]?.retain).toEqual({ N: retained === undefined ? '0' : '1' })
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
    const rows = retainedBy('topic').filter((row) => row.action !== action)
    const world = await given({ rows })
    await world.put('mqtt_retain', { topic: { S: 'kept' }, msgid: { S: 'x' }, payload: { S: 'kept' } })
    await world.publish('t', 'x')
    await world.publish('kept', '')
    const topics = (await world.scan('mqtt_retain')).map(({ topic }) => topic?.S).sort()
    expect(topics).toEqual(action === 'on_message_retain' ? [] : ['kept', 't'])
  })
})
