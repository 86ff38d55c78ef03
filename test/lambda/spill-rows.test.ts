/**
 * More live clients than a topic's head has room for, and client ids that are hostile to maps and paths.
 *
 * @seconds 50
 */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { liveValue } from '../../lambda/adapters/tables/topic-rows.ts'
import { HEAD_LIVE, type Live, spillKey } from '../../lambda/core/model/topic-row.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })

  const many = (count: number) => Array.from({ length: count }, (_, i) => `client-${i}`)
  const connectAll = async (clients: readonly string[]) => {
    for (const c of clients) await world.connect(c, `s-${c}`)
  }
  const headSize = async (topic: string) => JSON.stringify(await world.row('mqtt_topic_msg_map', topic)).length

  describe.each([
    ['none of our attributes', {}],
    ['attributes of a backup', { spill: { N: '7' }, session: { S: 'old' } }],
  ])("operator's rows that are written again while their clients are connected, with %s", (_, more) => {
    const clients = many(HEAD_LIVE + 20)
    const again = async (filter: string) => {
      for (const c of clients) await world.put('mqtt_sub', { clientid: { S: c }, topic: { S: filter }, qos: { N: '1' }, ...more })
    }

    it.each(['t', '+'])(
      '%s: every seat ends with its connection, and nobody gets two copies',
      async (filter) => {
        await again(filter)
        await connectAll(clients)
        expect(await world.live()).toHaveLength(clients.length)
        await again(filter)
        for (const c of clients) await world.disconnect(c, `s-${c}`)
        expect(await world.live()).toEqual([])
        await again(filter)
        for (const c of clients) await world.connect(c, `t-${c}`, 1)
        await again(filter)
        // The end of this connection is not told.
        for (const c of clients) await world.connect(c, `u-${c}`, 2)
        expect(await world.live()).toHaveLength(clients.length)
        await world.publish('t', 'x')
        expect(clients.map((c) => world.device(c).got)).toEqual(clients.map(() => ['x']))
      },
      60_000,
    )
  })

  it("an operator's row that is written over the client's own: its seat ends with the connection", async () => {
    const clients = many(HEAD_LIVE + 3)
    await connectAll(clients)
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    for (const c of clients) await world.operatorSubscribes(c, 't')
    for (const c of clients) await world.disconnect(c, `s-${c}`)
    expect(await world.live()).toEqual([])
  })

  it('60 clients go live and end: the head stays small, nobody is left', async () => {
    const clients = many(60)
    await connectAll(clients)
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    expect(await world.live()).toHaveLength(60)
    expect(Object.keys((await world.row('mqtt_topic_msg_map', 't'))?.live?.M ?? {})).toHaveLength(HEAD_LIVE)
    expect(await headSize('t')).toBeLessThan(1_000)
    for (const [i, c] of clients.entries()) {
      if (i % 3 === 0) await world.unsubscribe(c, `s-${c}`, 't')
      else await world.disconnect(c, `s-${c}`)
    }
    expect(await world.live()).toEqual([])
    expect(await world.scan('mqtt_sub')).toEqual([])
  }, 60_000)

  it('a spilled client that subscribes again keeps its since, and gets nothing twice', async () => {
    const clients = many(HEAD_LIVE + 1)
    const spilled = clients.at(-1)!
    await connectAll(clients)
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    world.wait(5_000)
    await world.publish('t', 'delivered natively')
    world.wait(5_000)
    const before = await world.live()
    await world.subscribe(spilled, `s-${spilled}`, 't')
    expect(world.device(spilled).got).toEqual([])
    expect(await world.live()).toEqual(before)
  })

  it('a spilled client moves into the head when there is room, and sits nowhere else', async () => {
    const clients = many(HEAD_LIVE + 1)
    const [first, spilled] = [clients[0]!, clients.at(-1)!]
    await connectAll(clients)
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    await world.unsubscribe(first, `s-${first}`, 't')
    await world.subscribe(spilled, `s-${spilled}`, 't')
    expect(await world.live()).toHaveLength(HEAD_LIVE)
    await world.disconnect(spilled, `s-${spilled}`)
    expect(await world.live()).toHaveLength(HEAD_LIVE - 1)
  })

  it('two subscribed events of a client, handled at once, take one seat', async () => {
    const clients = many(HEAD_LIVE)
    await connectAll([...clients, 'twice'])
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    const subscribed = world.subscribedEvent('twice', 's-twice', 't')
    await Promise.all([world.handle('session.subscribed', subscribed), world.handle('session.subscribed', subscribed)])
    expect((await world.live()).filter((name) => name.includes('twice'))).toHaveLength(1)
    await world.disconnect('twice', 's-twice')
    expect(await world.live()).toHaveLength(HEAD_LIVE)
  })

  it('a client that sits in a spill row by one event and finds room in the head by another, sits in the head', async () => {
    const clients = many(HEAD_LIVE)
    await connectAll([...clients, 'twice'])
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    const { goLive, endLive } = world.ports.topics
    const live = { kind: 'client', session: 's-twice', since: world.now, at: world.now } as const
    const subscription = { clientid: 'twice', topic: 't', qos: 1, origin: 'client', session: 's-twice', since: live.since } as const
    await world.ports.subscriptions.subscribed(subscription)
    expect((await goLive('t', subscription, 'twice', live))?.seat.spill).toBe(0)
    const first = (await world.ports.topics.head('t'))!.live.get('client-0')!
    await endLive('t', { ...subscription, clientid: 'client-0' }, 'client-0', { session: first.session, until: first.at })
    // This one has read its row of mqtt_sub before the other claimed a spill row.
    expect((await goLive('t', subscription, 'twice', live))?.seat.spill).toBeUndefined()
    expect((await world.live()).filter((name) => name.includes('twice'))).toHaveLength(1)
  })

  it('who drains in a spill row goes on in the head, where another event of the client finds room meanwhile', async () => {
    const clients = many(HEAD_LIVE)
    await connectAll([...clients, 'twice'])
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    world.wait(5_000)
    for (const payload of ['1', '2', '3']) await world.publish('t', payload)
    world.wait(5_000)
    const { device, topics } = world.ports
    const { send } = device
    const event = world.subscribedEvent('twice', 's-twice', 't')
    const live = { kind: 'client', session: 's-twice', since: world.now, at: world.now } as const
    const subscription = { clientid: 'twice', topic: 't', qos: 1, origin: 'client', session: 's-twice', since: live.since } as const
    const seats: unknown[] = []
    Object.assign(device, {
      send: async (...message: Parameters<typeof send>) => {
        if (seats.length === 0) {
          seats.push((await topics.head('t'))?.live.has('twice'))
          const { session, at: until } = (await topics.head('t'))!.live.get('client-0')!
          await topics.endLive('t', { ...subscription, clientid: 'client-0' }, 'client-0', { session, until })
          // This one has read its row of mqtt_sub before the other claimed a spill row.
          const moving = topics.goLive('t', subscription, 'twice', live)
          await expect(moving).rejects.toThrow("client 'twice', topic 't': moved while another event delivers its queue")
          seats.push((await topics.head('t'))?.live.has('twice'))
        }
        return send(...message)
      },
    })
    const sqs = { messageId: 'draining', body: JSON.stringify(event) }
    expect(await world.deliver('session.subscribed', [sqs])).toEqual({ batchItemFailures: [] })
    expect(seats).toEqual([false, true])
    expect(world.device('twice').got).toEqual(['1', '2', '3'])
    expect((await topics.head('t'))?.live.get('twice')?.catching).toBeUndefined()
    expect(await world.queue()).toEqual({ named: [], stored: [] })
  })

  describe('an older session in a spill row, and a newer one of the client in the head', () => {
    const subscription = { clientid: 'twice', topic: 't', qos: 1, origin: 'client' } as const
    const liveAs = (session: string, since: number) => ({ kind: 'client', session, since, at: since }) as const
    const seats = async () => (await world.live()).filter((name) => name.includes('twice'))
    const spilledAndRoom = async () => {
      const clients = many(HEAD_LIVE)
      await connectAll([...clients, 'twice'])
      for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
      const { endLive, goLive, head } = world.ports.topics
      const older = liveAs('s-older', world.now)
      await world.ports.subscriptions.subscribed({ ...subscription, session: older.session, since: older.since })
      expect((await goLive('t', subscription, 'twice', older))?.seat.spill).toBe(0)
      const { session, at: until } = (await head('t'))!.live.get('client-0')!
      await endLive('t', { ...subscription, clientid: 'client-0' }, 'client-0', { session, until })
      return older
    }

    it('by an event that knew of no spill row: the older one makes way', async () => {
      await spilledAndRoom()
      const newer = liveAs('s-newer', world.now + 5_000)
      expect((await world.ports.topics.goLive('t', subscription, 'twice', newer))?.seat.key).toBe('t')
      expect(await seats()).toEqual(['t twice'])
    })

    /** As by a try that died before the older one made way. */
    const sitsInHead = (newer: Live) =>
      engine.client.send(
        new UpdateItemCommand({
          TableName: world.tables.mqtt_topic_msg_map,
          Key: { topic: { S: 't' } },
          UpdateExpression: 'SET live.twice = :live',
          ExpressionAttributeValues: { ':live': liveValue(newer) },
        }),
      )

    it('before that one made way: the next try of the newer one sees to it', async () => {
      await spilledAndRoom()
      const newer = liveAs('s-newer', world.now + 5_000)
      await sitsInHead(newer)
      expect((await world.ports.topics.goLive('t', subscription, 'twice', newer))?.seat.key).toBe('t')
      expect(await seats()).toEqual(['t twice'])
    })

    it('before that one made way: the next try of the older one sees to it', async () => {
      const older = await spilledAndRoom()
      await sitsInHead(liveAs('s-newer', world.now + 5_000))
      expect(await world.ports.topics.goLive('t', subscription, 'twice', older)).toBeUndefined()
      expect(await seats()).toEqual(['t twice'])
    })

    it('before that one made way: its end finds it', async () => {
      const older = await spilledAndRoom()
      const newer = liveAs('s-newer', world.now + 5_000)
      await sitsInHead(newer)
      expect(await seats()).toHaveLength(2)
      await world.ports.topics.endLive('t', { ...subscription, spill: 0 }, 'twice', { session: older.session, until: older.at })
      expect(await seats()).toEqual(['t twice'])
      expect((await world.ports.topics.head('t'))?.live.get('twice')?.session).toBe('s-newer')
    })
  })

  it('a seat whose row of mqtt_sub an end deleted before it was taken, by an event that died: the next try finds it', async () => {
    const clients = many(HEAD_LIVE)
    await connectAll([...clients, 'twice'])
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    const { topics, subscriptions } = world.ports
    const live = { kind: 'client', session: 's-twice', since: world.now, at: world.now } as const
    const subscription = { clientid: 'twice', topic: 't', qos: 1, origin: 'client', session: 's-twice', since: live.since } as const
    await subscriptions.subscribed(subscription)
    expect((await topics.goLive('t', subscription, 'twice', live))?.seat.spill).toBe(0)
    await subscriptions.unsubscribed('twice', 't', 's-twice', live.at)
    await world.unsubscribe('client-0', 's-client-0', 't')
    await subscriptions.subscribed(subscription)
    expect((await topics.goLive('t', subscription, 'twice', live))?.seat.key).toBe('t')
    expect((await world.live()).filter((name) => name.includes('twice'))).toEqual(['t twice'])
  })

  it('a try that sat down in the head, leased, and died before it left the spill row: the next one sits in the head alone, and drains there', async () => {
    const clients = many(HEAD_LIVE)
    await connectAll([...clients, 'twice'])
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    await world.subscribe('twice', 's-twice', 't')
    world.wait(5_000)
    const { topics } = world.ports
    const subscribed = world.subscribedEvent('twice', 's-twice', 't')
    await world.unsubscribe('client-0', 's-client-0', 't')
    const live = {
      kind: 'client',
      session: 's-twice',
      since: world.now,
      at: world.now,
      catching: { by: 'dying', until: world.now + 1_000 },
    } as const
    await engine.client.send(
      new UpdateItemCommand({
        TableName: world.tables.mqtt_topic_msg_map,
        Key: { topic: { S: 't' } },
        UpdateExpression: 'SET live.twice = :live',
        ExpressionAttributeValues: { ':live': liveValue(live) },
      }),
    )
    const sqs = { messageId: 'dying', body: JSON.stringify(subscribed) }
    expect(await world.deliver('session.subscribed', [sqs])).toEqual({ batchItemFailures: [] })
    expect((await world.live()).filter((name) => name.includes('twice'))).toEqual(['t twice'])
    expect((await topics.head('t'))?.live.get('twice')).toMatchObject({
      kind: 'client',
      session: 's-twice',
      since: live.since,
      at: live.at,
    })
  })

  it('a stale subscribed event of a spilled client leaves no seat behind', async () => {
    const clients = many(HEAD_LIVE)
    await connectAll([...clients, 'late'])
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    const subscribed = world.subscribedEvent('late', 's-late', 't')
    await world.disconnect('late', 's-late')
    await world.handle('session.subscribed', subscribed)
    expect(await world.live()).toHaveLength(HEAD_LIVE)
    expect((await world.scan('mqtt_sub')).map(({ clientid }) => clientid?.S)).not.toContain('late')
  })

  it('spilled native subscribers settle at their end, spilled server-side ones are pushed to and the first acks for all', async () => {
    const natives = many(HEAD_LIVE + 1)
    const spilled = natives.at(-1)!
    await world.operatorSubscribes('server-1', 't')
    await world.operatorSubscribes('server-2', 't')
    await connectAll(natives)
    for (const c of natives) await world.subscribe(c, `s-${c}`, 't')
    world.wait(5_000)
    await world.publish('t', 'settled')
    world.wait(15_000)
    await world.disconnect(spilled, `s-${spilled}`)
    expect((await world.queue()).stored).toEqual([])
    await world.connect('server-1', 's1')
    await world.connect('server-2', 's2')
    expect((await world.live()).filter((name) => name.includes('server'))).toHaveLength(2)
    await world.publish('t', 'pushed')
    expect([world.device('server-1').got, world.device('server-2').got]).toEqual([['pushed'], ['pushed']])
    expect(await world.queue()).toEqual({ named: [], stored: [] })
    await world.disconnect('server-1', 's1')
    await world.disconnect('server-2', 's2')
    expect((await world.live()).filter((name) => name.includes('server'))).toEqual([])
  })

  it('a new session of a spilled client takes over its seat', async () => {
    const clients = many(HEAD_LIVE + 1)
    const spilled = clients.at(-1)!
    await connectAll(clients)
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    await world.connect(spilled, 's-new', 1)
    expect((await world.live()).some((name) => name.includes(spilled))).toBe(false)
    await world.subscribe(spilled, 's-new', 't')
    expect((await world.live()).filter((name) => name.includes(spilled))).toHaveLength(1)
    await world.disconnect(spilled, 's-new', 1)
    expect((await world.live()).some((name) => name.includes(spilled))).toBe(false)
  })

  /** The answer of the first update to the key is lost. When the SDK repeats it, after `meanwhile`, its condition does not hold. */
  const losingAnswer = (key: string, meanwhile = async () => {}) => {
    const client = engine.client
    let lost = false
    client.middlewareStack.add(
      (next) => async (args) => {
        const { Key, UpdateExpression } = args.input as { Key?: { topic?: { S?: string } }; UpdateExpression?: string }
        if (lost || Key?.topic?.S !== key || UpdateExpression !== 'SET live = :map') return next(args)
        lost = true
        await next(args)
        await meanwhile()
        return next(args)
      },
      { step: 'initialize', name: 'losingAnswer', override: true },
    )
    return () => client.middlewareStack.remove('losingAnswer')
  }

  it('a client whose spill row was begun, and the answer lost, does not sit in the next one as well', async () => {
    const clients = many(HEAD_LIVE + 1)
    await connectAll(clients)
    for (const c of clients.slice(0, -1)) await world.subscribe(c, `s-${c}`, 't')
    const found = losingAnswer(spillKey('t', 0))
    await world.subscribe(clients.at(-1)!, `s-${clients.at(-1)!}`, 't')
    found()
    expect(await world.live()).toHaveLength(HEAD_LIVE + 1)
    await world.disconnect(clients.at(-1)!, `s-${clients.at(-1)!}`)
    expect(await world.live()).toHaveLength(HEAD_LIVE)
  })

  it('a client whose spill row was begun, and the answer lost, while another event of it found room in the head, sits there alone', async () => {
    const clients = many(HEAD_LIVE)
    await connectAll([...clients, 'twice'])
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    const { topics } = world.ports
    const since = world.now
    const subscription = { clientid: 'twice', topic: 't', qos: 1, origin: 'client', session: 's-twice', since } as const
    await world.ports.subscriptions.subscribed(subscription)
    const liveBy = (by: string) =>
      ({ kind: 'client', session: 's-twice', since, at: since, catching: { by, until: since + 60_000 } }) as const
    const found = losingAnswer(spillKey('t', 0), async () => {
      await world.unsubscribe('client-0', 's-client-0', 't')
      expect((await topics.goLive('t', subscription, 'twice', liveBy('other')))?.seat.key).toBe('t')
    })
    const seated = await topics.goLive('t', subscription, 'twice', liveBy('one'))
    found()
    expect([seated?.seat.key, seated?.seat.live.catching?.by]).toEqual(['t', 'other'])
    expect((await world.live()).filter((name) => name.includes('twice'))).toEqual(['t twice'])
  })

  it('a try that died before it told the head of the spill row: the next one tells it', async () => {
    const clients = many(HEAD_LIVE)
    await world.operatorSubscribes('server', 't')
    await connectAll(clients)
    for (const c of clients) await world.subscribe(c, `s-${c}`, 't')
    await world.connect('server', 's1')
    const { spill: _spill, newest: _newest, spill_servers: _servers, ...head } = (await world.row('mqtt_topic_msg_map', 't'))!
    await world.put('mqtt_topic_msg_map', head)
    await world.handleConnected(world.lifecycle('server', 's1', { eventType: 'connected', versionNumber: 0, timestamp: world.now - 1 }))
    expect(await world.row('mqtt_topic_msg_map', 't')).toMatchObject({ spill: { N: '1' }, spill_servers: { N: '1' } })
    await world.publish('t', 'x')
    expect(world.device('server').got).toEqual(['x'])
  })

  const HOSTILE = [
    '__proto__',
    'constructor',
    'toString',
    'a.b',
    'a[0]',
    ':v',
    'ünïcödé-客户端-🦊',
    'x'.repeat(128),
    'a/b/c',
    ' ',
    '"',
    '\\',
    '0',
    'live',
  ]

  // Rows in Maps are plain objects.
  const names = engine.name === 'maps' ? HOSTILE.filter((name) => name !== '__proto__') : HOSTILE
  it.each(names)('client id %j: subscribes, is fetched for, pushed to, settled and forgotten', async (clientid) => {
    await world.publish('q', 'queued')
    await world.operatorSubscribes(clientid, 'server')
    await world.connect(clientid, 's1')
    await world.subscribe(clientid, 's1', 'q')
    await world.publish('server', 'pushed')
    expect(world.device(clientid).got).toEqual(['queued', 'pushed'])
    expect(await world.live()).toEqual([`q ${clientid}`, `server ${clientid}`])
    world.wait(5_000)
    await world.publish('q', 'native')
    world.wait(15_000)
    await world.disconnect(clientid, 's1')
    expect(await world.live()).toEqual([])
    expect(await world.queue()).toEqual({ named: [], stored: [] })
    expect((await world.row('mqtt_client', clientid))?.connect_state).toEqual({ N: '0' })
  })
})
