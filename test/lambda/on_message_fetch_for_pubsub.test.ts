/** session.subscribed, topics kept for many: each subscriber gets each message from its read position (I11). Only PUBACKs move it (I12), and what a native subscriber surely got. */
import type { SendOutcome } from '../../lambda/core/metrics.ts'
import { HEAD_IDS, segmentKey } from '../../lambda/core/model/topic-row.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { PAGE_ROWS, type Row, World } from '../support/world.ts'

/** The page's rows; those for many win where both cover a topic. */
const MANY: readonly Row[] = [
  ...PAGE_ROWS,
  { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: '#', action: 'on_message_acked_for_pubsub' },
]
const WEEK = 7 * 86_400

forEachEngine((engine) => {
  let world: World
  const begin = async (rows: readonly Row[] = MANY) => {
    world = new World(engine, await createTables(engine), { rows, expiredAfter: WEEK })
  }
  beforeEach(() => begin())
  const publish = async (...payloads: string[]) => {
    for (const payload of payloads) await world.publish('t', payload)
  }
  const many = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `m${from + i}`)
  const got = (c = 'c') => world.device(c).got
  const session = new Map<string, number>()
  const come = async (c: string, filter = 'durable/t') => {
    const n = (session.get(c) ?? 0) + 1
    session.set(c, n)
    await world.connect(c, `${c}${n}`, n)
    await world.subscribe(c, `${c}${n}`, filter)
    world.wait(2_000)
  }
  const go = (c: string) => world.disconnect(c, `${c}${session.get(c)}`, session.get(c))
  const position = (c = 'c') => world.row('mqtt_acked', 't', c)
  beforeEach(() => session.clear())

  describe('a durable subscriber', () => {
    it('gets nothing by its first SUBSCRIBE, and from then on everything, however long it was away (I11)', async () => {
      await publish('before')
      world.wait(10_000)
      await come('c')
      expect(got()).toEqual([])
      await publish('m0')
      await go('c')
      await publish(...many(1, 60))
      await come('c')
      expect(got()).toEqual(many(0, 60))
      await publish('m60')
      expect(got()).toEqual(many(0, 61))
      expect(world.device('c').messages.every(({ topic }) => topic === 'durable/t')).toBe(true)
    })

    it('takes nothing off: each of several gets each message', async () => {
      for (const c of ['a', 'b', 'c']) await come(c)
      await publish(...many(0, 20))
      for (const c of ['a', 'b', 'c']) expect(got(c)).toEqual(many(0, 20))
      expect(await world.scan('mqtt_msg')).toHaveLength(20)
      await go('a')
      await come('a')
      expect(got('a')).toHaveLength(20)
    })

    it('keeps its position where its PUBACK does not come (I12), and gets the message again', async () => {
      await come('c')
      world.device('c').script.push(...Array<SendOutcome>(20).fill('gone'))
      await publish('m0')
      await go('c')
      world.device('c').script.length = 0
      expect((await position())?.seen).toBeUndefined()
      await come('c')
      expect(got()).toEqual(['m0'])
      expect((await position())?.seen?.SS).toHaveLength(1)
    })

    it('leaves full segments behind: its row stays small', async () => {
      await come('c')
      await publish(...many(0, 3 * HEAD_IDS + 2))
      const row = await position()
      expect(row?.seq?.N).toBe('3')
      expect(row?.seen?.SS).toHaveLength(2)
      await go('c')
      await publish(...many(50, 50 + 3 * HEAD_IDS))
      await come('c')
      expect((await position())?.seq?.N).toBe('6')
    })

    it('is not passed by an id that is stored late', async () => {
      await come('c')
      const late = world.publishEvent('t', 'late')
      await publish(...many(0, 2 * HEAD_IDS))
      await go('c')
      await world.handle('message.publish', late)
      await come('c')
      expect(got()).toContain('late')
    })

    it('begins where it subscribed though its first event is late, and older events come later still', async () => {
      await world.connect('c', 'c1')
      const first = world.subscribedEvent('c', 'c1', 'durable/t')
      world.wait(2_000)
      await publish(...many(0, 3 * HEAD_IDS))
      const again = world.subscribedEvent('c', 'c1', 'durable/t')
      await world.handle('session.subscribed', again)
      await world.handle('session.subscribed', first)
      await world.subscribe('c', 'c1', 'durable/t')
      expect(new Set(got())).toEqual(new Set(many(0, 3 * HEAD_IDS)))
    })

    it('forgets its position by UNSUBSCRIBE, and not by one that comes once more later (I4)', async () => {
      await come('c')
      await publish('m0')
      const unsubscribed = world.unsubscribedEvent('c', 'c1', 'durable/t')
      await world.handle('session.unsubscribed', unsubscribed)
      expect(await position()).toBeUndefined()
      await publish('m1')
      world.wait(10_000)
      await world.subscribe('c', 'c1', 'durable/t')
      expect(got()).toEqual(['m0'])
      await go('c')
      await world.handle('session.unsubscribed', unsubscribed)
      world.wait(2_000)
      await publish('m2')
      await come('c')
      expect(got()).toEqual(['m0', 'm2'])
    })

    it('keeps its position as long as it listens by another filter', async () => {
      await come('c')
      await world.subscribe('c', 'c1', '$share/g/durable/t')
      await world.unsubscribe('c', 'c1', 'durable/t')
      expect(await position()).toBeDefined()
      await publish('m0')
      expect(got()).toEqual(['m0'])
      await world.unsubscribe('c', 'c1', '$share/g/durable/t')
      expect(await position()).toBeUndefined()
    })

    it('keeps it also where the UNSUBSCRIBE is handled after the connection has ended, or once more (I11)', async () => {
      await come('c')
      await world.subscribe('c', 'c1', '$share/g/durable/t')
      const unsubscribed = world.unsubscribedEvent('c', 'c1', 'durable/t')
      await go('c')
      await world.handle('session.unsubscribed', unsubscribed)
      await publish('m0')
      await world.handle('session.unsubscribed', unsubscribed)
      world.wait(10_000)
      await come('c')
      expect(got()).toEqual(['m0'])
      // Both have ended by an UNSUBSCRIBE: nothing is in doubt.
      await world.subscribe('c', 'c2', '$share/g/durable/t')
      const both = ['durable/t', '$share/g/durable/t'].map((filter) => world.unsubscribedEvent('c', 'c2', filter))
      await go('c')
      for (const one of both) await world.handle('session.unsubscribed', one)
      expect(await position()).toBeUndefined()
    })

    it('gets with its first SUBSCRIBE what the time_range of the row says', async () => {
      await begin(
        MANY.map((row) => (/pubsub/.test(row.action) && /subscribed/.test(row.hook) ? { ...row, offlineOpts: { timeRange: 60 } } : row)),
      )
      await publish('old')
      world.wait(120_000)
      await publish('new')
      world.wait(10_000)
      await come('c')
      expect(got()).toEqual(['new'])
    })

    it('goes on after what EMQX remembered', async () => {
      await publish('m0', 'm1', 'm2')
      const { named } = await world.queue()
      const times = await Promise.all(named.map((id) => world.row('mqtt_msg', id)))
      const msgid = times.find((row) => row?.payload?.S === 'm0')!.msgid!
      await world.put('mqtt_acked', { topic: { S: 't' }, clientid: { S: 'c' }, msgid })
      world.wait(60_000)
      await come('c')
      expect(got()).toEqual(['m1', 'm2'])
    })

    it('goes on with what is there where its segments have expired, with one log line', async () => {
      await come('c')
      await go('c')
      await publish(...many(0, 3 * HEAD_IDS))
      const { client } = engine
      const { DeleteItemCommand } = await import('@aws-sdk/client-dynamodb')
      await client.send(new DeleteItemCommand({ TableName: world.tables.mqtt_topic_msg_map, Key: { topic: { S: segmentKey('t', 0) } } }))
      await come('c')
      expect(got()).toEqual(many(HEAD_IDS, 3 * HEAD_IDS))
      expect(world.logs.filter((line) => line.includes('position-expired'))).toHaveLength(1)
    })
  })

  it('is no backlog: no metric tells how much is kept', async () => {
    world = new World(engine, await createTables(engine), { rows: MANY, expiredAfter: WEEK, namespace: 'stack' })
    await publish(...many(0, 3 * HEAD_IDS))
    expect(world.logs.filter((line) => line.includes('queue_depth_max'))).toEqual([])
  })

  it('messages and segments expire', async () => {
    await publish(...many(0, HEAD_IDS))
    const segment = await world.row('mqtt_topic_msg_map', segmentKey('t', 0))
    expect(Number(segment?.expires_at?.N)).toBeGreaterThanOrEqual(Math.floor(world.now / 1000) + WEEK - 5)
    expect((await world.scan('mqtt_msg')).every(({ expires_at }) => expires_at !== undefined)).toBe(true)
  })

  it("an operator's row has a position of its own", async () => {
    for (const c of ['o', 'p']) await world.operatorSubscribes(c, 't')
    await world.connect('o', 'o1')
    await world.connect('p', 'p1')
    world.wait(2_000)
    await publish('m0')
    await world.disconnect('o', 'o1')
    await publish('m1', 'm2')
    await world.connect('o', 'o2', 1)
    for (const c of ['o', 'p']) expect(got(c)).toEqual(['m0', 'm1', 'm2'])
  })

  describe('a native subscriber', () => {
    const MINUTE = 60_000
    const windows = async (c = 'n') => (await position(c))?.windows?.SS ?? []
    /** It was there for a minute, and got the payloads in the middle of it. */
    const minute = async (...payloads: string[]) => {
      await come('n', 't')
      world.wait(MINUTE / 2)
      await publish(...payloads)
      world.wait(MINUTE / 2)
    }

    it('gets by its next SUBSCRIBE what it did not surely get, and nothing else (I11)', async () => {
      await minute('m0', 'm1')
      await publish('doubtful')
      await go('n')
      await publish('away')
      expect(await windows()).toHaveLength(1)
      await come('n', 't')
      expect(got('n')).toEqual(['doubtful', 'away'])
      expect(await windows()).toEqual([])
      await go('n')
      await come('n', 't')
      expect(got('n')).toEqual(['doubtful', 'away'])
    })

    it('leaves full segments behind that it surely got, with its row small', async () => {
      await minute(...many(0, 3 * HEAD_IDS + 2))
      await go('n')
      await come('n', 't')
      expect(got('n')).toEqual([])
      const row = await position('n')
      expect(row?.seq?.N).toBe('3')
      expect(row?.seen?.SS).toHaveLength(2)
    })

    it.each([
      ['it is lost and nobody tells its keep-alive', 'CONNECTION_LOST'],
      ['another connection takes it over', 'DUPLICATE_CLIENTID'],
    ])('gets again what is in doubt where %s', async (_name, reason) => {
      await minute('m0')
      await world.disconnect('n', 'n1', 1, reason)
      await come('n', 't')
      expect(got('n')).toEqual(['m0'])
    })

    it('gets again what it sent itself: No Local is invisible', async () => {
      await come('n', 't')
      world.wait(MINUTE / 2)
      await world.handle('message.publish', world.publishEvent('t', 'mine', { clientid: 'n' }))
      world.wait(MINUTE / 2)
      await go('n')
      await come('n', 't')
      expect(got('n')).toEqual(['mine'])
    })

    it('gets again what came in a second with more than IoT Core delivers', async () => {
      await come('n', 't')
      world.wait(MINUTE / 2)
      const at = world.now
      for (const payload of many(0, 101)) await world.handle('message.publish', world.publishEvent('t', payload, { timestamp: at }))
      world.wait(MINUTE / 2)
      await go('n')
      await come('n', 't')
      expect(new Set(got('n'))).toEqual(new Set(many(0, 101)))
    })

    it('gets again what it was subscribed to with QoS 0, and what came with "settle": "never"', async () => {
      world.device('n').granted = new Map([['t', 0]])
      await minute('m0')
      await go('n')
      await come('n', 't')
      expect(got('n')).toEqual(['m0'])
      await begin(MANY.map((row) => (row.action === 'on_message_fetch_for_pubsub' ? { ...row, settle: 'never' } : row)))
      session.clear()
      await minute('m1')
      await go('n')
      await come('n', 't')
      expect(got('n')).toEqual(['m1'])
    })

    it.each([
      ['durably, too', 'durable/t'],
      ['as a member of a group only', '$share/g/t'],
    ])('has nothing inferred where it was subscribed %s (I12)', async (_name, filter) => {
      await come('n', filter.startsWith('$') ? filter : 't')
      await world.subscribe('n', 'n1', filter)
      world.device('n').script.push(...Array<SendOutcome>(20).fill('gone'))
      world.wait(MINUTE)
      await publish('m0')
      // As long as a group would need for a proof.
      world.wait(60 * MINUTE)
      await go('n')
      world.device('n').script.length = 0
      expect(await windows()).toEqual([])
      await come('n', 't')
      expect(got('n')).toEqual(['m0'])
    })

    it('in a group has its own position: its SUBSCRIBE brings what came since its last one, whichever member got that live', async () => {
      for (const c of ['a', 'b']) await come(c, '$share/g/t')
      world.wait(MINUTE)
      await publish('m0')
      expect([got('a'), got('b')]).toEqual([[], []])
      world.wait(60 * MINUTE)
      await go('a')
      await publish('m1')
      await come('a', '$share/g/t')
      expect([got('a'), got('b')]).toEqual([['m0', 'm1'], []])
      await world.unsubscribe('a', 'a2', '$share/g/t')
      expect(await position('a')).toBeUndefined()
      expect(await position('b')).toBeDefined()
    })

    it('is forgotten by UNSUBSCRIBE for good, also where the end of its connection is handled at the same time', async () => {
      await minute('m0')
      const gone = world.disconnectedEvent('n', 'n1', 1)
      const unsubscribed = world.unsubscribedEvent('n', 'n1', 't')
      const { addWindow } = world.ports.acked
      let written = 0
      const spy = jest.spyOn(world.ports.acked, 'addWindow').mockImplementationOnce(async (...window) => {
        await world.handle('session.unsubscribed', unsubscribed)
        written++
        await addWindow(...window)
      })
      await world.handle('client.disconnected', gone)
      spy.mockRestore()
      expect(written).toBe(1)
      expect(await position('n')).toBeUndefined()
      await world.handle('client.disconnected', gone)
      expect(await position('n')).toBeUndefined()
    })

    it('has one window of an end that comes twice (I4), and no more than eight', async () => {
      await minute('m0')
      const gone = world.disconnectedEvent('n', 'n1', 1)
      await world.handle('client.disconnected', gone)
      await world.handle('client.disconnected', gone)
      expect(await windows()).toHaveLength(1)
      world.device('n').script.push(...Array<SendOutcome>(99).fill('gone'))
      for (let i = 1; i < 10; i++) {
        await publish(`away${i}`)
        await come('n', 't').catch(() => {})
        world.wait(MINUTE)
        await go('n')
      }
      expect(await windows()).toHaveLength(8)
    })
  })

  it('where a row of the queue covers the topic too, the one for many wins', async () => {
    await come('c')
    await publish('m0')
    expect((await world.queue()).stored).toHaveLength(1)
  })

  it('a message for subscribers that are away costs the same writes, however many they are (I7)', async () => {
    const writes = async (): Promise<string[]> => {
      const before = world.calls.length
      await publish('x')
      const made = world.calls.slice(before).map(({ hook, call }) => `${hook} ${call}`)
      return made.filter((call) => /Put|Update|Write|Delete|Send/.test(call))
    }
    const none = await writes()
    for (const c of many(0, 7)) await come(c)
    for (const c of many(0, 7)) await go(c)
    expect(await writes()).toEqual(none)
  })
})
