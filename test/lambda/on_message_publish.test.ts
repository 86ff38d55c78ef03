/** message.publish: the queue of a topic is kept for who subscribes later, oldest first, one-to-one, and gone once acknowledged. */
import { HEAD_IDS, segmentKey } from '../../lambda/core/model/topic-row.ts'
import { recording } from '../support/call-log.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { rowsWith, rowsWithout, World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  const embedded = engine.name === 'embedded'
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)
  const EMPTY = { named: [], stored: [] }
  const payloads = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `m${from + i}`)
  /** Publishes m<from> .. m<to - 1>, ten in a batch as SQS hands them out. */
  const publishMany = async (world: World, topic: string, from: number, to: number) => {
    const events = payloads(from, to).map((payload) => world.publishEvent(topic, payload))
    for (let i = 0; i < events.length; i += 10) await world.handle('message.publish', ...events.slice(i, i + 10))
  }
  const head = (world: World, topic = 't') => world.row('mqtt_topic_msg_map', topic)

  describe('delivery', () => {
    it('I2: keeps 200 messages for a subscriber that comes later, oldest first, and forgets them once acknowledged', async () => {
      const world = await given()
      await publishMany(world, 't', 0, 200)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(payloads(0, 200))
      expect(await world.queue()).toEqual(EMPTY)
      expect((await world.scan('mqtt_acked'))[0]?.clientid).toEqual({ S: 'c' })
    }, 60_000)

    it('I2: messages whose events come in another order are delivered by their time', async () => {
      const world = await given()
      const events = payloads(0, 40).map((payload) => world.publishEvent('t', payload))
      for (const i of [...events.keys()].sort((a, b) => ((a * 17) % 40) - ((b * 17) % 40))) await world.handle('message.publish', events[i])
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(payloads(0, 40))
    })

    it('one-to-one: whoever acknowledges first takes a message off for everybody', async () => {
      const world = await given()
      await publishMany(world, 't', 0, 5)
      for (const c of ['a', 'b']) await world.connect(c, `s-${c}`)
      await world.subscribe('a', 's-a', 't')
      await world.subscribe('b', 's-b', 't')
      expect([world.device('a').got, world.device('b').got]).toEqual([payloads(0, 5), []])
      expect(await world.scan('mqtt_acked')).toHaveLength(1)
    })

    it('I5: a repeated event that stores a message again while it is acknowledged leaves it pending, and named', async () => {
      const world = await given()
      await world.publish('t', 'x')
      const [message] = (await world.ports.messages.get((await world.queue()).stored)).values()
      const { removeIds } = world.ports.topics
      jest.spyOn(world.ports.topics, 'removeIds').mockImplementationOnce(async (topic, homes) => {
        await recording({ hook: 'message.publish', tables: world.tables, calls: [] }, () => world.ports.messages.put(message!))
        await removeIds(topic, homes)
      })
      await world.operatorSubscribes('c', 't')
      await world.handle('message.acked', world.ackEvent('c', message!.msgid))
      const { named, stored } = await world.queue()
      expect([named, stored]).toEqual([[message!.msgid], [message!.msgid]])
    })

    it('topics are queues of their own: a client gets those it subscribes to', async () => {
      const world = await given()
      for (const topic of ['a', 'b', 'a/b']) await world.publish(topic, topic)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 'b', 'a/b')
      expect(world.device('c').got.toSorted()).toEqual(['a/b', 'b'])
      expect((await world.queue()).named).toHaveLength(1)
    })

    it.each([['$share/g/t'], ['$queue/t']])("%s: the prefix is stripped, the queue is the topic's", async (filter) => {
      const world = await given()
      await publishMany(world, 't', 0, 3)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', filter)
      expect(world.device('c').got).toEqual(payloads(0, 3))
      expect(await world.row('mqtt_sub', 'c', filter)).toMatchObject({ origin: { S: 'client' } })
    })

    it.each([['#'], ['t/+'], ['+/x'], ['t/#']])('wildcard subscription %s is recorded, and consumes no queue', async (filter) => {
      const world = await given()
      await world.publish('t/x', 'x')
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', filter)
      expect(world.device('c').got).toEqual([])
      expect((await world.queue()).named).toHaveLength(1)
      expect(await world.row('mqtt_sub', 'c', filter)).toMatchObject({ topic: { S: filter }, origin: { S: 'client' } })
    })

    it('a repeated SUBSCRIBE keeps its since and delivers nothing again', async () => {
      const world = await given()
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      const since = (await head(world))?.live?.M?.c?.M?.since
      world.wait(5_000)
      await publishMany(world, 't', 0, 3)
      world.wait(5_000)
      await world.subscribe('c', 's1', 't')
      expect((await head(world))?.live?.M?.c?.M?.since).toEqual(since)
      expect(world.device('c').got).toEqual([])
      expect((await world.row('mqtt_sub', 'c', 't'))?.since).toEqual(since)
    })

    it('a later SUBSCRIBE of a session leaves the queue to an earlier one, and comes back for it where that one ends unfinished', async () => {
      const world = await given()
      await publishMany(world, 't', 0, 3)
      await world.connect('c', 's1')
      const first = { messageId: 'first', body: JSON.stringify(world.subscribedEvent('c', 's1', 't')) }
      world.wait(5_000)
      const over = world.disconnectedEvent('c', 's1', 0, 'DUPLICATE_CLIENTID')
      // It goes on in another connection, whose connected event is late.
      world.connectedEvent('c', 's1', 1)
      const later = { messageId: 'later', body: JSON.stringify(world.subscribedEvent('c', 's1', 't')) }
      const { send } = world.ports.device
      const meanwhile: unknown[] = []
      Object.assign(world.ports.device, {
        send: async () => {
          meanwhile.push(await world.deliver('session.subscribed', [later]))
          Object.assign(world.ports.device, { send })
          throw new Error('killed')
        },
      })
      const failed = (id: string) => ({ batchItemFailures: [{ itemIdentifier: id }] })
      expect([await world.deliver('session.subscribed', [first]), meanwhile]).toEqual([failed('first'), [failed('later')]])
      expect(world.logs.join()).toContain('the handler of an earlier SUBSCRIBE delivers its queue')
      await world.handle('client.disconnected', over)
      expect(await world.deliver('session.subscribed', [first, later])).toEqual({ batchItemFailures: [] })
      expect(world.device('c').got).toEqual(payloads(0, 3))
      expect(await world.queue()).toEqual(EMPTY)
    })

    it.each([
      ['published before the subscribe', -500, ['early']],
      ['published within the margin after it', 500, ['early']],
      ['published surely after it: IoT Core has delivered it', 1_500, []],
    ])('a message %s and stored after the fetch: pushed as %j', async (_name, delta, got) => {
      const world = await given()
      await world.connect('c', 's1')
      world.wait(5_000)
      const early = world.publishEvent('t', 'early', { timestamp: world.now + delta })
      await world.subscribe('c', 's1', 't')
      await world.handle('message.publish', early)
      expect(world.device('c').got).toEqual(got)
      expect((await world.queue()).named).toHaveLength(1 - got.length)
    })

    it('only covered topics: the fetch of one filter leaves the others queued', async () => {
      const rows = rowsWith({ hook: 'session.subscribed', topic: 'q/#', action: 'on_message_fetch_for_queue' })
      const world = await given({ rows })
      for (const topic of ['q/1', 'other']) await world.publish(topic, topic)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 'q/1', 'other')
      expect(world.device('c').got).toEqual(['q/1'])
      expect(await world.live()).toEqual(['q/1 c'])
    })

    it('a subscription whose row says qos 0 fetches nothing, as in EMQX', async () => {
      const world = await given({
        rows: rowsWith({ hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_queue', qos: 0 }),
      })
      await world.publish('t', 'x')
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual([])
      expect((await world.row('mqtt_sub', 'c', 't'))?.qos).toEqual({ N: '0' })
    })
  })

  describe('what is queued', () => {
    it.each([
      ['user property qos=0', { user_properties: [{ qos: '0' }] }, 0],
      ['user property qos=1', { user_properties: [{ qos: '1' }] }, 1],
      ['user property qos=2', { user_properties: [{ qos: '2' }] }, 1],
      ['another value of it', { user_properties: [{ qos: '7' }] }, 1],
      ['the first of two', { user_properties: [{ qos: '0' }, { qos: '1' }] }, 0],
      ['no user property', {}, 1],
    ])('%s', async (_name, more, count) => {
      const world = await given()
      await world.publish('t', 'x', more)
      expect((await world.queue()).named).toHaveLength(count)
      expect(await world.scan('mqtt_msg')).toHaveLength(count)
    })

    it('"qos" of the row counts where the message says none', async () => {
      const rows = rowsWith({ hook: 'message.publish', topic: '#', action: 'on_message_publish', qos: 0 })
      const world = await given({ rows })
      await world.publish('t', 'not kept')
      await world.publish('t', 'kept', { user_properties: [{ qos: '2' }] })
      expect(await world.scan('mqtt_msg')).toMatchObject([{ payload: { S: 'kept' }, qos: { N: '2' } }])
    })

    it("topics outside the row's filter are not stored", async () => {
      const world = await given({ rows: rowsWith({ hook: 'message.publish', topic: 'a/#', action: 'on_message_publish' }) })
      for (const topic of ['a', 'a/b', 'b']) await world.publish(topic, 'x')
      expect((await world.scan('mqtt_msg')).map(({ topic }) => topic?.S).sort()).toEqual(['a', 'a/b'])
    })
  })

  describe('long queues', () => {
    it('full heads are sealed into segments, acknowledged segments are deleted, and first follows', async () => {
      const world = await given()
      await publishMany(world, 't', 0, 5 * HEAD_IDS)
      const row = await head(world)
      const sealed = Number(row?.seq?.N)
      expect(sealed).toBeGreaterThanOrEqual(3)
      expect(row?.MsgId?.SS?.length ?? 0).toBeLessThan(2 * HEAD_IDS)
      expect(row?.sealing).toBeUndefined()
      expect((await world.row('mqtt_topic_msg_map', segmentKey('t', 0)))?.MsgId?.SS?.length).toBeGreaterThanOrEqual(HEAD_IDS)
      expect((await world.queue()).named).toHaveLength(5 * HEAD_IDS)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(payloads(0, 5 * HEAD_IDS))
      expect(Number((await head(world))?.first?.N)).toBe(sealed)
      expect((await world.scan('mqtt_topic_msg_map')).map(({ topic }) => topic?.S)).toEqual(['t'])
    })

    it('I2: more than a thousand messages come back in order, across reads of a hundred segments', async () => {
      const count = embedded ? 2_000 : 300
      const world = await given()
      await publishMany(world, 't', 0, count)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(payloads(0, count))
      expect(await world.queue()).toEqual(EMPTY)
    }, 120_000)

    it('I5: ids whose message a crash took are cleaned when met, in the head and in segments', async () => {
      const world = await given()
      await publishMany(world, 't', 0, 3 * HEAD_IDS)
      const { stored } = await world.queue()
      const gone = stored.filter((_, i) => i % 2 === 0)
      await world.ports.messages.remove(gone)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toHaveLength(stored.length - gone.length)
      expect(await world.queue()).toEqual(EMPTY)
    })
  })

  describe('limits', () => {
    it('messages past expired_after are not delivered, and go with their names', async () => {
      const world = await given({ expiredAfter: 60 })
      await world.publish('t', 'old')
      expect((await world.scan('mqtt_msg'))[0]?.expires_at).toEqual({ N: '1800000060' })
      world.wait(50_000)
      await world.publish('t', 'young')
      world.wait(30_000)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(['young'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('messages past their user property expiry are not delivered; one that is no number is passed over with a line', async () => {
      const world = await given({ namespace: 'test' })
      await world.publish('t', 'old', { user_properties: [{ expiry: '60' }] })
      await world.publish('t', 'odd', { user_properties: [{ expiry: 'soon' }, { qos: 'high' }] })
      const lines = world.logs.map((line) => JSON.parse(line)).filter(({ code }) => code === 'bad-property')
      expect(lines.map(({ level, error }) => `${level}: ${error}`)).toEqual([
        `warn: publish of client 'publisher', topic 't': user property qos is "high", wanted 0, 1 or 2; passed over`,
        `warn: publish of client 'publisher', topic 't': user property expiry is "soon", wanted seconds from 0 to 4294967295; passed over`,
      ])
      world.wait(61_000)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(['odd'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('I5: a name whose message DynamoDB has expired by itself is cleaned', async () => {
      const world = await given({ expiredAfter: 60 })
      await world.publish('t', 'old')
      await world.ports.messages.remove((await world.queue()).stored)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(await world.queue()).toEqual(EMPTY)
    })

    const fetching = (offlineOpts: object) =>
      rowsWith({ hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_queue', offlineOpts })

    it('max_returned_count: the oldest so many are delivered, the others stay for the next subscription', async () => {
      const world = await given({ rows: fetching({ maxReturnedCount: 3 }) })
      await publishMany(world, 't', 0, 5)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(payloads(0, 3))
      expect((await world.queue()).named).toHaveLength(2)
      await world.disconnect('c', 's1')
      world.wait(1_000)
      await world.connect('c', 's2', 1)
      await world.subscribe('c', 's2', 't')
      expect(world.device('c').got).toEqual(payloads(0, 5))
    })

    it('time_range: only what was published within it before the subscription', async () => {
      const world = await given({ rows: fetching({ timeRange: 60 }) })
      await world.publish('t', 'old')
      world.wait(50_000)
      await world.publish('t', 'young')
      world.wait(30_000)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(['young'])
      expect((await world.queue()).named).toHaveLength(1)
    })
  })

  describe('other confs', () => {
    it('I3: without message.acked nothing is ever taken off, and mqtt_acked stays empty', async () => {
      const world = await given({ rows: rowsWithout('on_message_acked_for_queue') })
      await world.operatorSubscribes('a', 'live')
      await world.operatorSubscribes('b', 'live')
      for (const c of ['a', 'b', 'c']) await world.connect(c, `s-${c}`)
      await publishMany(world, 't', 0, 3)
      await world.subscribe('c', 's-c', 't')
      await world.publish('live', 'pushed')
      world.wait(10_000)
      await world.publish('t', 'native')
      world.wait(10_000)
      await world.disconnect('c', 's-c')
      expect([world.device('c').got, world.device('a').got, world.device('b').got]).toEqual([payloads(0, 3), ['pushed'], ['pushed']])
      expect((await world.queue()).named).toHaveLength(5)
      expect(await world.scan('mqtt_acked')).toEqual([])
    })
  })
})
