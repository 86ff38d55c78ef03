/** Native deliveries, which nobody reports: settled where a subscription's end, or GetConnection, proves them (I3). */
import { lostDoubt, MARGIN } from '../../lambda/core/model/delivery-window.ts'
import { HEAD_IDS } from '../../lambda/core/model/topic-row.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { rowsWithout, World, type WorldOptions } from '../support/world.ts'

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

  describe('I3: at the end of a subscription', () => {
    it.each([
      ['inside the margin after the SUBSCRIBE', MARGIN - 1, 1],
      ['right after it', MARGIN, 0],
      ['before the doubt', 59_000, 0],
      ['inside the doubt of a clean end', 59_001, 1],
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
      await publishAt(world, end - doubt - 1, 'sure')
      await publishAt(world, end - doubt + 1, 'doubtful')
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

    it('a member of a shared subscription does not know who got it: it settles as late as for a lost connection', async () => {
      const world = await given()
      const since = await subscribed(world, '$share/g/t')
      await publishAt(world, since + 5_000, 'sure')
      await publishAt(world, since + 5 * MINUTE - 30_000, 'doubtful')
      world.now = since + 5 * MINUTE
      await world.disconnect('c', 's1')
      expect((await world.scan('mqtt_msg')).map(({ payload }) => payload?.S)).toEqual(['doubtful'])
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
})
