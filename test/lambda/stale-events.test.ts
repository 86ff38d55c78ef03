/**
 * Subscription events that come late, twice and out of order: nobody is live who has gone, and nobody gone who is there (I4).
 *
 * @seconds 20
 */
import type { HookName } from '../../lambda/core/hooks.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { permutations, permutationsWithRepeat } from '../support/orders.ts'
import { World } from '../support/world.ts'

interface Happened {
  readonly hook: HookName | 'connected'
  readonly event: Record<string, unknown>
}

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })

  /** The embedded engine takes every order, DynamoDB Local every so many. */
  const some = <T>(orders: T[], every: number): T[] => orders.filter((_, i) => engine.name === 'embedded' || i % every === 0)

  const connected = (c: string, session: string, version: number): Happened => ({
    hook: 'connected',
    event: world.connectedEvent(c, session, version),
  })
  const disconnected = (c: string, session: string, version: number, reason?: string): Happened => ({
    hook: 'client.disconnected',
    event: world.disconnectedEvent(c, session, version, reason),
  })
  const subscribed = (c: string, session: string, filter: string): Happened => ({
    hook: 'session.subscribed',
    event: world.subscribedEvent(c, session, filter),
  })
  const unsubscribed = (c: string, session: string, filter: string): Happened => ({
    hook: 'session.unsubscribed',
    event: world.unsubscribedEvent(c, session, filter),
  })
  /** Events a few seconds apart. */
  const told = (...make: (() => Happened)[]): Happened[] =>
    make.map((one) => {
      world.wait(5_000)
      return one()
    })
  const arrives = ({ hook, event }: Happened) => (hook === 'connected' ? world.handleConnected(event) : world.handle(hook, event))

  async function inOrder(events: readonly Happened[]): Promise<void> {
    for (const event of events) await arrives(event)
  }
  const rowsOf = async (clientid: string) => (await world.scan('mqtt_sub')).filter((row) => row.clientid?.S === clientid)
  const liveOf = async (clientid: string) => (await world.live()).filter((name) => name.split(/[ |]/).includes(clientid))

  describe.each(['t', 'a/+', '$share/g/t'])('I4: %s', (filter) => {
    it('subscribed and unsubscribed, in any order and twice, leave nothing', async () => {
      for (const [i, order] of some(permutationsWithRepeat([0, 1]), 2).entries()) {
        const c = `c${i}`
        await arrives(connected(c, 's1', 0))
        const events = told(
          () => subscribed(c, 's1', filter),
          () => unsubscribed(c, 's1', filter),
        )
        await inOrder(order.map((n) => events[n]!))
        expect({ order, live: await liveOf(c), rows: await rowsOf(c) }).toEqual({ order, live: [], rows: [] })
      }
    }, 60_000)

    it('subscribed, unsubscribed, subscribed again, in any order and twice, leave one subscription', async () => {
      for (const [i, order] of some(permutationsWithRepeat([0, 1, 2]), 9).entries()) {
        const c = `c${i}`
        const start = connected(c, 's1', 0)
        await arrives(start)
        const events = told(
          () => subscribed(c, 's1', filter),
          () => unsubscribed(c, 's1', filter),
          () => subscribed(c, 's1', filter),
        )
        await inOrder(order.map((n) => events[n]!))
        expect({ order, rows: (await rowsOf(c)).map(({ topic }) => topic?.S) }).toEqual({ order, rows: [filter] })
        const seat = filter === 't' ? `t ${c}` : `t ${c}|${filter}`
        if (filter !== 'a/+') expect({ order, live: await liveOf(c) }).toEqual({ order, live: [seat] })
        await inOrder(told(() => disconnected(c, 's1', 0)))
        expect({ order, live: await liveOf(c), rows: await rowsOf(c) }).toEqual({ order, live: [], rows: [] })
      }
    }, 120_000)
  })

  it('I4: connected, subscribed, disconnected, in any order and twice, leave nothing', async () => {
    for (const [i, order] of some(permutationsWithRepeat([0, 1, 2]), 6).entries()) {
      const c = `c${i}`
      const events = told(
        () => connected(c, 's1', 0),
        () => subscribed(c, 's1', 't'),
        () => disconnected(c, 's1', 0),
      )
      await inOrder(order.map((n) => events[n]!))
      expect({ order, live: await liveOf(c), rows: await rowsOf(c) }).toEqual({ order, live: [], rows: [] })
    }
  }, 60_000)

  it('I4: two connections that both subscribe: only the newer is live, in any order of their events', async () => {
    for (const [i, order] of some(permutations([0, 1, 2, 3, 4]), 20).entries()) {
      const [c, topic] = [`c${i}`, `t${i}`]
      const events = told(
        () => connected(c, 's1', 0),
        () => subscribed(c, 's1', topic),
        () => disconnected(c, 's1', 0, 'DUPLICATE_CLIENTID'),
        () => connected(c, 's2', 1),
        () => subscribed(c, 's2', topic),
      )
      await inOrder(order.map((n) => events[n]!))
      expect({ order, live: await liveOf(c) }).toEqual({ order, live: [`${topic} ${c}`] })
      expect({ order, sessions: (await rowsOf(c)).map(({ session }) => session?.S) }).toEqual({ order, sessions: ['s2'] })
      expect((await world.row('mqtt_client', c))?.session).toEqual({ S: 's2' })
    }
  }, 60_000)

  it('a subscribed event of the old connection that looks at the client just before the connect is told, is live no more after it', async () => {
    await world.connect('c', 's1')
    const late = subscribed('c', 's1', 't')
    world.wait(5_000)
    const { clients, subscriptions } = world.ports
    const { connected: tell } = clients
    const { of } = subscriptions
    let looked = (): void => {}
    const searched = new Promise<void>((resolve) => {
      looked = resolve
    })
    Object.assign(subscriptions, {
      of: async (clientid: string) => {
        const rows = await of(clientid)
        looked()
        return rows
      },
    })
    Object.assign(clients, {
      connected: async (event: Parameters<typeof tell>[0]) => {
        await searched
        await arrives(late)
        return tell(event)
      },
    })
    await world.handle('client.connected', world.connectedEvent('c', 's2', 1))
    expect([await world.live(), await rowsOf('c')]).toEqual([[], []])
  })

  it('a client that unsubscribed for good, while an earlier SUBSCRIBE of it takes its seat anew, is live no more', async () => {
    await world.connect('c', 's1')
    const [first, gone, again, goneForGood] = told(
      () => subscribed('c', 's1', 't'),
      () => unsubscribed('c', 's1', 't'),
      () => subscribed('c', 's1', 't'),
      () => unsubscribed('c', 's1', 't'),
    )
    await arrives(first!)
    const { topics } = world.ports
    const { goLive } = topics
    const meanwhile = [
      async (go: () => ReturnType<typeof goLive>) => {
        const seated = await go()
        await arrives(gone!)
        return seated
      },
      async (go: () => ReturnType<typeof goLive>) => {
        await arrives(goneForGood!)
        return go()
      },
    ]
    Object.assign(topics, { goLive: (...seat: Parameters<typeof goLive>) => meanwhile.shift()!(() => goLive(...seat)) })
    await arrives(again!)
    expect([meanwhile, await world.live(), await rowsOf('c')]).toEqual([[], [], []])
  })

  it('a subscribed event that writes its row before a connect takes it away, and its seat after, is live no more after it', async () => {
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    const repeated = { hook: 'session.subscribed', event: { ...world.subscribedEvent('c', 's1', 't'), timestamp: world.now } } as const
    world.wait(5_000)
    const { clients, topics } = world.ports
    const { connected: tell } = clients
    const { clearOlder, goLive } = topics
    let told = (): void => {}
    const connectTold = new Promise<void>((resolve) => {
      told = resolve
    })
    let seating = (): void => {}
    const rowWritten = new Promise<void>((resolve) => {
      seating = resolve
    })
    let cleared = (): void => {}
    const mayBeCleared = new Promise<void>((resolve) => {
      cleared = resolve
    })
    const afterAWhile = new Promise<void>((resolve) => setTimeout(resolve, 200))
    Object.assign(topics, {
      clearOlder: async (...seat: Parameters<typeof clearOlder>) => {
        await clearOlder(...seat)
        cleared()
      },
      goLive: async (...seat: Parameters<typeof goLive>) => {
        seating()
        // Where a connect clears before it tells.
        await Promise.race([mayBeCleared, afterAWhile])
        return goLive(...seat)
      },
    })
    Object.assign(clients, {
      connected: async (event: Parameters<typeof tell>[0]) => {
        await handled
        const before = await tell(event)
        told()
        return before
      },
    })
    let handled: Promise<unknown> = Promise.resolve()
    handled = arrives(repeated)
    await rowWritten
    await world.handle('client.connected', world.connectedEvent('c', 's2', 1))
    await Promise.all([handled, connectTold])
    expect([await world.live(), await rowsOf('c')]).toEqual([[], []])
  })

  it('a stale subscribed event that claimed the queue before it knew: nobody drains, and nobody waits for it', async () => {
    const published = ['1', '2', '3']
    for (const payload of published) await world.publish('t', payload)
    world.wait(5_000)
    await world.connect('c', 's1')
    const late = world.subscribedEvent('c', 's1', 't')
    const { lease } = world.ports.topics
    const leased: boolean[] = []
    jest.spyOn(world.ports.topics, 'lease').mockImplementation(async (...args) => {
      const row = await lease(...args)
      leased.push(row !== undefined)
      return row
    })
    world.wait(5_000)
    await world.disconnect('c', 's1')
    await world.handle('session.subscribed', late)
    expect(leased).toEqual([true])
    expect([await world.live(), world.device('c').got]).toEqual([[], []])
    await world.connect('d', 's2')
    await world.subscribe('d', 's2', 't')
    expect(world.device('d').got).toEqual(published)
  })

  it('the disconnect of an old session does not end the new one, nor settle what it has', async () => {
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    const late = disconnected('c', 's1', 0)
    await world.connect('c', 's2', 1)
    await world.subscribe('c', 's2', 't')
    world.wait(5_000)
    await world.publish('t', 'x')
    world.wait(5_000)
    await arrives(late)
    expect(await world.live()).toEqual(['t c'])
    expect((await world.queue()).stored).toHaveLength(1)
  })

  it('an unsubscribe of one filter leaves another on the same covering row alone, also one whose event comes later', async () => {
    await world.connect('c', 's1')
    const [one, other, gone] = told(
      () => subscribed('c', 's1', 'cmd/+/x'),
      () => subscribed('c', 's1', 'cmd/+/y'),
      () => unsubscribed('c', 's1', 'cmd/+/x'),
    )
    await inOrder([one!, gone!, other!])
    expect((await rowsOf('c')).map(({ topic }) => topic?.S)).toEqual(['cmd/+/y'])
  })

  it('what was published between an unsubscribe and the next subscribe is delivered, though the events come the other way round', async () => {
    await world.connect('c', 's1')
    const [first, gone] = told(
      () => subscribed('c', 's1', 't'),
      () => unsubscribed('c', 's1', 't'),
    )
    world.wait(5_000)
    const between = world.publishEvent('t', 'between')
    const [again] = told(() => subscribed('c', 's1', 't'))
    await arrives(first!)
    await world.handle('message.publish', between)
    await inOrder([again!, gone!])
    expect(world.device('c').got).toEqual(['between'])
    expect(await world.queue()).toEqual({ named: [], stored: [] })
  })

  it('an UNSUBSCRIBE and a SUBSCRIBE in the same millisecond: in either order the UNSUBSCRIBE counts, until the next SUBSCRIBE', async () => {
    for (const [i, order] of permutations([0, 1]).entries()) {
      const [c, filter] = [`c${i}`, `durable/t${i}`]
      await world.connect(c, 's1')
      await inOrder(told(() => subscribed(c, 's1', filter)))
      world.wait(5_000)
      const [gone, again] = [unsubscribed(c, 's1', filter), subscribed(c, 's1', filter)]
      const both = [gone, { ...again, event: { ...again.event, timestamp: gone.event.timestamp } }]
      await inOrder(order.map((n) => both[n]!))
      expect({ order, live: await liveOf(c), rows: await rowsOf(c) }).toEqual({ order, live: [], rows: [] })
      await world.handle('message.publish', world.publishEvent(`t${i}`, 'waits'))
      await inOrder(told(() => subscribed(c, 's1', filter)))
      expect(world.device(c).got).toEqual(['waits'])
    }
  })
})
