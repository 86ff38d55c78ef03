/** session.subscribed: what comes of a direct message, and of those behind it: by each answer of SendDirectMessage (I1, I2, I3). */
import type { SendOutcome } from '../../lambda/core/metrics.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })
  const EMPTY = { named: [], stored: [] }
  const queued = async (...payloads: string[]) => {
    for (const payload of payloads) await world.publish('t', payload)
  }
  const left = async () => (await world.scan('mqtt_msg')).map(({ payload }) => payload?.S).sort()
  const got = (c = 'c') => world.device(c).got

  describe('the queue of a new subscriber', () => {
    it.each<[string, SendOutcome[], string[], string[]]>([
      ['504: no PUBACK in time, sent again until there is one', ['silent', 'acked'], ['m0', 'm1', 'm2'], []],
      ['429: throttled, sent again later', ['throttled', 'acked', 'throttled'], ['m0', 'm1', 'm2'], []],
      ['400, 413: it can never be sent: skipped, stays pending', ['unsendable'], ['m1', 'm2'], ['m0']],
      ['... the same in the middle', ['acked', 'unsendable'], ['m0', 'm2'], ['m1']],
      ['404 right after the connect: not known yet', ['gone', 'gone', 'gone'], ['m0', 'm1', 'm2'], []],
    ])('%s', async (_name, script, delivered, pending) => {
      await queued('m0', 'm1', 'm2')
      await world.connect('c', 's1')
      world.device('c').script.push(...script)
      await world.subscribe('c', 's1', 't')
      expect(got()).toEqual(delivered)
      expect(await left()).toEqual(pending)
      expect((await world.queue()).named).toHaveLength(pending.length)
    })

    it('404 and disconnected since: the rest stays pending, the event is done', async () => {
      await queued('m0', 'm1', 'm2')
      await world.connect('c', 's1')
      const subscribed = world.subscribedEvent('c', 's1', 't')
      await world.disconnect('c', 's1')
      world.device('c').script.push('acked')
      await world.handle('session.subscribed', subscribed)
      expect(await left()).toEqual(['m0', 'm1', 'm2'])
      expect(await world.live()).toEqual([])
    })

    it.each([
      ['the presence row says connected', true],
      ['its connected event has not been handled yet', false],
    ])('404 for longer, though %s: tried again by SQS, nothing is lost', async (_name, known) => {
      await queued('m0', 'm1')
      const connected = world.connectedEvent('c', 's1')
      if (known) await world.handleConnected(connected)
      world.device('c').script.push(...Array<SendOutcome>(4).fill('gone'))
      const record = { messageId: 'sub', body: JSON.stringify(world.subscribedEvent('c', 's1', 't')) }
      expect((await world.deliver('session.subscribed', [record])).batchItemFailures).toEqual([{ itemIdentifier: 'sub' }])
      expect(await left()).toEqual(['m0', 'm1'])
      expect((await world.deliver('session.subscribed', [record])).batchItemFailures).toEqual([])
      expect(got()).toEqual(['m0', 'm1'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('403: fails with a clear error, acknowledges nothing, and goes on once the policy is right', async () => {
      await queued('m0', 'm1')
      await world.connect('c', 's1')
      world.device('c').script.push('forbidden')
      const record = { messageId: 'sub', body: JSON.stringify(world.subscribedEvent('c', 's1', 't')) }
      expect((await world.deliver('session.subscribed', [record])).batchItemFailures).toHaveLength(1)
      expect(world.logs.at(-1)).toContain('iot:Receive')
      expect(await left()).toEqual(['m0', 'm1'])
      await world.deliver('session.subscribed', [record])
      expect(got()).toEqual(['m0', 'm1'])
    })

    it('I3: without a PUBACK nothing is ever acknowledged', async () => {
      await queued('m0', 'm1')
      await world.connect('c', 's1')
      world.device('c').script.push(...Array<SendOutcome>(500).fill('unknown'))
      expect((await world.invoke('session.subscribed', world.subscribedEvent('c', 's1', 't'))).batchItemFailures).toHaveLength(1)
      expect(await left()).toEqual(['m0', 'm1'])
      expect(await world.scan('mqtt_acked')).toEqual([])
    })
  })

  describe('when time is up', () => {
    const late = async (remaining: number) => {
      await queued('m0', 'm1', 'm2')
      await world.connect('c', 's1')
      // Two messages are acknowledged, the third is throttled until the invocation ends.
      world.device('c').script.push('acked', 'acked', ...Array<SendOutcome>(20).fill('throttled'))
      const record = { messageId: 'sub', body: JSON.stringify(world.subscribedEvent('c', 's1', 't')) }
      const response = await world.deliver('session.subscribed', [record], remaining)
      world.device('c').script.length = 0
      return { record, response }
    }

    it('the event fails, what was acknowledged is off the queue, and the same SQS message goes on', async () => {
      const { record, response } = await late(20_000)
      expect(response.batchItemFailures).toEqual([{ itemIdentifier: 'sub' }])
      expect(JSON.parse(world.logs.at(-1)!)).toMatchObject({ level: 'warn', code: 'unfinished', client: 'c' })
      expect(await left()).toEqual(['m2'])
      expect((await world.deliver('session.subscribed', [record])).batchItemFailures).toEqual([])
      expect(got()).toEqual(['m0', 'm1', 'm2'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('so does another SQS message of the same event, at once', async () => {
      const { record } = await late(20_000)
      expect((await world.deliver('session.subscribed', [{ ...record, messageId: 'other' }])).batchItemFailures).toEqual([])
      expect(got()).toEqual(['m0', 'm1', 'm2'])
    })

    it('after a crash, which gives nothing back, the lease ends with the invocation', async () => {
      await queued('m0', 'm1', 'm2')
      await world.connect('c', 's1')
      const event = world.subscribedEvent('c', 's1', 't')
      const record = { messageId: 'sub', body: JSON.stringify(event) }
      const dies = jest.spyOn(world.ports.messages, 'get').mockImplementation(() => new Promise(() => {}))
      const hangs = world.deliver('session.subscribed', [record], 30_000)
      while (dies.mock.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      dies.mockRestore()
      void hangs
      await world.deliver('session.subscribed', [{ ...record, messageId: 'other' }])
      expect(got()).toEqual([])
      world.wait(31_000)
      await world.deliver('session.subscribed', [{ ...record, messageId: 'other' }])
      expect(got()).toEqual(['m0', 'm1', 'm2'])
    })

    it('a window that the session has begun anew meanwhile is not leased by who saw the one before', async () => {
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      const { topics, clock } = world.ports
      const row = (await topics.head('t'))!
      const before = { topic: 't', key: 't', entry: 'c', live: row.live.get('c')! }
      world.wait(5_000)
      await world.unsubscribe('c', 's1', 't')
      world.wait(5_000)
      await world.subscribe('c', 's1', 't')
      expect(await topics.lease(before, { by: 'late', until: clock.now() + 60_000 }, clock.now())).toBeUndefined()
      expect((await topics.head('t'))?.live.get('c')).toMatchObject({ session: 's1' })
      expect((await topics.head('t'))?.live.get('c')?.catching).toBeUndefined()
    })

    it('a repeated SUBSCRIBE leaves the lease that another event of the client gets while the seat is renewed', async () => {
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      const { topics, clock } = world.ports
      const live = (await topics.head('t'))!.live.get('c')!
      const lease = { by: 'other', until: clock.now() + 60_000 }
      const renews = (input: object) => (input as { UpdateExpression?: string }).UpdateExpression?.startsWith('SET live.#entry.#at')
      engine.client.middlewareStack.add(
        (next) => async (args) => {
          if (renews(args.input)) await topics.lease({ topic: 't', key: 't', entry: 'c', live }, lease, clock.now())
          return next(args)
        },
        { step: 'initialize', name: 'leasedMeanwhile', override: true },
      )
      await world.subscribe('c', 's1', 't')
      engine.client.middlewareStack.remove('leasedMeanwhile')
      expect((await topics.head('t'))?.live.get('c')).toMatchObject({ since: live.since, at: live.at + 1, catching: lease })
    })

    it('a delivery that died while it drained goes on with that seat, though its client subscribed to the topic by another filter since', async () => {
      await world.connect('c', 's1')
      const early = world.publishEvent('t', 'm0')
      await world.subscribe('c', 's1', '$share/g/t')
      world.holdsDeliveries = true
      await world.handle('message.publish', early)
      const delivery = world.undelivered.slice(0, 1)
      const dies = jest.spyOn(world.ports.device, 'send').mockResolvedValueOnce('unknown')
      dies.mockImplementation(() => new Promise(() => {}))
      void world.deliver('session.subscribed', delivery)
      while (dies.mock.calls.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
      dies.mockRestore()
      const again = { messageId: 'again', body: JSON.stringify(world.subscribedEvent('c', 's1', 't')) }
      expect((await world.deliver('session.subscribed', [again])).batchItemFailures).toHaveLength(1)
      expect((await world.deliver('session.subscribed', delivery)).batchItemFailures).toEqual([])
      expect((await world.deliver('session.subscribed', [again])).batchItemFailures).toEqual([])
      const { live } = (await world.ports.topics.head('t'))!
      expect([...live.values()].map(({ catching }) => catching)).toEqual([undefined, undefined])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('a server-side subscriber goes on, too: by the retried connect, or by the next publish', async () => {
      await queued('m0', 'm1', 'm2')
      await world.operatorSubscribes('c', 't')
      const record = { messageId: 'con', body: JSON.stringify(world.connectedEvent('c', 's1')) }
      await world.deliver('client.connected', [record])
      world.device('c').script.push('acked', ...Array<SendOutcome>(20).fill('throttled'))
      expect((await world.deliver('session.created', [record], 20_000)).batchItemFailures).toHaveLength(1)
      world.device('c').script.length = 0
      await world.publish('t', 'm3')
      expect(got()).toEqual(['m0', 'm1', 'm2', 'm3'])
      await world.deliver('session.created', [record])
      expect(got()).toEqual(['m0', 'm1', 'm2', 'm3'])
      expect(await world.queue()).toEqual(EMPTY)
    })
  })

  describe('a push on publish', () => {
    beforeEach(async () => {
      await world.operatorSubscribes('c', 't')
      await world.connect('c', 's1')
    })

    it.each<[string, SendOutcome[], string[]]>([
      ['504: again until there is a PUBACK', ['silent', 'acked'], ['m0', 'm1']],
      ['429: again later', ['throttled', 'throttled'], ['m0', 'm1']],
    ])('%s, in order', async (_name, script, delivered) => {
      world.device('c').script.push(...script)
      await queued('m0', 'm1')
      expect(got()).toEqual(delivered)
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('404: stays pending for the next connect', async () => {
      world.wait(61_000)
      world.device('c').script.push('gone')
      await queued('m0')
      expect(await left()).toEqual(['m0'])
      await world.disconnect('c', 's1')
      await world.connect('c', 's2', 1)
      expect(got()).toEqual(['m0'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('413: stays pending, the next one is delivered', async () => {
      world.device('c').script.push('unsendable')
      await queued('m0', 'm1')
      expect(got()).toEqual(['m1'])
      expect(await left()).toEqual(['m0'])
    })

    it.each<[string, string, object, SendOutcome[]]>([
      ['a wildcard row, throttled', 'w/1', {}, ['throttled', 'unknown']],
      ['a wildcard row, right after the connect', 'w/1', {}, ['gone']],
      ['an exact row, QoS 0', 't', { user_properties: [{ qos: '0' }] }, ['throttled', 'unknown', 'gone']],
    ])('%s: nobody drains a queue for it, so the push is tried again', async (_name, topic, more, script) => {
      await world.operatorSubscribes('d', 'w/+')
      await world.operatorSubscribes('d', 't')
      await world.connect('d', 's1')
      world.device('d').script.push(...script)
      await world.publish(topic, 'x', more)
      expect(got('d')).toEqual(['x'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('... but not for ever: a client that never answers does not hold up the publish', async () => {
      await world.operatorSubscribes('d', 'w/+')
      await world.connect('d', 's1')
      world.device('d').script.push(...Array<SendOutcome>(50).fill('unknown'))
      await world.publish('w/1', 'x')
      expect(await left()).toEqual(['x'])
    })

    it('403 of a push leaves the message queued, and the publish is done: trying again would push it to the others again', async () => {
      world.device('c').script.push('forbidden')
      await world.publish('t', 'm0')
      expect(got('c')).toEqual([])
      expect(await left()).toEqual(['m0'])
    })

    it('one client without a right or a connection does not keep another from getting it', async () => {
      await world.operatorSubscribes('d', 't')
      await world.connect('d', 's1')
      world.device('c').script.push('forbidden', 'forbidden')
      await world.invoke('message.publish', world.publishEvent('t', 'm0'))
      expect(got('d')).toEqual(['m0'])
      expect(await left()).toEqual([])
    })
  })
})
