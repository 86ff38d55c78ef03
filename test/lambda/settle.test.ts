/**
 * Native deliveries, which nobody reports: settled where a subscription's end, or GetConnection, proves them (I3).
 *
 * @seconds 35
 */
import { CLEAN_DOUBT, LATEST_EVENT, lostDoubt, MARGIN } from '../../lambda/core/model/delivery-window.ts'
import { HEAD_IDS } from '../../lambda/core/model/topic-row.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { rowsWith, rowsWithout, World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)
  /** A client subscribed to t; returns when, in ms. */
  const subscribed = async (world: World, filter = 't') => {
    await world.connect('c', 's1')
    const since = world.now
    await world.subscribe('c', 's1', filter)
    return since
  }
  const publishAt = (world: World, timestamp: number, payload = 'x') =>
    world.handle('message.publish', world.publishEvent('t', payload, { timestamp }))
  const pending = async (world: World) => (await world.queue()).stored.length
  const MINUTE = 60_000
  /** How long a client may take to acknowledge, where the row says nothing. Milliseconds. */
  const SETTLE = 10_000

  describe('I3: at the end of a subscription', () => {
    it.each([
      ['inside the margin after the SUBSCRIBE', MARGIN - 1, 1],
      ['right after it', MARGIN, 0],
      ['before the doubt', MINUTE - SETTLE - CLEAN_DOUBT, 0],
      ['inside the doubt of a clean end', MINUTE - SETTLE - CLEAN_DOUBT + 1, 1],
    ])('clean disconnect after a minute: a message %s', async (_name, after, left) => {
      const world = await given()
      const since = await subscribed(world)
      // Within the margin the publisher would push it, and again while the client may not be known yet.
      world.wait(61_000)
      world.device('c').script.push('gone')
      await publishAt(world, since + after)
      world.now = since + MINUTE
      await world.disconnect('c', 's1')
      expect(await pending(world)).toBe(left)
      expect(await world.scan('mqtt_acked')).toHaveLength(1 - left)
    })

    it('an unsubscribe is a clean end, too', async () => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 5_000)
      world.now = since + MINUTE
      await publishAt(world, since + MINUTE - 500, 'under way')
      await world.unsubscribe('c', 's1', 't')
      expect((await world.scan('mqtt_msg')).map(({ payload }) => payload?.S)).toEqual(['under way'])
    })

    it.each([
      ['keep-alive of 30 s from GetConnection', 30, lostDoubt(30)],
      ['GetConnection throttled: the longest keep-alive', undefined, lostDoubt(undefined)],
    ])('a lost connection: what may not have reached it stays, %s', async (_name, keepAlive, doubt) => {
      const world = await given()
      const since = await subscribed(world)
      const end = since + doubt + 10 * MINUTE
      await publishAt(world, end - doubt - SETTLE - 1, 'sure')
      await publishAt(world, end - doubt - SETTLE + 1, 'doubtful')
      world.now = end
      const event = world.disconnectedEvent('c', 's1', 0, 'CONNECTION_LOST')
      world.device('c').connection = keepAlive === undefined ? undefined : { connected: false, keepAlive }
      await world.handle('client.disconnected', event)
      expect((await world.scan('mqtt_msg')).map(({ payload }) => payload?.S)).toEqual(['doubtful'])
    })

    it.each(['MQTT_KEEP_ALIVE_TIMEOUT', 'DUPLICATE_CLIENTID', 'SERVER_ERROR', 'CLIENT_ERROR'])('%s is no clean end', async (reason) => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 30_000)
      world.now = since + MINUTE
      await world.disconnect('c', 's1', 0, reason)
      expect(await pending(world)).toBe(1)
    })

    it('what came faster than IoT Core delivers was not surely delivered, also across head and segments', async () => {
      const world = await given()
      const since = await subscribed(world)
      const burst = Array.from({ length: 7 * HEAD_IDS }, (_, i) => world.publishEvent('t', 'burst', { timestamp: since + 10_000 + i }))
      for (let i = 0; i < burst.length; i += 10) await world.handle('message.publish', ...burst.slice(i, i + 10))
      await publishAt(world, since + 20_000, 'alone')
      world.now = since + MINUTE
      await world.disconnect('c', 's1')
      const left = (await world.scan('mqtt_msg')).map(({ payload }) => payload?.S)
      expect([left.length, new Set(left)]).toEqual([7 * HEAD_IDS, new Set(['burst'])])
    })

    it('a whole backlog of the window settles, in head and segments, and first follows', async () => {
      const world = await given()
      const since = await subscribed(world)
      for (let i = 0; i < 3 * HEAD_IDS; i += 6) {
        await world.handle(
          'message.publish',
          ...[0, 1, 2, 3, 4, 5].map((n) => world.publishEvent('t', 'x', { timestamp: since + 5_000 + (i + n) * 100 })),
        )
      }
      world.now = since + MINUTE
      await world.disconnect('c', 's1')
      expect(await world.queue()).toEqual({ named: [], stored: [] })
    })

    it('I4: an unsubscribe that was cut short before it settled settles when it is tried again', async () => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 30_000)
      world.now = since + MINUTE
      const event = world.unsubscribedEvent('c', 's1', 't')
      const row = (await world.ports.subscriptions.of('c'))[0]!
      await world.ports.topics.endLive('t', row, 'c', { session: 's1', until: since + MINUTE })
      expect(await pending(world)).toBe(1)
      await world.handle('session.unsubscribed', event)
      expect(await pending(world)).toBe(0)
    })

    it('I4: a disconnect that was cut short before it settled settles when it is tried again', async () => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 30_000)
      world.now = since + MINUTE
      const event = world.disconnectedEvent('c', 's1')
      const row = (await world.ports.subscriptions.of('c'))[0]!
      await world.ports.topics.endLive('t', row, 'c', { session: 's1', until: since + MINUTE })
      expect(await pending(world)).toBe(1)
      await world.handle('client.disconnected', event)
      expect(await pending(world)).toBe(0)
    })

    it('a connect that finds an older connection live ends it without proof: nothing is settled', async () => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 30_000)
      world.now = since + MINUTE
      await world.connect('c', 's2', 1)
      expect(await world.live()).toEqual([])
      expect(await pending(world)).toBe(1)
    })

    it('an unsubscribe that a later session has made forgotten: nothing settles, though both ends of the window are replayed', async () => {
      const world = await given()
      const since = await subscribed(world)
      const again = world.subscribedEvent('c', 's1', 't')
      const replayed = { ...again, timestamp: since }
      world.now = since + 2_000
      await world.unsubscribe('c', 's1', 't')
      await publishAt(world, since + 30_000)
      world.now = since + MINUTE
      const end = world.disconnectedEvent('c', 's1')
      await world.handle('client.disconnected', end)
      world.now += 5_000
      await world.connect('c', 's2', 1)
      await world.subscribe('c', 's2', 'other')
      await world.handle('session.unsubscribed', world.unsubscribedEvent('c', 's2', 't'))
      // The subscribed event makes it live for a moment; the disconnect finds it there.
      const { presence } = world.ports.clients
      const looks = jest.spyOn(world.ports.clients, 'presence').mockImplementationOnce(async (clientid) => {
        await world.handle('client.disconnected', end)
        return presence(clientid)
      })
      await world.handle('session.subscribed', replayed)
      looks.mockRestore()
      expect(await pending(world)).toBe(1)
    })

    it('the end of a connection that overtakes its connect proves nothing: of a persistent session, IoT Core may hold what came before', async () => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 30_000)
      world.now = since + 2 * MINUTE
      const connected = world.connectedEvent('c', 's1', 1)
      world.now = since + 3 * MINUTE
      await world.disconnect('c', 's1', 1)
      expect([await pending(world), await world.live()]).toEqual([1, []])
      await world.handle('client.connected', connected)
      expect([await pending(world), await world.live()]).toEqual([1, []])
    })

    it.each([['on_client_disconnected'], ['on_acked_delete']] as const)('without %s in the conf, nothing settles', async (action) => {
      const world = await given({ rows: rowsWithout(action) })
      const since = await subscribed(world)
      await publishAt(world, since + 30_000)
      world.now = since + MINUTE
      if (action === 'on_client_disconnected') await world.unsubscribe('c', 's1', 't')
      else await world.disconnect('c', 's1')
      expect(await world.live()).toEqual([])
      expect(await pending(world)).toBe(1)
    })
  })

  describe('I3: in mid-window, when a head is sealed', () => {
    /** A head full of old messages, then one more publish that seals it. */
    const sealing = async (world: World, since: number) => {
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, since + 5_000 + i * 100, 'old')
      world.now = since + 10 * MINUTE
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, since + 10 * MINUTE + i, 'new')
    }
    const left = async (world: World) =>
      (await world.scan('mqtt_msg')).map(({ payload }) => payload?.S ?? '').filter((payload) => payload === 'old').length

    it("settles what is older than a dead peer's notice while GetConnection shows the connection standing", async () => {
      const world = await given()
      await sealing(world, await subscribed(world))
      expect(await left(world)).toBe(0)
      expect(await pending(world)).toBe(HEAD_IDS)
      expect(await world.live()).toEqual(['t c'])
      const { named, stored } = await world.queue()
      expect(named).toEqual(stored)
    })

    it.each([
      ['GetConnection is throttled', undefined],
      ['it is not connected', { connected: false }],
      ['it does not say since when', { connected: true, keepAlive: 60 }],
      ['it connected after the subscribe: another connection', { connected: true, connectedSince: Number.MAX_SAFE_INTEGER, keepAlive: 60 }],
      ['its keep-alive is longer than the messages are old', { connected: true, connectedSince: 0, keepAlive: 1_200 }],
      ['it does not tell its keep-alive', { connected: true, connectedSince: 0 }],
    ])('settles nothing where %s', async (_name, connection) => {
      const world = await given()
      const since = await subscribed(world)
      world.device('c').connection = connection
      await sealing(world, since)
      expect(await left(world)).toBe(HEAD_IDS)
    })

    it('asks GetConnection at most once in ten seconds for a topic (quota: one a second and client)', async () => {
      const world = await given()
      const since = await subscribed(world)
      world.device('c').connection = undefined
      for (let i = 0; i < 8 * HEAD_IDS; i += 10) {
        await world.handle(
          'message.publish',
          ...Array.from({ length: 10 }, (_, n) => world.publishEvent('t', 'x', { timestamp: since + 5_000 + (i + n) * 10 })),
        )
      }
      expect(world.calls.filter(({ call }) => call === 'GetConnection')).toHaveLength(1)
    })

    it('leaves a crowded second alone that lies across the sealed set and the new head', async () => {
      const world = await given()
      const since = await subscribed(world)
      for (let i = 0; i < 7 * HEAD_IDS; i += 10) {
        await world.handle(
          'message.publish',
          ...Array.from({ length: 10 }, (_, n) => world.publishEvent('t', 'old', { timestamp: since + 5_000 + i + n })),
        )
      }
      const before = await left(world)
      world.now = since + 10 * MINUTE
      for (let i = 0; i < 2 * HEAD_IDS; i++) await publishAt(world, since + 10 * MINUTE + i, 'new')
      expect(before).toBeGreaterThan(100)
      expect(await left(world)).toBe(before)
    })
  })

  describe('I3: a shared subscription, of which nobody tells who got a message', () => {
    /** Members a and b of $share/g/t, with keep-alives in s. Returns since when, in ms. */
    const group = async (world: World, keepAlives = { a: 60, b: 60 }) => {
      for (const [id, keepAlive] of Object.entries(keepAlives)) {
        await world.connect(id, `s-${id}`)
        world.device(id).connection = { ...world.device(id).connection!, keepAlive }
        await world.subscribe(id, `s-${id}`, '$share/g/t')
      }
      return world.now
    }
    const payloads = async (world: World) => (await world.scan('mqtt_msg')).map(({ payload }) => payload?.S).sort()
    const HOUR = 60 * MINUTE

    it.each([
      ['the longest keep-alive of the group has run out', { a: 1, b: 600 }, lostDoubt(600)],
      ['an event of another member would have come', { a: 1, b: 2 }, LATEST_EVENT],
      ['the longest that there is has, where nobody tells', { a: 1, b: 0 }, lostDoubt(undefined)],
    ])('a clean end settles what is so old that %s, while the others stand', async (_name, keepAlives, doubt) => {
      const world = await given()
      const since = await group(world, keepAlives)
      const end = since + HOUR
      await publishAt(world, end - doubt - SETTLE, 'sure')
      await publishAt(world, end - doubt - SETTLE + 1, 'doubtful')
      world.now = end
      await world.disconnect('a', 's-a')
      expect(await payloads(world)).toEqual(['doubtful'])
    })

    it.each([
      ['is not connected', { connected: false, keepAlive: 60 }],
      ['is connected anew', { connected: true, connectedSince: Number.MAX_SAFE_INTEGER, keepAlive: 60 }],
      ['is asked for in vain', undefined],
    ])('an end settles nothing where another member %s', async (_name, connection) => {
      const world = await given()
      const since = await group(world)
      await publishAt(world, since + 5_000)
      world.now = since + HOUR
      world.device('b').connection = connection
      await world.disconnect('a', 's-a')
      expect(await pending(world)).toBe(1)
    })

    it('what a member may have taken along that died counts for nobody any more, however long the others stay', async () => {
      const world = await given()
      const since = await group(world)
      await publishAt(world, since + 50 * MINUTE, 'for the dead one, maybe')
      world.now = since + 50 * MINUTE + 30_000
      await world.disconnect('b', 's-b', 0, 'MQTT_KEEP_ALIVE_TIMEOUT')
      await publishAt(world, since + 52 * MINUTE, 'for the other')
      world.now = since + 3 * HOUR
      await world.disconnect('a', 's-a')
      expect(await payloads(world)).toEqual(['for the dead one, maybe'])
    })

    const LEAVINGS: [string, (world: World) => Promise<unknown>, ...string[]][] = [
      ['a connect that nobody announced the end of', (world: World) => world.connect('b', 's-b2', 1)],
      ['an unsubscribe', (world: World) => world.unsubscribe('b', 's-b', '$share/g/t')],
      ['an unsubscribe of one filter of two', (world: World) => world.unsubscribe('b', 's-b', '$share/g/t'), '$share/g/t', 't'],
      [
        'an end that came before its SUBSCRIBE',
        async (world: World) => {
          const late = world.subscribedEvent('c', 's-c', '$share/g/t')
          const connected = world.connectedEvent('c', 's-c')
          world.wait(50 * MINUTE)
          await world.handleConnected(connected)
          await world.disconnect('c', 's-c', 0, 'CONNECTION_LOST')
          await world.handle('session.subscribed', late)
        },
      ],
    ]
    it.each(LEAVINGS)('neither does what a member may have taken along that left by %s', async (_name, leave, ...filters) => {
      const world = await given()
      const since = await group(world)
      // At QoS 0 it proves nothing by `t`.
      world.device('b').granted?.set('t', 0)
      if (filters.length > 0) await world.subscribe('b', 's-b', ...filters)
      await publishAt(world, since + 10 * MINUTE)
      world.now = Math.max(world.now, since + 10 * MINUTE + 5_000)
      await leave(world)
      world.now = since + 3 * HOUR
      world.device('b').connection = { connected: true, connectedSince: since - MINUTE, keepAlive: 60 }
      await world.disconnect('a', 's-a')
      expect(await pending(world)).toBe(1)
    })

    it('in mid-window all members must stand, then it settles as late', async () => {
      const world = await given()
      const since = await group(world, { a: 1, b: 600 })
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, since + 5_000 + i * 100, 'old')
      const standing = world.device('b').connection
      world.device('b').connection = undefined
      world.now = since + HOUR
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, world.now, 'new')
      expect((await payloads(world)).filter((payload) => payload === 'old')).toHaveLength(HEAD_IDS)
      world.device('b').connection = standing
      world.now = since + 2 * HOUR
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, world.now, 'newest')
      expect(new Set(await payloads(world))).toEqual(new Set(['newest']))
    })

    it.each(['$share/g/t', '$queue/t'])('in mid-window an unsubscribe is found under the filter as sent: %s', async (filter) => {
      const world = await given()
      const since = await subscribed(world, filter)
      const [seat] = await world.ports.topics.seats((await world.ports.topics.head('t'))!, { headOnly: true })
      await world.unsubscribe('c', 's1', filter)
      // A subscribed event that is tried again makes it live for a moment.
      await world.ports.topics.goLive('t', { clientid: 'c', topic: filter, qos: 1, origin: 'client' }, seat!.entry, seat!.live)
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, since + 5_000 + i * 100)
      world.now = since + HOUR
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, world.now)
      expect(await pending(world)).toBe(2 * HEAD_IDS)
    })

    it("EMQX's $queue/ means nothing to IoT Core: who subscribes by it gets nothing natively, and settles nothing", async () => {
      const world = await given()
      const since = await subscribed(world, '$queue/t')
      await publishAt(world, since + 5_000)
      world.now = since + HOUR
      await world.disconnect('c', 's1')
      expect(await pending(world)).toBe(1)
    })

    it('one client, one topic, two filters: the queue comes once, and each ends by itself', async () => {
      const world = await given()
      for (const payload of ['1', '2', '3']) await world.publish('t', payload)
      world.wait(5_000)
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't', '$share/g/t')
      expect(world.device('c').got).toEqual(['1', '2', '3'])
      await world.unsubscribe('c', 's1', 't')
      expect(await world.live()).toEqual(['t c|$share/g/t'])
      await world.unsubscribe('c', 's1', '$share/g/t')
      expect(await world.live()).toEqual([])
    })
  })

  describe('I3: what the subscription and the message tell', () => {
    /** A client that was subscribed for an hour at the QoS; a message came after ten minutes. */
    const anHour = async (world: World, granted: Map<string, number> | undefined, more: object = {}) => {
      world.device('c').granted = granted
      const since = await subscribed(world)
      await world.handle('message.publish', world.publishEvent('t', 'x', { timestamp: since + 10 * MINUTE, ...more }))
      world.now = since + 60 * MINUTE
      return since
    }

    it.each([
      ['QoS 1', new Map([['t', 1]]), 0],
      ['QoS 0', new Map([['t', 0]]), 1],
      ['an unknown QoS: ListSubscriptions was throttled', undefined, 1],
      ['an unknown QoS: ListSubscriptions does not name it yet', new Map([['u', 1]]), 1],
    ])('at the end of a subscription of %s', async (_name, granted, left) => {
      const world = await given()
      if (granted?.has('u'))
        jest
          .spyOn(world, 'subscribedEvent')
          .mockImplementation((c, s, ...topics) => world.lifecycle(c, s, { eventType: 'subscribed', topics }))
      await anHour(world, granted)
      await world.disconnect('c', 's1')
      expect(await pending(world)).toBe(left)
    })

    it('a QoS that was not told is asked for once more, a second after: what is published from then on settles at the end', async () => {
      const world = await given()
      await world.connect('c', 's1')
      const before = jest.spyOn(world.ports.device, 'subscriptions').mockResolvedValueOnce(undefined)
      await world.subscribe('c', 's1', 't')
      expect(before).toHaveBeenCalledTimes(2)
      world.wait(10_000)
      await world.publish('t', 'x')
      world.wait(15_000)
      await world.disconnect('c', 's1')
      expect(await pending(world)).toBe(0)
    })

    it('a QoS that was not known is asked for again in mid-window, and counts from then on', async () => {
      const world = await given()
      const since = await anHour(world, undefined)
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, since + 11 * MINUTE + i * 100, 'before')
      expect(await pending(world)).toBe(HEAD_IDS + 1)
      world.device('c').granted = new Map([['t', 1]])
      world.now = since + 120 * MINUTE
      for (let i = 0; i < HEAD_IDS; i++) await publishAt(world, since + 130 * MINUTE + i * 100, 'after')
      world.now = since + 180 * MINUTE
      await world.disconnect('c', 's1')
      expect(new Set((await world.scan('mqtt_msg')).map(({ payload }) => payload?.S))).toEqual(new Set(['x', 'before']))
    })

    it.each([
      ['at QoS 1', new Map([['t', 1]])],
      ['at a QoS that is not told', undefined],
    ])(
      'a subscription of QoS 0 does not empty a queue, as in EMQX; subscribed again %s it gets what was queued',
      async (_name, granted) => {
        const world = await given()
        await world.publish('t', 'queued')
        world.wait(5_000)
        await world.connect('c', 's1')
        world.device('c').granted = new Map([['t', 0]])
        await world.subscribe('c', 's1', 't')
        await world.publish('t', 'new')
        expect([world.device('c').got, await pending(world)]).toEqual([[], 2])
        world.device('c').granted = granted
        world.wait(5_000)
        await world.subscribe('c', 's1', 't')
        expect([world.device('c').got, await pending(world)]).toEqual([['queued', 'new'], 0])
      },
    )

    it.each(['in order', 'the middle one late', 'the middle one late, and the end dies before it settles'])(
      'three SUBSCRIBEs, of whose middle one nobody tells the QoS, %s: only what came after the last counts',
      async (order) => {
        const world = await given()
        const since = await anHour(world, new Map([['t', 1]]))
        world.now = since + 20 * MINUTE
        const middle = world.subscribedEvent('c', 's1', 't')
        await world.handle('message.publish', world.publishEvent('t', 'at QoS 0, perhaps', { timestamp: world.now + 20_000 }))
        world.now = since + 30 * MINUTE
        const last = world.subscribedEvent('c', 's1', 't')
        for (const event of order === 'in order' ? [middle, last] : [last, middle]) await world.handle('session.subscribed', event)
        await world.handle('message.publish', world.publishEvent('t', 'after', { timestamp: since + 40 * MINUTE }))
        world.now = since + 60 * MINUTE
        const gone = world.disconnectedEvent('c', 's1')
        if (order.endsWith('settles')) {
          jest.spyOn(world.ports.messages, 'traits').mockRejectedValueOnce(new Error('throttled'))
          await expect(world.handle('client.disconnected', gone)).rejects.toThrow('throttled')
        }
        await world.handle('client.disconnected', gone)
        expect((await world.scan('mqtt_msg')).map(({ payload }) => payload?.S).sort()).toEqual(['at QoS 0, perhaps'])
      },
    )

    it('a SUBSCRIBE again at another QoS: neither counts', async () => {
      const world = await given()
      const since = await anHour(world, new Map([['t', 1]]))
      world.device('c').granted = new Map([['t', 0]])
      await world.subscribe('c', 's1', 't')
      world.now = since + 120 * MINUTE
      await world.disconnect('c', 's1')
      expect(await pending(world)).toBe(1)
    })

    it.each([
      ['its own message proves nothing: No Local is invisible', 'c', 1],
      ["another's does", 'd', 0],
    ])('%s', async (_name, clientid, left) => {
      const world = await given()
      await anHour(world, new Map([['t', 1]]), { clientid })
      await world.disconnect('c', 's1')
      expect(await pending(world)).toBe(left)
    })

    it('more bytes in a second than IoT Core delivers stay pending', async () => {
      const world = await given()
      const since = await anHour(world, new Map([['t', 1]]))
      const large = 'x'.repeat(120_000)
      for (let i = 0; i < 5; i++) await publishAt(world, since + 20 * MINUTE + i * 100, large)
      for (let i = 0; i < 4; i++) await publishAt(world, since + 30 * MINUTE + i * 100, large)
      await world.disconnect('c', 's1')
      expect(await pending(world)).toBe(5)
    })

    it.each([
      ['5m', 300, 5 * MINUTE],
      ['never', 'never', undefined],
    ] as const)('"settle": "%s"', async (_name, settle, doubt) => {
      const world = await given({
        rows: rowsWith({ hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_queue', settle }),
      })
      const since = await subscribed(world)
      const end = since + 60 * MINUTE
      await publishAt(world, end - (doubt ?? 30 * MINUTE) - CLEAN_DOUBT, 'sure')
      await publishAt(world, end - (doubt ?? 30 * MINUTE) - CLEAN_DOUBT + 1, 'doubtful')
      world.now = end
      await world.disconnect('c', 's1')
      expect(await pending(world)).toBe(doubt === undefined ? 2 : 1)
    })

    /** What people reported: a client that took what it got and had not acknowledged it, and then was gone. */
    it.each([
      ['Receive Maximum 2, 700 ms a PUBACK: 20 messages, a clean DISCONNECT after 2.5 s', 20, 2_500, undefined],
      ['a 3.1.1 client whose handler takes 600 ms: 15 messages', 15, 9_000, undefined],
      ['no PUBACK at all: 150 messages in 3 s', 150, 5_000, undefined],
      ['a power cut, keep-alive 1 s', 15, 9_000, 'MQTT_KEEP_ALIVE_TIMEOUT'],
      ['PUBACK with an error (0x83), and DISCONNECT', 5, 1_000, undefined],
    ] as const)('takes nothing off: %s', async (_name, count, ms, reason) => {
      const world = await given()
      const since = await subscribed(world)
      const events = Array.from({ length: count }, (_, i) => world.publishEvent('t', 'x', { timestamp: since + 60_000 + i * 20 }))
      for (let i = 0; i < count; i += 10) await world.handle('message.publish', ...events.slice(i, i + 10))
      world.now = since + 60_000 + ms
      const event = world.disconnectedEvent('c', 's1', 0, reason)
      world.device('c').connection = { connected: false, keepAlive: 1 }
      await world.handle('client.disconnected', event)
      expect(await pending(world)).toBe(count)
    })

    describe('"consumers": "any": wildcard subscribers count, as in EMQX', () => {
      const rows = (consumers: 'exact' | 'any') =>
        rowsWith({ hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_queue', consumers })
      /** A backend that stays on the filter; a message on each topic, and a day later one more. */
      const aDay = async (world: World, filter: string, ...topics: string[]) => {
        const since = await subscribed(world, filter)
        for (const hours of [1, 25]) {
          for (const topic of topics) {
            await world.handle('message.publish', world.publishEvent(topic, `${hours}`, { timestamp: since + hours * 60 * MINUTE }))
          }
        }
        return (await world.scan('mqtt_msg')).map(({ topic, payload }) => `${topic?.S} ${payload?.S}`).sort()
      }

      it.each([
        ['any', 'tele/#', ['tele/1 25', 'tele/2/x 25']],
        ['any', 'tele/+', ['tele/1 25', 'tele/2/x 1', 'tele/2/x 25']],
        ['any', '$share/g/tele/#', ['tele/1 25', 'tele/2/x 25']],
        ['exact', 'tele/#', ['tele/1 1', 'tele/1 25', 'tele/2/x 1', 'tele/2/x 25']],
      ] as const)('%s: %s', async (consumers, filter, left) => {
        expect(await aDay(await given({ rows: rows(consumers) }), filter, 'tele/1', 'tele/2/x')).toEqual(left)
      })

      it('what IoT Core does not deliver by a wildcard stays: `tele/#` does not match `tele` there', async () => {
        expect(await aDay(await given({ rows: rows('any') }), 'tele/#', 'tele')).toEqual(['tele 1', 'tele 25'])
      })

      it('an end, and another SUBSCRIBE, leave no seat', async () => {
        const world = await given({ rows: rows('any') })
        await subscribed(world, 'tele/#')
        expect(await world.live()).toEqual(['tele/# c|tele/#'])
        await world.disconnect('c', 's1')
        expect(await world.live()).toEqual([])
      })
    })

    it.each(['disconnect', 'unsubscribe'] as const)('... and by a %s of another subscriber', async (end) => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 10 * MINUTE, 'first')
      world.now = since + 24 * 60 * MINUTE
      // At QoS 0, so that it takes nothing off itself.
      world.device('other').granted = new Map([['t', 0]])
      await world.connect('other', 's2')
      await world.subscribe('other', 's2', 't')
      expect(await pending(world)).toBe(1)
      await (end === 'disconnect' ? world.disconnect('other', 's2') : world.unsubscribe('other', 's2', 't'))
      expect(await pending(world)).toBe(0)
    })

    it.each(['t', '$share/g/t', 'durable/t'])('... and by a SUBSCRIBE of another one to %s, who does not get it again', async (filter) => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 10 * MINUTE, 'first')
      world.now = since + 24 * 60 * MINUTE
      await world.connect('other', 's2')
      await world.subscribe('other', 's2', filter)
      expect(world.device('other').got).toEqual([])
      expect(await pending(world)).toBe(0)
    })

    it('a topic of a few messages a day settles by its next publish, some at a time where they come faster', async () => {
      const world = await given()
      const since = await subscribed(world)
      await publishAt(world, since + 10 * MINUTE, 'first')
      await publishAt(world, since + 24 * 60 * MINUTE, 'second')
      expect((await world.scan('mqtt_msg')).map(({ payload }) => payload?.S)).toEqual(['second'])
      const asked = () => world.calls.filter(({ call }) => call === 'GetConnection').length
      const before = asked()
      for (let i = 1; i <= 12; i++) await publishAt(world, since + 24 * 60 * MINUTE + i * MINUTE)
      expect(asked() - before).toBe(0)
      for (let i = 13; i <= 16; i++) await publishAt(world, since + 24 * 60 * MINUTE + i * MINUTE)
      expect(asked() - before).toBe(1)
    })
  })
})
