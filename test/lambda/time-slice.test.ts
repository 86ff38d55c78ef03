/** I15: a client that acknowledges each message just in time holds an invocation for a time slice; the delivery goes on by a request. */
import type { HookName } from '../../lambda/core/hooks.ts'
import { HEAD_LIVE } from '../../lambda/core/model/topic-row.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { PAGE_ROWS, type Row, World, type WorldOptions } from '../support/world.ts'

/** Just within the confirmation timeout. Milliseconds. */
const SLOW = 4_900
const MESSAGES = 100
const ALL = Array.from({ length: MESSAGES }, (_, i) => `m${i}`)
/** A slice of 20 s, and the messages in hand at its end. Milliseconds. */
const LONGEST = 20_000 + 2 * 5_000
const MANY: readonly Row[] = [
  ...PAGE_ROWS,
  { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: '#', action: 'on_message_acked_for_pubsub' },
]

forEachEngine((engine) => {
  let world: World
  const begin = async (options: WorldOptions = {}) => {
    world = new World(engine, await createTables(engine), { expiredAfter: 30 * 86_400, ...options })
  }
  beforeEach(() => begin())

  /** How long each invocation worked, in ms. */
  let durations: number[]
  beforeEach(() => {
    durations = []
  })
  const timed = async (work: () => Promise<unknown>) => {
    const began = world.now
    await work()
    durations.push(world.now - began)
  }
  /** What was requested reaches its function one by one, until nothing is left to do. */
  const untilDone = async () => {
    for (let n = 0; world.undelivered.length > 0; n++) {
      if (n > 5 * MESSAGES) throw new Error(`it does not end: ${world.logs.at(-1)}`)
      const rest = world.undelivered.splice(1)
      await timed(() => world.redeliver())
      world.undelivered.push(...rest)
    }
  }
  const slow = (clientid: string) => world.whenSent(clientid, undefined, async () => world.wait(SLOW))
  const publishAll = async (...payloads: readonly string[]) => {
    world.holdsDeliveries = true
    for (const payload of payloads) await world.publish('t', payload)
  }
  const subscribe = (filter = 't', session = 's1') => timed(() => world.subscribe('c', session, filter))
  const got = () => world.device('c').got
  const nothingIsLeft = async () => {
    expect(await world.queue()).toEqual({ named: [], stored: [] })
    expect((await world.row('mqtt_topic_msg_map', 't'))?.dispatch).toBeUndefined()
  }
  const requests = () => world.calls.filter(({ call }) => call === 'SendMessage').length

  it.each<[string, WorldOptions, () => Promise<void>]>([
    ['a native subscriber', {}, () => subscribe()],
    ['a durable subscriber', {}, () => subscribe('durable/t')],
  ])('%s gets 100 messages, 4.9 s each, once and in order; no invocation takes longer than a slice', async (_kind, options, comes) => {
    await begin(options)
    await publishAll(...ALL)
    world.wait(60_000)
    await world.connect('c', 's1')
    slow('c')
    await comes()
    await untilDone()
    expect(got()).toEqual(ALL)
    expect(Math.max(...durations)).toBeLessThanOrEqual(LONGEST)
    await nothingIsLeft()
  })

  it('so does the client of an operator’s row, which connects', async () => {
    await world.operatorSubscribes('c', 't')
    await publishAll(...ALL)
    slow('c')
    await timed(() => world.connect('c', 's1'))
    await untilDone()
    expect(got()).toEqual(ALL)
    expect(Math.max(...durations)).toBeLessThanOrEqual(LONGEST)
    await nothingIsLeft()
  })

  it('so does a subscriber of a topic that is kept for many', async () => {
    await begin({ rows: MANY })
    await world.connect('c', 's1')
    await subscribe('durable/t')
    await world.disconnect('c', 's1')
    await publishAll(...ALL)
    await world.connect('c', 's2', 1)
    slow('c')
    await subscribe('durable/t', 's2')
    await untilDone()
    expect(got()).toEqual(ALL)
    expect(Math.max(...durations)).toBeLessThanOrEqual(LONGEST)
    expect((await world.live()).length).toBe(1)
  })

  it('so does one whose seat is in a spill row, while messages come live (400098022)', async () => {
    await begin({ rows: MANY })
    for (let i = 0; i < HEAD_LIVE; i++) {
      await world.connect(`crowd${i}`, 's')
      await world.subscribe(`crowd${i}`, 's', 't')
    }
    await world.connect('c', 's1')
    await subscribe('durable/t')
    await world.disconnect('c', 's1')
    world.wait(60_000)
    await publishAll(...ALL.slice(0, 19))
    world.undelivered = []
    await world.connect('c', 's2', 2)
    slow('c')
    await subscribe('durable/t', 's2')
    // The delivery of a publish takes the queue up. The request of the first slice finds the lease taken, and is over.
    await publishAll(ALL[19]!)
    world.undelivered.shift()
    await untilDone()
    expect(got()).toEqual(ALL.slice(0, 20))
    expect((await world.row('mqtt_topic_msg_map', 't\u0000live0'))?.live?.M?.['c%00durable/t']?.M?.catching).toBeUndefined()
  })

  it.each<[string, WorldOptions, string, longest: number]>([
    ['a queue', {}, 't', LONGEST],
    ['a topic that is kept for many', { rows: MANY }, 't', LONGEST],
    // It has no queue: what is requested may be overtaken by what is requested later, and ten messages are in hand.
    ['a wildcard row', {}, '+', 10 * 5_000],
  ])(
    '100 messages that are published while the client is connected, %s: once, in the order of their queue',
    async (_kind, options, filter, longest) => {
      await begin(options)
      await world.operatorSubscribes('c', filter)
      await world.connect('c', 's1')
      slow('c')
      await publishAll(...ALL)
      // Ten of a topic in a batch, as SQS may hand them out.
      while (world.undelivered.length > 0) {
        const batch = world.undelivered.splice(0, 10)
        await timed(async () => {
          expect((await world.deliver('session.subscribed', batch)).batchItemFailures).toEqual([])
        })
      }
      const inTurn = filter === '+' ? [...got()].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))) : got()
      expect(inTurn).toEqual(ALL)
      expect(Math.max(...durations)).toBeLessThanOrEqual(longest)
    },
  )

  it('a quick client with a large backlog costs one request a slice', async () => {
    await publishAll(...ALL)
    world.wait(60_000)
    await world.connect('c', 's1')
    world.whenSent('c', undefined, async () => world.wait(900))
    const before = requests()
    await subscribe()
    await untilDone()
    expect(got()).toEqual(ALL)
    expect(requests() - before).toBe(4)
  })

  it('max_returned_count holds over all slices', async () => {
    const rows = PAGE_ROWS.map((row) =>
      row.action === 'on_message_fetch_for_queue' ? { ...row, offlineOpts: { maxReturnedCount: 12 } } : row,
    )
    await begin({ rows })
    await publishAll(...ALL.slice(0, 30))
    world.wait(60_000)
    await world.connect('c', 's1')
    slow('c')
    await subscribe()
    await untilDone()
    expect(got()).toEqual(ALL.slice(0, 12))
    expect(world.undelivered).toEqual([])
  })

  it('other clients have their turn between two slices', async () => {
    await publishAll(...ALL.slice(0, 12))
    world.wait(60_000)
    await world.connect('c', 's1')
    slow('c')
    await subscribe()
    const inBetween = got().length
    await world.publish('u', 'x')
    await world.connect('other', 's1')
    world.wait(60_000)
    await world.subscribe('other', 's1', 'u')
    expect(world.device('other').got).toEqual(['x'])
    expect(got()).toHaveLength(inBetween)
    await untilDone()
    expect(got()).toEqual(ALL.slice(0, 12))
  })

  describe('a slice that ends', () => {
    const letsGo = async (filter: string) => {
      await publishAll(...ALL.slice(0, 30))
      world.wait(60_000)
      await world.connect('c', 's1')
      slow('c')
      await subscribe(filter)
    }

    it.each(['t', 'durable/t'])('gives the lease back: a request that comes twice delivers once, %s', async (filter) => {
      await letsGo(filter)
      const [request] = world.undelivered
      world.undelivered.push({ ...request!, messageId: 'copy' })
      await untilDone()
      expect(got()).toEqual(ALL.slice(0, 30))
      await nothingIsLeft()
    })

    it.each(['t', 'durable/t'])('loses nothing where the request fails: the event is tried again, %s', async (filter) => {
      await publishAll(...ALL.slice(0, 30))
      world.wait(60_000)
      await world.connect('c', 's1')
      slow('c')
      jest.spyOn(world.ports.deliveries, 'request').mockRejectedValueOnce(new Error('SQS is away'))
      const record = { messageId: 'sub', body: JSON.stringify(world.subscribedEvent('c', 's1', filter)) }
      expect((await world.deliver('session.subscribed', [record])).batchItemFailures).toHaveLength(1)
      const again = { ...record, attributes: { ApproximateReceiveCount: '2' } }
      expect((await world.deliver('session.subscribed', [again])).batchItemFailures).toEqual([])
      await untilDone()
      expect(got()).toEqual(ALL.slice(0, 30))
      await nothingIsLeft()
    })

    it.each<[string, () => Promise<void>]>([
      ['UNSUBSCRIBE', () => world.unsubscribe('c', 's1', 't')],
      ['its disconnect', () => world.disconnect('c', 's1')],
    ])('sends nothing more after %s', async (_end, ends) => {
      await letsGo('t')
      const before = got().length
      await ends()
      await untilDone()
      expect(got()).toHaveLength(before)
    })

    it.each(['t', 'durable/t'])('and then is silent: two tries, then it is no subscriber any more, %s', async (filter) => {
      await letsGo(filter)
      world.device('c').script.push(...Array(500).fill('silent'))
      await untilDone()
      expect(await world.live()).toEqual([])
      expect(Math.max(...durations)).toBeLessThanOrEqual(LONGEST)
    })
  })

  it('session.unsubscribed, which finds work for a later SUBSCRIBE, leaves it to the function that delivers', async () => {
    await world.connect('c', 's1')
    const first = world.subscribedEvent('c', 's1', 't')
    await world.handle('session.subscribed', first)
    world.wait(5_000)
    const end = world.unsubscribedEvent('c', 's1', 't')
    await world.publish('t', 'between')
    world.wait(5_000)
    await world.handle('session.subscribed', world.subscribedEvent('c', 's1', 't'))
    world.holdsDeliveries = true
    const hook: HookName = 'session.unsubscribed'
    const calls = world.calls.length
    await world.handle(hook, end)
    expect(world.calls.slice(calls).map(({ call }) => call)).not.toContain('SendDirectMessage')
    await untilDone()
    expect(got()).toEqual(['between'])
  })
})
