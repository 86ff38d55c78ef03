/** A sender that asked for a receipt is told who acknowledged its message: after the PUBACK, once, beside the delivery. */
import { setTimeout } from 'node:timers/promises'
import type { SendOutcome } from '../../lambda/core/metrics.ts'
import { unrecorded } from '../support/call-log.ts'
import { createTables, forEachEngine, itBilled } from '../support/engines.ts'
import { type Row, rowsWith, World, type WorldOptions } from '../support/world.ts'

const ASKS = { response_topic: 'replies/publisher', correlation_data: 'MTIz', user_properties: [{ receipt: '1' }] }
const KEPT: readonly Row[] = [
  { hook: 'session.subscribed', topic: 'kept', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: 'kept', action: 'on_message_acked_for_pubsub' },
]
const HISTORY: Row = { hook: 'message.publish', topic: 't', action: 'on_message_store' }

forEachEngine((engine) => {
  let world: World
  const begin = async (options: WorldOptions = {}) => {
    world = new World(engine, await createTables(engine), options)
    await world.connect('publisher', 'p1')
  }
  beforeEach(() => begin())
  const command = (payload: string, more: object = ASKS) => world.publish('t', payload, more)
  const receipts = (sender = 'publisher') =>
    world
      .device(sender)
      .messages.map(({ message, topic }) => ({ topic, ...message.properties, payload: JSON.parse(message.payload.toString()) }))
  const come = async (c: string, filter = 'durable/t') => {
    await world.connect(c, `${c}1`)
    await world.subscribe(c, `${c}1`, filter)
  }
  const logged = (code: string) => world.logs.map((line) => JSON.parse(line)).filter((line) => line.code === code)
  const EMPTY = { named: [], stored: [] }

  describe('a message that asks for a receipt', () => {
    it('is answered to its sender on the response topic, with its correlation data, its id, topic, client and time', async () => {
      await command('open')
      const [msgid] = (await world.queue()).stored
      await come('door')
      expect(receipts()).toEqual([
        {
          topic: 'replies/publisher',
          user: [],
          contentType: 'application/json',
          payloadFormat: '1',
          correlationData: 'MTIz',
          payload: { msgid, topic: 't', clientid: 'door', acked_at: expect.any(Number) },
        },
      ])
      expect(world.device('door').got).toEqual(['open'])
      expect(await world.queue()).toEqual(EMPTY)
    })

    it('is answered when a durable subscriber, an operator’s row’s client, or a native one has it by a direct message', async () => {
      await come('door')
      await command('live')
      await world.operatorSubscribes('server', 's')
      await world.connect('server', 's1')
      await world.publish('s', 'pushed', ASKS)
      await world.publish('q', 'queued', ASKS)
      await come('native', 'q')
      expect(receipts().map(({ payload }) => payload.clientid)).toEqual(['door', 'server', 'native'])
    })

    it('is answered for each of the operator’s rows’ clients that acknowledged it, and not for who listens by a durable wildcard', async () => {
      for (const c of ['one', 'two']) {
        await world.operatorSubscribes(c, 't')
        await world.connect(c, `${c}1`)
      }
      await come('audit', 'durable/#')
      await command('open')
      expect(world.device('audit').got).toEqual(['open'])
      expect(
        receipts()
          .map(({ payload }) => payload.clientid)
          .sort(),
      ).toEqual(['one', 'two'])
    })

    it('is answered by each subscriber of a topic that is kept for many', async () => {
      await begin({ rows: [...rowsWith(), ...KEPT], expiredAfter: 3_600 })
      for (const c of ['one', 'two']) await come(c, 'durable/kept')
      await world.publish('kept', 'news', ASKS)
      expect(world.device('one').got).toEqual(['news'])
      expect(
        receipts()
          .map(({ payload }) => payload.clientid)
          .sort(),
      ).toEqual(['one', 'two'])
    })

    it('is not answered before the PUBACK', async () => {
      await come('door')
      world.device('door').script.push(...Array<SendOutcome>(20).fill('silent'))
      await command('open')
      expect(receipts()).toEqual([])
      world.device('door').script.length = 0
      await world.redeliver()
      await world.subscribe('door', 'door1', 'durable/t')
      expect(receipts()).toHaveLength(1)
    })

    it('is answered once more, with its own time, where a lost PUBACK brought it twice', async () => {
      await come('door')
      await command('open')
      const removeIds = jest.spyOn(world.ports.topics, 'removeIds').mockRejectedValueOnce(new Error('the function died'))
      const remove = jest.spyOn(world.ports.messages, 'remove').mockResolvedValueOnce(undefined)
      await command('close')
      await world.redeliver()
      expect([removeIds.mock.calls.length, remove.mock.calls.length]).toEqual([2, 2])
      const of = receipts().map(({ payload: { acked_at, ...rest } }) => JSON.stringify(rest))
      expect([of.length, new Set(of).size]).toEqual([3, 2])
    })
  })

  describe('the sender', () => {
    it('that does not acknowledge is tried twice in a delivery, and nothing else waits for it', async () => {
      await command('m0')
      await command('m1')
      world.device('publisher').script.push('silent', 'silent')
      await come('door')
      expect(world.device('door').got).toEqual(['m0', 'm1'])
      expect(await world.queue()).toEqual(EMPTY)
      expect(receipts()).toEqual([])
      expect(world.device('publisher').script).toEqual([])
      expect(logged('receipt-unsent')).toHaveLength(1)
    })

    it('gets it at the second try where its quota was exceeded', async () => {
      world.device('publisher').script.push('throttled')
      await command('m0')
      await come('door')
      expect(receipts()).toHaveLength(1)
    })

    it.each<SendOutcome>(['gone', 'forbidden', 'unsendable'])('is not tried again where the answer is %s', async (outcome) => {
      await command('m0')
      world.device('publisher').script.push(outcome)
      await come('door')
      expect(receipts()).toEqual([])
      expect(logged('receipt-unsent')).toEqual([
        expect.objectContaining({ level: 'warn', client: 'publisher', topic: 'replies/publisher', outcome: 'ignored' }),
      ])
    })

    it('never fails a delivery, whatever becomes of its receipt', async () => {
      await command('m0')
      const send = world.ports.device.send
      jest.spyOn(world.ports.device, 'send').mockImplementation((clientid, ...rest) => {
        if (clientid === 'publisher') throw new Error('no such host')
        return send(clientid, ...rest)
      })
      await come('door')
      expect(await world.queue()).toEqual(EMPTY)
      expect(await world.row('mqtt_topic_msg_map', 't')).not.toHaveProperty('dispatch')
    })

    it('is not waited for while the queue is leased: others deliver meanwhile', async () => {
      await command('m0')
      const isLeased = async () => (await world.row('mqtt_topic_msg_map', 't'))?.dispatch !== undefined
      let leased: boolean | undefined
      const send = world.ports.device.send
      jest.spyOn(world.ports.device, 'send').mockImplementation(async (clientid, ...rest) => {
        for (let i = 0; clientid === 'publisher' && leased !== false && i < 500; i++) {
          await setTimeout(10)
          leased = await unrecorded(isLeased)
        }
        return send(clientid, ...rest)
      })
      await come('door')
      expect(leased).toBe(false)
    })

    it('that published over HTTP is no client, and gets none', async () => {
      await command('m0', { ...ASKS, clientid: 'n/a' })
      await come('door')
      expect(world.calls.filter(({ call }) => call === 'SendDirectMessage')).toHaveLength(1)
    })
  })

  describe('the history', () => {
    beforeEach(() => begin({ rows: [...rowsWith(), HISTORY] }))
    const rowOf = async (payload: string) => (await world.scan('mqtt_msg')).find((row) => row.payload?.S === payload)

    it('tells a sender that was away who acknowledged its message, and when', async () => {
      await command('open')
      await world.disconnect('publisher', 'p1')
      await come('door')
      expect(receipts()).toEqual([])
      const { acked_at } = (await world.row('mqtt_acked', 't', 'door'))!
      expect(await rowOf('open')).toMatchObject({ acked_by: { S: 'door' }, acked_at: acked_at! })
    })

    it('names nobody on a topic kept for many, where each of several acknowledges: each has a read position', async () => {
      await begin({ rows: [...rowsWith(), ...KEPT, { ...HISTORY, topic: 'kept' }], expiredAfter: 86_400 })
      for (const c of ['one', 'two']) await come(c, 'durable/kept')
      await world.publish('kept', 'news', ASKS)
      const row = await rowOf('news')
      expect(row).toBeDefined()
      expect(row).not.toHaveProperty('acked_by')
      for (const c of ['one', 'two']) expect((await world.row('mqtt_acked', 'kept', c))?.msgid).toEqual(row!.msgid)
    })

    it('keeps the first acknowledgement, and tells none of a message that did not ask (I4)', async () => {
      await command('open')
      await command('plain', {})
      await come('door')
      const [before, plain] = [await rowOf('open'), await rowOf('plain')]
      expect(plain).not.toHaveProperty('acked_by')
      await world.ports.messages.noteAcked(before!.msgid!.S!, { clientid: 'other', at: 1 })
      await world.ports.messages.noteAcked('gone', { clientid: 'other', at: 1 })
      expect(await rowOf('open')).toEqual(before)
      expect(await world.row('mqtt_msg', 'gone')).toBeUndefined()
    })
  })

  describe('mqtt_acked', () => {
    it('has the time of a PUBACK and of an ack on the ack topic', async () => {
      await command('open', {})
      const before = world.now
      await come('door')
      expect(Number((await world.row('mqtt_acked', 't', 'door'))?.acked_at?.N)).toBeGreaterThanOrEqual(before)

      await world.operatorSubscribes('acker', 'a')
      await world.publish('a', 'm')
      const [msgid] = (await world.queue()).stored
      world.wait(10_000)
      const event = world.ackEvent('acker', msgid)
      await world.handle('message.acked', event)
      expect((await world.row('mqtt_acked', 'a', 'acker'))?.acked_at?.N).toBe(`${event.timestamp}`)
    })

    it('has none for what is inferred: nobody saw an acknowledgement', async () => {
      await come('native', 't')
      world.wait(10_000)
      await command('m0')
      world.wait(60_000)
      await world.disconnect('native', 'native1')
      const row = await world.row('mqtt_acked', 't', 'native')
      expect(row).toBeDefined()
      expect(row).not.toHaveProperty('acked_at')
    })
  })

  describe('a message that asks for none', () => {
    const callsOf = async (more: object) => {
      await begin()
      const before = world.calls.length
      await command('x'.repeat(100), more)
      await come('door')
      await command('x'.repeat(100), more)
      return world.calls.slice(before)
    }

    itBilled(engine)('costs the same calls and write units; a receipt costs one direct message and nothing else', async () => {
      const plain = await callsOf({})
      const asking = await callsOf(ASKS)
      const counted = (calls: typeof plain) => calls.map(({ hook, call, writeUnits }) => `${hook} ${call} ${writeUnits}`).sort()
      const sends = (calls: typeof plain) => calls.filter(({ call }) => call === 'SendDirectMessage').length
      expect([sends(plain), sends(asking)]).toEqual([2, 4])
      const others = (calls: typeof plain) => counted(calls.filter(({ call }) => call !== 'SendDirectMessage'))
      expect(others(asking)).toEqual(others(plain))
      expect(plain.filter(({ call }) => call === 'mqtt_acked:PutItem').map(({ writeUnits }) => writeUnits)).toEqual([1, 1])
    })
  })

  describe('refuses, with a log line, and delivers the message', () => {
    it.each([
      ['a response topic of IoT Core', { response_topic: '$aws/things/x/shadow/update' }, 'it starts with "$"'],
      ['one with a wildcard', { response_topic: 'replies/#' }, 'a wildcard at character 9, wanted a plain name'],
      ['an empty one', { response_topic: '' }, 'there is none'],
      ['one that is too long', { response_topic: 'r'.repeat(257) }, '257 bytes, wanted at most 256'],
      ['one of too many levels', { response_topic: 'a/b/c/d/e/f/g/h/i' }, '8 slashes, wanted at most 7'],
      ['none at all', { response_topic: undefined }, 'there is none'],
      ['another value', { user_properties: [{ receipt: 'true' }] }, 'user property receipt is "true", wanted 1'],
    ])('%s', async (_, more, why) => {
      await command('open', { ...ASKS, ...more })
      await come('door')
      expect(world.device('door').got).toEqual(['open'])
      expect(world.device('publisher').messages).toEqual([])
      expect(logged('bad-property')).toEqual([expect.objectContaining({ error: expect.stringContaining(why) })])
    })
  })
})
