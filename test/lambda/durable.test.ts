/** session.subscribed of `durable/<topic>`: what a durable subscriber gets, and what becomes of it (I2, I12). Competing consumers. */
import type { SendOutcome } from '../../lambda/core/metrics.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { rowsWith, rowsWithout, World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  const begin = async (options: WorldOptions = {}) => {
    world = new World(engine, await createTables(engine), options)
  }
  beforeEach(() => begin())
  const EMPTY = { named: [], stored: [] }
  const publish = async (...payloads: string[]) => {
    for (const payload of payloads) await world.publish('t', payload)
  }
  const got = (c = 'c') => world.device(c).got
  const left = async () => (await world.scan('mqtt_msg')).map(({ payload }) => payload?.S).sort()
  const come = async (c: string, filter = 'durable/t') => {
    await world.connect(c, `${c}1`)
    await world.subscribe(c, `${c}1`, filter)
  }
  const dispatchOf = async (topic = 't') => (await world.row('mqtt_topic_msg_map', topic))?.dispatch

  describe('a durable subscriber', () => {
    it('gets what was queued, oldest first, then what is published, on the topic that it subscribed to', async () => {
      await publish('m0', 'm1')
      await come('c')
      await publish('m2')
      expect(got()).toEqual(['m0', 'm1', 'm2'])
      expect(world.device('c').messages.map(({ topic }) => topic)).toEqual(['durable/t', 'durable/t', 'durable/t'])
      expect(await world.queue()).toEqual(EMPTY)
      expect(await world.live()).toEqual(['t c|durable/t'])
      expect(await dispatchOf()).toBeUndefined()
    })

    it('is recorded in mqtt_sub with the filter as sent, and acknowledges in mqtt_acked on the topic itself', async () => {
      await publish('m0')
      await come('c')
      expect(await world.row('mqtt_sub', 'c', 'durable/t')).toMatchObject({
        origin: { S: 'client' },
        qos: { N: '1' },
        session: { S: 'c1' },
      })
      expect(await world.row('mqtt_acked', 't', 'c')).toBeDefined()
      await world.unsubscribe('c', 'c1', 'durable/t')
      expect(await world.row('mqtt_acked', 't', 'c')).toBeUndefined()
      expect(await world.scan('mqtt_sub')).toEqual([])
    })

    it('is never settled: what was published while it was there and not acknowledged waits for it (I12)', async () => {
      await come('c')
      world.device('c').script.push(...Array<SendOutcome>(20).fill('gone'))
      await publish('m0', 'm1')
      world.wait(600_000)
      await world.disconnect('c', 'c1')
      await world.redeliver()
      expect(await left()).toEqual(['m0', 'm1'])
      world.device('c').script.length = 0
      await world.connect('c', 'c2', 1)
      await world.subscribe('c', 'c2', 'durable/t')
      expect(got()).toEqual(['m0', 'm1'])
    })

    it('asks IoT Core for no QoS: a direct message has always QoS 1', async () => {
      await come('c')
      expect(world.calls.filter(({ call }) => call === 'ListSubscriptions')).toEqual([])
    })

    it('gets nothing after its UNSUBSCRIBE, and goes on with the next SUBSCRIBE', async () => {
      await come('c')
      await world.unsubscribe('c', 'c1', 'durable/t')
      await publish('m0')
      expect(got()).toEqual([])
      expect(await world.live()).toEqual([])
      await world.subscribe('c', 'c1', 'durable/t')
      expect(got()).toEqual(['m0'])
    })

    it('may repeat its SUBSCRIBE', async () => {
      await publish('m0')
      await come('c')
      await world.subscribe('c', 'c1', 'durable/t')
      await publish('m1')
      expect(got()).toEqual(['m0', 'm1'])
      expect(await world.live()).toEqual(['t c|durable/t'])
    })

    it('that unsubscribes and subscribes again has the same seat when the end is handled again later (I4)', async () => {
      await come('c', 'durable/a/#')
      const between = world.clock.now() + 1_000
      world.wait(5_000)
      await world.subscribe('c', 'c1', 'durable/a/#')
      const seat = async () => (await world.row('mqtt_topic_msg_map', 'a/#'))?.live
      const before = await seat()
      world.wait(between - world.clock.now())
      await world.unsubscribe('c', 'c1', 'durable/a/#')
      expect(await seat()).toEqual(before)
    })

    it('that is taken over by another connection leaves no seat of the first', async () => {
      await come('c')
      const connected = world.connectedEvent('c', 'c2', 1)
      await world.handle('session.subscribed', world.subscribedEvent('c', 'c2', 'durable/t'))
      await world.disconnect('c', 'c1')
      world.connectedEvent('c', 'c2', 1)
      await world.handleConnected(connected)
      await publish('m0')
      expect(got()).toEqual(['m0'])
      expect(await world.live()).toEqual(['t c|durable/t'])
    })

    it('whose persistent session is resumed without SUBSCRIBE gets nothing: its messages wait for the next SUBSCRIBE', async () => {
      await come('c')
      await world.disconnect('c', 'c1')
      await publish('m0')
      await world.connect('c', 'c1', 1)
      await publish('m1')
      expect(got()).toEqual([])
      await world.subscribe('c', 'c1', 'durable/t')
      expect(got()).toEqual(['m0', 'm1'])
    })

    it('leaves nothing where its connection was over before its subscribed event came', async () => {
      await world.connect('c', 'c1')
      const subscribed = world.subscribedEvent('c', 'c1', 'durable/t')
      await world.disconnect('c', 'c1')
      await world.handle('session.subscribed', subscribed)
      expect(await world.live()).toEqual([])
      expect(await world.scan('mqtt_sub')).toEqual([])
    })

    it('of $share/g/durable/t is the same; with both the queue comes once', async () => {
      await publish('m0')
      await world.connect('c', 'c1')
      await world.subscribe('c', 'c1', 'durable/t', '$share/g/durable/t')
      await publish('m1')
      expect(got()).toEqual(['m0', 'm1'])
      expect(new Set(world.device('c').messages.map(({ topic }) => topic))).toEqual(new Set(['durable/t']))
      await world.unsubscribe('c', 'c1', 'durable/t')
      await publish('m2')
      expect(got()).toEqual(['m0', 'm1', 'm2'])
    })

    it('gets the retained message of the topic, and of topics by a wildcard', async () => {
      world.native.set('t/1', { payload: Buffer.from('r1'), qos: 1, lastModified: world.now })
      await world.publish('t/1', 'r1')
      await world.connect('c', 'c1')
      await world.subscribe('c', 'c1', 'durable/t/+')
      expect(world.device('c').messages).toMatchObject([{ topic: 'durable/t/1', retain: true }])
      await world.subscribe('c', 'c1', '$share/g/durable/t/+')
      expect(got()).toEqual(['r1'])
    })

    it('by a wildcard gets live messages and takes nothing off the queue', async () => {
      await world.connect('c', 'c1')
      await world.subscribe('c', 'c1', 'durable/cmd/#')
      await world.publish('cmd/1', 'm0')
      await world.publish('other', 'm1')
      expect(world.device('c').messages).toMatchObject([{ topic: 'durable/cmd/1' }])
      expect(await left()).toEqual(['m0', 'm1'])
    })

    it('gets a message once beside its operator’s row, on the topic that it subscribed to', async () => {
      await world.operatorSubscribes('c', 't')
      await come('c')
      await publish('m0')
      expect(world.device('c').messages).toMatchObject([{ topic: 'durable/t' }])
    })

    it('may acknowledge on the ack topic', async () => {
      await world.operatorSubscribes('d', 't/+')
      await come('c')
      world.device('c').script.push(...Array<SendOutcome>(20).fill('gone'))
      world.wait(120_000)
      await publish('m0')
      world.wait(600_000)
      const [{ msgid } = {}] = await world.scan('mqtt_msg')
      await world.handle('message.acked', world.ackEvent('c', { msgid: msgid?.S, topic: 't' }))
      expect(await world.queue()).toEqual(EMPTY)
    })
  })

  describe('an answer of SendDirectMessage', () => {
    it.each<[string, SendOutcome[], string[], string[]]>([
      ['504: no PUBACK in time, sent again', ['silent', 'acked'], ['m0', 'm1'], []],
      ['429: throttled, sent again later', ['throttled', 'acked', 'throttled'], ['m0', 'm1'], []],
      ['400, 413: it can never be sent: skipped, stays pending', ['unsendable'], ['m1'], ['m0']],
      ['404 right after the connect: not known yet', ['gone', 'gone', 'gone'], ['m0', 'm1'], []],
    ])('%s', async (_name, script, delivered, pending) => {
      await publish('m0', 'm1')
      await world.connect('c', 'c1')
      world.device('c').script.push(...script)
      await world.subscribe('c', 'c1', 'durable/t')
      expect(got()).toEqual(delivered)
      expect(await left()).toEqual(pending)
    })

    it('403 of a publish: its message stays queued, and its event is done', async () => {
      await come('c')
      world.device('c').script.push('forbidden')
      await publish('m0')
      expect(world.undelivered).toEqual([])
      expect(await left()).toEqual(['m0'])
    })

    it('403: its event fails, and the queue stays', async () => {
      await publish('m0')
      await world.connect('c', 'c1')
      world.device('c').script.push('forbidden')
      const { batchItemFailures } = await world.invoke('session.subscribed', world.subscribedEvent('c', 'c1', 'durable/t'))
      expect(batchItemFailures).toHaveLength(1)
      expect(JSON.parse(world.logs.at(-1)!)).toMatchObject({ code: 'receive-forbidden' })
      expect(await left()).toEqual(['m0'])
    })

    it('504 again and again: one more try, then the client is no subscriber until it comes again', async () => {
      await publish('m0')
      await world.connect('c', 'c1')
      world.device('c').script.push(...Array<SendOutcome>(4).fill('silent'))
      const record = { messageId: 'sub', body: JSON.stringify(world.subscribedEvent('c', 'c1', 'durable/t')) }
      expect((await world.deliver('session.subscribed', [record])).batchItemFailures).toHaveLength(1)
      expect(await dispatchOf()).toMatchObject({ M: { by: { S: 'sub' }, rests: { N: '1' } } })
      // Publishes leave theirs to the next try.
      await publish('m1')
      expect(got()).toEqual([])
      const again = { ...record, attributes: { ApproximateReceiveCount: '2' } }
      expect((await world.deliver('session.subscribed', [again])).batchItemFailures).toEqual([])
      expect(await world.live()).toEqual([])
      expect(await dispatchOf()).toBeUndefined()
      await world.subscribe('c', 'c1', 'durable/t')
      expect(got()).toEqual(['m0', 'm1'])
    })
  })

  describe('an event that died', () => {
    const EXPIRED = 130_000
    it('has its lease until it would have ended, then the next publish goes on', async () => {
      await publish('m0', 'm1')
      await come('c')
      const row = await world.ports.topics.claimDispatch('t', { by: 'dead', until: world.now + 120_000 }, { now: world.now, wakes: false })
      expect(row?.dispatch).toMatchObject({ by: 'dead' })
      await publish('m2')
      expect(got()).toEqual(['m0', 'm1'])
      world.wait(EXPIRED)
      await publish('m3')
      expect(got()).toEqual(['m0', 'm1', 'm2', 'm3'])
      expect(await dispatchOf()).toBeUndefined()
    })

    it('whose client has gone leaves the queue to the others', async () => {
      await come('a')
      await world.connect('c', 'c1')
      const subscribed = JSON.stringify(world.subscribedEvent('c', 'c1', 'durable/t'))
      await world.ports.topics.claimDispatch('t', { by: 'sub', until: world.now + 120_000 }, { now: world.now, wakes: false })
      await publish('m0')
      await world.disconnect('c', 'c1')
      expect(got('a')).toEqual([])
      const again = { messageId: 'sub', body: subscribed, attributes: { ApproximateReceiveCount: '2' } }
      expect((await world.deliver('session.subscribed', [again])).batchItemFailures).toEqual([])
      expect(got('a')).toEqual(['m0'])
      expect(await dispatchOf()).toBeUndefined()
    })

    it('whose client has come anew, as no row of mqtt_client tells yet, goes on for its newer session', async () => {
      await world.connect('c', 'c1')
      const subscribed = JSON.stringify(world.subscribedEvent('c', 'c1', 'durable/t'))
      await world.ports.topics.claimDispatch('t', { by: 'sub', until: world.now + 120_000 }, { now: world.now, wakes: false })
      await publish('m0')
      world.wait(1_000)
      await world.handle('session.subscribed', world.subscribedEvent('c', 'c2', 'durable/t'))
      expect(got()).toEqual([])
      const again = { messageId: 'sub', body: subscribed, attributes: { ApproximateReceiveCount: '2' } }
      expect((await world.deliver('session.subscribed', [again])).batchItemFailures).toEqual([])
      expect(got()).toEqual(['m0'])
      expect(await dispatchOf()).toBeUndefined()
    })

    it('takes a subscriber along that comes before it ends', async () => {
      await publish('m0')
      await come('a')
      world.device('a').script.push(...Array<SendOutcome>(9).fill('forbidden'))
      world.whenSent('a', 'm1', () => come('b'))
      await publish('m1')
      expect(got('b')).toEqual(['m1'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('rests, and a new subscriber need not wait for it', async () => {
      await publish('m0')
      await world.connect('c', 'c1')
      world.device('c').script.push('silent', 'silent')
      await world.invoke('session.subscribed', world.subscribedEvent('c', 'c1', 'durable/t'))
      expect(await left()).toEqual(['m0'])
      await come('d')
      expect(await left()).toEqual([])
    })
  })

  describe('competing consumers', () => {
    it('get a live message each in turn', async () => {
      for (const c of ['a', 'b', 'c']) await come(c)
      await publish('m0', 'm1', 'm2', 'm3', 'm4', 'm5')
      expect(['a', 'b', 'c'].map((c) => got(c).length)).toEqual([2, 2, 2])
      expect([...got('a'), ...got('b'), ...got('c')].sort()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it.each<SendOutcome>(['silent', 'gone', 'forbidden', 'throttled', 'unknown'])('pass over one that answers %s', async (outcome) => {
      for (const c of ['a', 'b']) await come(c)
      world.device('a').script.push(...Array<SendOutcome>(50).fill(outcome))
      await publish('m0', 'm1', 'm2', 'm3')
      expect(got('a')).toEqual([])
      expect(got('b')).toEqual(['m0', 'm1', 'm2', 'm3'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('share the backlog, each in order', async () => {
      const names = Array.from({ length: 40 }, (_, i) => `m${String(i).padStart(2, '0')}`)
      await publish(...names)
      await world.connect('a', 'a1')
      await world.connect('b', 'b1')
      await world.handle('session.subscribed', world.subscribedEvent('a', 'a1', 'durable/t'), world.subscribedEvent('b', 'b1', 'durable/t'))
      expect([...got('a'), ...got('b')].sort()).toEqual(names)
      for (const c of ['a', 'b']) expect(got(c)).toEqual([...got(c)].sort())
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('of a topic with more of them than its head has room for', async () => {
      const all = Array.from({ length: 9 }, (_, i) => `c${i}`)
      for (const c of all) await come(c)
      await publish(...Array.from({ length: 18 }, (_, i) => `m${i}`))
      expect(all.flatMap((c) => got(c))).toHaveLength(18)
      expect(all.filter((c) => got(c).length === 0)).toEqual([])
      expect(await world.queue()).toEqual(EMPTY)
    })
  })

  describe('refuses, and says why in the log', () => {
    it.each([
      ['durable/', 'nothing after "durable/", wanted a topic'],
      ['durable/$aws/events', 'topics that start with "$" are never stored'],
      ['durable/$share/g/t', 'topics that start with "$" are never stored'],
      ['durable/durable/t', 'publishes below "durable/" are never stored'],
    ])('%s', async (filter, why) => {
      await come('c', filter)
      expect(world.logs.map((line) => JSON.parse(line)).find(({ outcome }) => outcome === 'ignored')).toMatchObject({
        code: 'bad-durable-subscription',
        client: 'c',
        topic: filter,
        error: expect.stringContaining(why),
      })
      expect(await world.live()).toEqual([])
      expect(await world.row('mqtt_sub', 'c', filter)).toBeDefined()
      await world.disconnect('c', 'c1')
      expect(await world.scan('mqtt_sub')).toEqual([])
    })

    it('a topic without queue, or whose queue is never taken off', async () => {
      await begin({ rows: rowsWith({ hook: 'session.subscribed', topic: 'q/#', action: 'on_message_fetch_for_queue' }) })
      await come('c')
      expect(world.logs.join()).toContain('no row of on_message_fetch_for_queue with a QoS above 0 covers it')
      await begin({ rows: rowsWithout('on_message_acked_for_queue') })
      await come('c')
      expect(world.logs.join()).toContain('no row of on_message_acked_for_queue covers it')
      expect(await world.live()).toEqual([])
    })

    it('an operator’s row below the prefix; the client’s own SUBSCRIBE to it counts', async () => {
      await world.operatorSubscribes('c', 'durable/t')
      await world.connect('c', 'c1')
      expect(world.logs.join()).toContain('it is below \\"durable/\\", to which clients subscribe themselves')
      expect(await world.live()).toEqual([])
      await world.subscribe('c', 'c1', 'durable/t')
      await publish('m0')
      expect(got()).toEqual(['m0'])
      await world.disconnect('c', 'c1')
      expect(await world.live()).toEqual([])
    })
  })

  it('live messages cost five writing requests and five reading ones beside their publish, whether one comes or eight together', async () => {
    const callsOf = async (count: number) => {
      const events = Array.from({ length: count }, (_, n) => world.publishEvent('t', `${n}`))
      world.calls.length = 0
      await world.handle('message.publish', ...events)
      const all = world.calls.filter(({ hook }) => hook === 'session.subscribed').map(({ call }) => call)
      const some = (kind: RegExp) => all.filter((call) => kind.test(call)).length
      return { writes: some(/:(Update|Put|Delete|BatchWrite)/), reads: some(/:(Get|BatchGet)/) }
    }
    await come('c')
    expect(await callsOf(1)).toEqual({ writes: 5, reads: 5 })
    expect(await callsOf(8)).toEqual({ writes: 5, reads: 5 })
  })

  it.each<[string, SendOutcome[], number[]]>([
    ['one that acknowledges nothing', Array<SendOutcome>(20).fill('silent'), [8]],
    ['one that acknowledges one message', ['acked', ...Array<SendOutcome>(20).fill('silent')], [8, 50]],
  ])('I15: of 100 queued messages only the first 8 are read before the first PUBACK: %s', async (_who, script, expected) => {
    await publish(...Array.from({ length: 100 }, (_, i) => `m${i}`))
    world.device('c').script.push(...script)
    const reads = jest.spyOn(world.ports.messages, 'get')
    await world.connect('c', 'c1')
    await world.invoke('session.subscribed', world.subscribedEvent('c', 'c1', 'durable/t'))
    expect(reads.mock.calls.map(([ids]) => ids.length)).toEqual(expected)
  })

  it('another prefix in the conf: seats under the old one end, messages wait for a SUBSCRIBE under the new one', async () => {
    await come('c')
    const old = world
    world = new World(engine, old.tables, { durablePrefix: 'd/' })
    world.device('c').connection = old.device('c').connection
    world.now = old.now
    await publish('m0')
    expect(got()).toEqual([])
    expect(await world.live()).toEqual([])
    await world.subscribe('c', 'c1', 'd/t')
    expect(world.device('c').messages).toMatchObject([{ topic: 'd/t' }])
  })

  it('without a queue in the conf there is no prefix: the subscription is an ordinary one', async () => {
    await begin({ rows: rowsWithout('on_message_fetch_for_queue') })
    await come('c')
    expect(await world.live()).toEqual([])
    expect(await world.row('mqtt_sub', 'c', 'durable/t')).toBeDefined()
  })
})
