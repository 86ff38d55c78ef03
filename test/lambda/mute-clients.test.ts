/** I15: a client that does not acknowledge costs others nothing. Nobody waits long for it, and storing never waits. */
import type { SendOutcome } from '../../lambda/core/metrics.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

const UNANSWERED = 5_000
const MUTE = Array<SendOutcome>(500).fill('silent')

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine), { namespace: 'Test' })
  })
  const left = async () => (await world.scan('mqtt_msg')).map(({ payload }) => payload?.S).sort()
  const sends = () => world.calls.filter(({ call }) => call === 'SendDirectMessage').length
  const sendsOf = async (work: () => Promise<unknown>) => {
    const before = sends()
    await work()
    return sends() - before
  }
  const mute = async (clientid: string) => {
    await world.connect(clientid, 's1')
    world.device(clientid).script.push(...MUTE)
    world.whenSent(clientid, undefined, async () => world.wait(UNANSWERED))
  }
  const subscribedRecord = (receives: number) => ({ ...record, attributes: { ApproximateReceiveCount: `${receives}` } })
  let record: { messageId: string; body: string }
  const limits = () => world.logs.map((line) => JSON.parse(line)).filter(({ outcome }) => outcome === 'limited')

  describe('I15: a mute client that subscribes', () => {
    beforeEach(async () => {
      for (const payload of ['m0', 'm1']) await world.publish('t', payload)
      await mute('c')
      record = { messageId: 'sub', body: JSON.stringify(world.subscribedEvent('c', 's1', 't')) }
    })

    it('holds an invocation for two unanswered sends, once more at the next receive, then no more: its event ends without a dead letter', async () => {
      const began = world.now
      expect((await world.deliver('session.subscribed', [subscribedRecord(1)])).batchItemFailures).toHaveLength(1)
      expect(world.now - began).toBeLessThan(3 * UNANSWERED)
      expect(sends()).toBe(2)
      world.wait(130_000)
      expect((await world.deliver('session.subscribed', [subscribedRecord(2)])).batchItemFailures).toEqual([])
      expect(sends()).toBe(4)
      expect(await left()).toEqual(['m0', 'm1'])
    })

    it('costs later publishes nothing: neither while its event waits, nor when it is no subscriber any more', async () => {
      await world.deliver('session.subscribed', [subscribedRecord(1)])
      expect(await sendsOf(() => world.publish('t', 'm2', { timestamp: world.now - 60_000 }))).toBe(0)
      world.wait(130_000)
      await world.deliver('session.subscribed', [subscribedRecord(2)])
      expect(await world.live()).toEqual([])
      expect(await sendsOf(() => world.publish('t', 'm3', { timestamp: world.now - 200_000 }))).toBe(0)
      expect(world.undelivered).toEqual([])
    })

    it('gets everything, oldest first, when it comes again (I2)', async () => {
      await world.deliver('session.subscribed', [subscribedRecord(1)])
      world.wait(130_000)
      await world.deliver('session.subscribed', [subscribedRecord(2)])
      world.device('c').script.length = 0
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(['m0', 'm1'])
    })

    it('says which limit was hit, whose, and what happens next; a metric counts it', async () => {
      for (const receives of [1, 2]) await world.deliver('session.subscribed', [subscribedRecord(receives)])
      expect(limits()).toEqual([
        expect.objectContaining({ code: 'unanswered-sends', client: 'c', topic: 't', error: expect.stringMatching(/next receive$/) }),
        expect.objectContaining({
          code: 'client-silent',
          client: 'c',
          topic: 't',
          error: expect.stringMatching(/subscribes or connects again$/),
        }),
      ])
      expect(world.logs.filter((line) => line.includes('"limit_reached":1'))).toHaveLength(2)
    })

    it('what IoT Core fails with is no silence: it stays a subscriber, however often its event is tried', async () => {
      world.device('c').script.splice(0, MUTE.length, ...Array<SendOutcome>(8).fill('unknown'))
      for (const receives of [1, 2, 3, 4]) {
        expect((await world.deliver('session.subscribed', [subscribedRecord(receives)])).batchItemFailures).toHaveLength(1)
        world.wait(130_000)
      }
      expect((await world.deliver('session.subscribed', [subscribedRecord(5)])).batchItemFailures).toEqual([])
      expect(world.device('c').got).toEqual(['m0', 'm1'])
    })

    it.each<[string, () => Promise<void>]>([
      ['UNSUBSCRIBE', () => world.unsubscribe('c', 's1', 't')],
      ['its disconnect', () => world.disconnect('c', 's1')],
    ])('is sent nothing more after %s, in the middle of a delivery', async (_end, ends) => {
      world.device('c').script.length = 0
      let first = true
      world.whenSent('c', 'm0', async () => {
        if (first) await ends()
        first = false
      })
      expect((await world.deliver('session.subscribed', [subscribedRecord(1)])).batchItemFailures).toEqual([])
      expect(world.device('c').got).toEqual(['m0'])
      expect(await left()).toEqual(['m1'])
    })
  })

  it('I15: a mute wildcard row costs one publish two sends, and no later one anything', async () => {
    await world.operatorSubscribes('c', 'w/+')
    await mute('c')
    expect(await sendsOf(() => world.publish('w/1', 'x'))).toBe(2)
    expect(await sendsOf(() => world.publish('w/1', 'y', { user_properties: [{ qos: '0' }] }))).toBe(0)
    expect(await sendsOf(() => world.publish('w/1', 'z'))).toBe(0)
    expect(await left()).toEqual(['x', 'z'])
  })

  it('I15: retained messages for a mute client end after two sends at each of two receives', async () => {
    for (const topic of ['r/1', 'r/2']) {
      world.native.set(topic, { payload: Buffer.from('x'), qos: 1, lastModified: world.now })
      await world.publish(topic, 'x')
    }
    await mute('c')
    record = { messageId: 'sub', body: JSON.stringify(world.subscribedEvent('c', 's1', 'r/+')) }
    expect((await world.deliver('session.subscribed', [subscribedRecord(1)])).batchItemFailures).toHaveLength(1)
    expect((await world.deliver('session.subscribed', [subscribedRecord(2)])).batchItemFailures).toEqual([])
    expect(sends()).toBe(4)
    expect(limits().map(({ code }) => code)).toEqual(['unanswered-sends', 'client-silent'])
  })

  describe('I15: storing never waits for delivering', () => {
    it('20 mute server-side subscribers: a publish is stored and named, and handled, before anything is sent', async () => {
      for (let i = 0; i < 20; i++) {
        await world.operatorSubscribes(`c${i}`, 't')
        await mute(`c${i}`)
      }
      world.holdsDeliveries = true
      const began = world.now
      await world.publish('t', 'x')
      expect(sends()).toBe(0)
      expect(world.now - began).toBeLessThan(1_000)
      expect((await world.queue()).named).toEqual((await world.queue()).stored)
      await world.redeliver()
      expect(sends()).toBeGreaterThanOrEqual(20)
    })

    it('a topic to whose subscribers we need not send requests nothing', async () => {
      await world.connect('n', 's1')
      await world.subscribe('n', 's1', 't')
      world.wait(5_000)
      world.calls.length = 0
      await world.publish('t', 'x')
      expect(world.calls.map(({ call }) => call)).not.toContain('SendMessage')
    })

    it('I1: a publish whose request fails is tried again, and requests its delivery then', async () => {
      await world.operatorSubscribes('c', 't')
      await world.connect('c', 's1')
      jest.spyOn(world.ports.deliveries, 'request').mockRejectedValueOnce(new Error('SQS is away'))
      const event = { messageId: 'p', body: JSON.stringify(world.publishEvent('t', 'x')) }
      expect((await world.deliver('message.publish', [event])).batchItemFailures).toHaveLength(1)
      expect((await world.deliver('message.publish', [event])).batchItemFailures).toEqual([])
      expect(world.device('c').got).toEqual(['x'])
      expect(await left()).toEqual([])
    })

    it('a delivery that is handed out twice sends once: who acknowledged has taken the message off', async () => {
      await world.operatorSubscribes('c', 't')
      await world.connect('c', 's1')
      world.holdsDeliveries = true
      await world.publish('t', 'x')
      const [one] = world.undelivered
      await world.deliver('session.subscribed', [one!])
      await world.deliver('session.subscribed', [{ ...one!, messageId: 'copy' }])
      expect(world.device('c').got).toEqual(['x'])
    })
  })
})
