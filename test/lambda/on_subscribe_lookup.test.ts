/**
 * client.connected, session.created: an operator's rows of mqtt_sub are followed as if the client had subscribed.
 *
 * @seconds 18
 */
import { createTables, forEachEngine } from '../support/engines.ts'
import { type Item, rowsWith, rowsWithout, World, type WorldOptions } from '../support/world.ts'

const FILTERS = ['t', 'cmd/+', 'cmd/#', '#', '+/42', 'cmd/42/#', '$share/g/t', '$share/g/cmd/+']

forEachEngine((engine) => {
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)
  const EMPTY = { named: [], stored: [] }
  const got = (world: World, c = 'c') => world.device(c).got
  const operatorRow = (topic: string): Item => ({ clientid: { S: 'c' }, topic: { S: topic }, qos: { N: '1' } })

  it.each([
    ['t', 't', true],
    ['cmd/42', 'cmd/42', true],
    ['cmd/+', 'cmd/42', true],
    ['cmd/+', 'cmd/42/x', false],
    ['cmd/#', 'cmd', true],
    ['cmd/#', 'cmd/42/x', true],
    ['cmd/+/x', 'cmd/42/x', true],
    ['cmd/+/x', 'cmd/42/y', false],
    ['+/42', 'cmd/42', true],
    ['#', 'cmd/42', true],
    ['+', 'cmd', true],
    ['+/+', '/x', true],
    ['cmd/42/#', 'cmd/4', false],
  ])('row %s, publish on %s: pushed %s, and acknowledged', async (filter, topic, pushed) => {
    const world = await given()
    await world.operatorSubscribes('c', filter)
    await world.connect('c', 's1')
    await world.publish(topic, 'x')
    expect(got(world)).toEqual(pushed ? ['x'] : [])
    expect((await world.queue()).named).toHaveLength(pushed ? 0 : 1)
  })

  it('an exact row gets the queue first, in order, then every publish', async () => {
    const world = await given()
    for (const payload of ['m0', 'm1', 'm2']) await world.publish('t', payload)
    await world.operatorSubscribes('c', 't')
    await world.connect('c', 's1')
    await world.publish('t', 'm3')
    expect(got(world)).toEqual(['m0', 'm1', 'm2', 'm3'])
    expect(await world.queue()).toEqual(EMPTY)
    expect((await world.row('mqtt_topic_msg_map', 't'))?.live?.M?.c?.M?.catching).toBeUndefined()
  })

  it('a wildcard row consumes no queue', async () => {
    const world = await given()
    await world.publish('cmd/42', 'queued')
    await world.operatorSubscribes('c', 'cmd/+')
    await world.connect('c', 's1')
    expect(got(world)).toEqual([])
  })

  it('several rows that match get one message once', async () => {
    const world = await given()
    for (const filter of ['cmd/42', 'cmd/+', 'cmd/#', '#']) await world.operatorSubscribes('c', filter)
    await world.connect('c', 's1')
    await world.publish('cmd/42', 'x')
    expect(got(world)).toEqual(['x'])
  })

  it('several filters on one covering row live and end apart', async () => {
    const world = await given()
    for (const filter of ['cmd/+/x', 'cmd/+/y']) await world.operatorSubscribes('c', filter)
    await world.connect('c', 's1')
    expect(await world.live()).toEqual(['cmd/# c|cmd/+/x', 'cmd/# c|cmd/+/y'])
    await world.unsubscribe('c', 's1', 'cmd/+/x')
    for (const topic of ['cmd/1/x', 'cmd/1/y']) await world.publish(topic, topic)
    expect(got(world)).toEqual(['cmd/1/y'])
  })

  it('two clients get it, the first to acknowledge takes it off the queue, both are in mqtt_acked', async () => {
    const world = await given()
    for (const c of ['c', 'd']) await world.operatorSubscribes(c, 't')
    for (const c of ['c', 'd']) await world.connect(c, `s-${c}`)
    await world.publish('t', 'x')
    expect([got(world), got(world, 'd')]).toEqual([['x'], ['x']])
    expect(await world.queue()).toEqual(EMPTY)
    expect((await world.scan('mqtt_acked')).map(({ clientid }) => clientid?.S).sort()).toEqual(['c', 'd'])
  })

  it('QoS 0 publishes reach it unqueued', async () => {
    const world = await given()
    for (const filter of ['t', 'cmd/+']) await world.operatorSubscribes('c', filter)
    await world.connect('c', 's1')
    const qos0 = { user_properties: [{ qos: '0' }] }
    await world.publish('t', 'exact', qos0)
    await world.publish('cmd/42', 'wildcard', qos0)
    expect(got(world)).toEqual(['exact', 'wildcard'])
    expect(await world.queue()).toEqual(EMPTY)
  })

  it('publishes on topics that are not queued reach it as well', async () => {
    const world = await given({
      rows: rowsWith(
        { hook: 'message.publish', topic: 'queued/#', action: 'on_message_publish' },
        { hook: 'message.publish', topic: 'history/#', action: 'on_message_store' },
      ),
    })
    await world.operatorSubscribes('c', 'history/1')
    await world.connect('c', 's1')
    await world.publish('history/1', 'x')
    expect(got(world)).toEqual(['x'])
    expect((await world.queue()).named).toEqual([])
  })

  it('retained messages follow, with retain=1, exact and wildcard, but not for $share', async () => {
    const world = await given()
    for (const topic of ['r/1', 'r/2', 'shared']) {
      world.native.set(topic, { payload: Buffer.from(topic), qos: 1, lastModified: world.now })
      await world.publish(topic, topic, { user_properties: [{ qos: '0' }] })
    }
    for (const filter of ['r/1', '+/2', '$share/g/shared']) await world.operatorSubscribes('c', filter)
    const queued = (await world.queue()).stored
    await world.connect('c', 's1')
    const retained = world.device('c').messages.filter(({ retain }) => retain)
    expect(retained.map(({ message }) => message.topic).sort()).toEqual(['r/1', 'r/2'])
    expect(queued).toEqual([])
  })

  it('a row with qos 0 gets no queue, as in EMQX', async () => {
    const world = await given()
    await world.publish('t', 'queued')
    await world.operatorSubscribes('c', 't', 0)
    await world.connect('c', 's1')
    expect(got(world)).toEqual([])
    expect((await world.queue()).named).toHaveLength(1)
  })

  describe.each(FILTERS)('row %s', (filter) => {
    const topic = filter === 'cmd/42/#' ? 'cmd/42/x' : filter.endsWith('t') ? 't' : 'cmd/42'
    const pushes = async (world: World) => {
      const before = got(world).length
      await world.publish(topic, 'x')
      return got(world).length - before
    }

    it("ends with the connection, comes back with the next, and the operator's row never changes", async () => {
      const world = await given()
      await world.operatorSubscribes('c', filter)
      await world.connect('c', 's1')
      expect(await pushes(world)).toBe(1)
      await world.disconnect('c', 's1')
      expect(await world.live()).toEqual([])
      expect(await pushes(world)).toBe(0)
      await world.connect('c', 's2', 1)
      expect(await pushes(world)).toBe(1)
      expect(await world.scan('mqtt_sub')).toEqual([operatorRow(filter)])
    })

    it("I4: ends with the client's unsubscribe, also when the connected event comes once more", async () => {
      const world = await given()
      await world.operatorSubscribes('c', filter)
      const connected = world.connectedEvent('c', 's1')
      await world.handleConnected(connected)
      await world.unsubscribe('c', 's1', filter)
      expect(await world.live()).toEqual([])
      await world.handleConnected(connected)
      expect(await world.live()).toEqual([])
      expect(await pushes(world)).toBe(0)
      expect(await world.scan('mqtt_sub')).toEqual([operatorRow(filter)])
    })

    it.each(['connected first', 'subscribed first', 'connected once more'])("the client's own subscription wins: %s", async (order) => {
      const world = await given()
      await world.operatorSubscribes('c', filter)
      const connected = world.connectedEvent('c', 's1')
      const subscribed = world.subscribedEvent('c', 's1', filter)
      if (order !== 'subscribed first') await world.handleConnected(connected)
      await world.handle('session.subscribed', subscribed)
      if (order !== 'connected first') await world.handleConnected(connected)
      world.wait(10_000)
      expect(await pushes(world)).toBe(0)
      await world.unsubscribe('c', 's1', filter)
      expect(await world.live()).toEqual([])
      expect(await world.scan('mqtt_sub')).toEqual([operatorRow(filter)])
    })

    it("the client's own subscription wins where nothing fetches a queue, too", async () => {
      const world = await given({ rows: rowsWithout('on_message_fetch_for_queue') })
      await world.operatorSubscribes('c', filter)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', filter)
      world.wait(10_000)
      expect(await pushes(world)).toBe(0)
      await world.disconnect('c', 's1')
      expect(await world.live()).toEqual([])
    })

    it('I4: a connected event that comes after its disconnect makes nobody live', async () => {
      const world = await given()
      await world.operatorSubscribes('c', filter)
      const connected = world.connectedEvent('c', 's1')
      await world.disconnect('c', 's1')
      await world.handleConnected(connected)
      expect(await world.live()).toEqual([])
    })
  })

  describe("I13: an operator's row that is deleted while its client is connected", () => {
    it.each(FILTERS)('%s: nothing more is sent, and the seat ends', async (filter) => {
      const topic = filter === 'cmd/42/#' ? 'cmd/42/x' : filter.endsWith('t') ? 't' : 'cmd/42'
      const world = await given()
      await world.operatorSubscribes('c', filter)
      await world.connect('c', 's1')
      await world.publish(topic, 'before')
      await world.operatorDeletes('c', filter)
      for (const payload of ['queued', 'still queued']) await world.publish(topic, payload)
      await world.publish(topic, 'on no queue', { user_properties: [{ qos: '0' }] })
      expect(got(world)).toEqual(['before'])
      expect((await world.queue()).named).toHaveLength(2)
      expect(await world.live()).toEqual([])
      await world.disconnect('c', 's1')
      await world.connect('c', 's2', 1)
      await world.publish(topic, 'later')
      expect(got(world)).toEqual(['before'])
    })

    it('a message on no queue is not sent either', async () => {
      const world = await given()
      for (const filter of ['t', 'cmd/+']) await world.operatorSubscribes('c', filter)
      await world.connect('c', 's1')
      for (const filter of ['t', 'cmd/+']) await world.operatorDeletes('c', filter)
      for (const topic of ['t', 'cmd/42']) await world.publish(topic, 'x', { user_properties: [{ qos: '0' }] })
      expect(got(world)).toEqual([])
      expect(await world.live()).toEqual([])
    })

    it('after some of its queue was delivered: the rest stays', async () => {
      const world = await given()
      for (const payload of ['m0', 'm1', 'm2']) await world.publish('t', payload)
      await world.operatorSubscribes('c', 't')
      world.whenSent('c', 'm1', () => world.operatorDeletes('c', 't'))
      await world.connect('c', 's1')
      expect(got(world)).toEqual(['m0', 'm1'])
      expect((await world.queue()).named).toHaveLength(1)
      expect(await world.live()).toEqual([])
    })

    it('while the client does not acknowledge: it is not sent again', async () => {
      const world = await given()
      await world.publish('t', 'm0')
      await world.operatorSubscribes('c', 't')
      world.device('c').script.push('unknown', 'unknown')
      world.whenSent('c', 'm0', () => world.operatorDeletes('c', 't'))
      await world.connect('c', 's1')
      expect(got(world)).toEqual([])
      expect((await world.queue()).named).toHaveLength(1)
    })

    it('what a wildcard row of the client still matches comes by that one', async () => {
      const world = await given()
      for (const filter of ['cmd/42', 'cmd/+', 'cmd/#']) await world.operatorSubscribes('c', filter)
      await world.connect('c', 's1')
      for (const filter of ['cmd/42', 'cmd/#']) await world.operatorDeletes('c', filter)
      await world.publish('cmd/42', 'x')
      expect(got(world)).toEqual(['x'])
      expect(await world.live()).toEqual(['cmd/# c|cmd/+'])
    })

    it("the client's own subscription stays", async () => {
      const world = await given()
      await world.operatorSubscribes('c', 't')
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      await world.operatorDeletes('c', 't')
      await world.publish('t', 'x')
      expect(await world.live()).toEqual(['t c'])
    })

    it('retained messages stop', async () => {
      const world = await given()
      for (const topic of ['r/1', 'r/2', 'r/3']) {
        world.native.set(topic, { payload: Buffer.from(topic), qos: 1, lastModified: world.now })
        await world.publish(topic, topic, { user_properties: [{ qos: '0' }] })
      }
      await world.operatorSubscribes('c', 'r/+')
      world.whenSent('c', undefined, () => world.operatorDeletes('c', 'r/+'))
      await world.connect('c', 's1')
      expect(got(world)).toHaveLength(1)
    })
  })

  it.each([
    ['a/#/b', { N: '1' }, '"#" as level 2 of 3, wanted it last'],
    ['a+', { N: '1' }, 'level 1 is "a+", wanted a wildcard to be a whole level'],
    ['$share/g', { N: '1' }, 'a shared subscription without a filter, wanted $share/<group>/<filter>'],
    ['t', { N: '3' }, 'its QoS is 3, wanted 0, 1 or 2'],
    ['t', { S: 'one' }, 'its QoS is NaN, wanted 0, 1 or 2'],
  ])('row %s with QoS %j: passed over with a line and a count, and no other row suffers', async (filter, qos, why) => {
    const world = await given({ namespace: 'Test' })
    await world.put('mqtt_sub', { clientid: { S: 'c' }, topic: { S: filter }, qos })
    await world.operatorSubscribes('c', 'ok')
    await world.connect('c', 's1')
    expect(await world.live()).toEqual(['ok c'])
    const lines = world.logs.map((line) => JSON.parse(line))
    const error = `mqtt_sub row of client 'c', topic '${filter}': ${why}; passed over`
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', outcome: 'ignored', code: 'bad-operator-row', error }))
    expect(lines).toContainEqual(expect.objectContaining({ Hook: 'session.created', operator_row_ignored: 1 }))
  })

  it.each([
    ['t', '$share/g/t'],
    ['$share/g/t', '$share/h/t'],
    ['cmd/+', '$share/g/cmd/+'],
    ['t', '#'],
    ['+', '#'],
  ])('one message that rows %s and %s of a client match is sent to it once', async (...filters) => {
    const world = await given()
    const topic = filters[0].includes('cmd') ? 'cmd/42' : 't'
    for (const payload of ['m0', 'm1']) await world.publish(topic, payload)
    for (const filter of filters) await world.operatorSubscribes('c', filter)
    await world.connect('c', 's1')
    await world.publish(topic, 'x')
    expect(got(world)).toEqual(filters.some((filter) => filter.endsWith('t')) ? ['m0', 'm1', 'x'] : ['x'])
    for (const filter of filters.slice(1)) await world.operatorDeletes('c', filter)
    await world.publish(topic, 'y')
    expect(got(world).slice(-2)).toEqual(['x', 'y'])
  })

  it('a client that becomes live while a publish is under way gets it: the row orders the two', async () => {
    const world = await given()
    await world.operatorSubscribes('c', 't')
    const connected = world.connectedEvent('c', 's1')
    const events = Array.from({ length: 30 }, (_, i) => world.publishEvent('t', `m${i}`))
    await Promise.all([...events.map((event) => world.handle('message.publish', event)), world.handleConnected(connected)])
    expect(new Set(got(world)).size).toBe(30)
    expect(await world.queue()).toEqual(EMPTY)
  })
})
