/** Tables that EMQX has written are taken over as they are. */
import { encodeMsgid } from '../../lambda/core/msgid.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { type Item, rowsWith, World } from '../support/world.ts'

const EARLIER = 1_562_308_553
const emqxId = (n: number) => encodeMsgid({ micros: BigInt(EARLIER) * 1_000_000n + BigInt(n), node: 0xf8_4e_00_00_12n, sequence: 1 })
const emqxMessage = (n: number, topic = 't'): Item => ({
  msgid: { S: emqxId(n) },
  topic: { S: topic },
  sender: { S: 'mqttjs_231b962d5c' },
  qos: { N: '1' },
  retain: { N: '0' },
  payload: { S: `emqx ${n}` },
  arrived: { N: `${EARLIER}` },
})

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })
  const mapRow = (count: number): Item => ({ topic: { S: 't' }, MsgId: { SS: Array.from({ length: count }, (_, i) => emqxId(i)) } })
  const givenQueue = async (count: number) => {
    for (let i = 0; i < count; i++) await world.put('mqtt_msg', emqxMessage(i))
    await world.put('mqtt_topic_msg_map', mapRow(count))
  }
  const emqx = (count: number) => Array.from({ length: count }, (_, i) => `emqx ${i}`)
  const EMPTY = { named: [], stored: [] }

  it.each([1, 40])('I2: a map row of {topic, MsgId} with %d ids is delivered oldest first', async (count) => {
    await givenQueue(count)
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    expect(world.device('c').got).toEqual(emqx(count))
    expect(await world.queue()).toEqual(EMPTY)
  })

  it('new publishes join it, behind what was there, and seal it', async () => {
    await givenQueue(40)
    for (let i = 0; i < 3; i++) await world.publish('t', `new ${i}`)
    expect(Number((await world.row('mqtt_topic_msg_map', 't'))?.seq?.N)).toBe(1)
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    expect(world.device('c').got).toEqual([...emqx(40), 'new 0', 'new 1', 'new 2'])
    expect(await world.queue()).toEqual(EMPTY)
  })

  it('a server-side subscriber is caught up from it, and handed over', async () => {
    await givenQueue(3)
    await world.operatorSubscribes('c', 't', 2)
    await world.connect('c', 's1')
    await world.publish('t', 'new')
    expect(world.device('c').got).toEqual([...emqx(3), 'new'])
    expect((await world.row('mqtt_topic_msg_map', 't'))?.live?.M?.c?.M?.catching).toBeUndefined()
  })

  it('an ack from the ack topic finds its message', async () => {
    await givenQueue(2)
    await world.operatorSubscribes('c', 't')
    await world.handle('message.acked', world.ackEvent('c', { msgid: emqxId(0) }))
    expect(await world.queue()).toEqual({ named: [emqxId(1)], stored: [emqxId(1)] })
  })

  describe('mqtt_retain without event_id', () => {
    const given = async () => world.put('mqtt_retain', { ...emqxMessage(0), retain: { N: '1' } })

    it('is delivered, exact and, by a scan, for a wildcard', async () => {
      await given()
      const scanning = new World(engine, world.tables, { retainIndex: false })
      await scanning.connect('c', 's1')
      await scanning.subscribe('c', 's1', 't')
      await scanning.subscribe('c', 's1', '+')
      expect(scanning.device('c').got).toEqual(['emqx 0', 'emqx 0'])
    })

    it('gives way to a new one', async () => {
      await given()
      world.native.set('t', { payload: Buffer.from('new'), qos: 1, lastModified: world.now })
      await world.publish('t', 'new')
      expect(await world.row('mqtt_retain', 't')).toMatchObject({ payload: { S: 'new' }, event_id: { S: expect.any(String) } })
    })

    it('is cleared', async () => {
      await given()
      await world.publish('t', '')
      expect(await world.scan('mqtt_retain')).toEqual([])
    })
  })

  it('mqtt_sub rows, which operators wrote, are server-side subscriptions', async () => {
    await world.put('mqtt_sub', { qos: { N: '2' }, topic: { S: 'test-dynamo-sub' }, clientid: { S: 'test-dynamo' } })
    await world.connect('test-dynamo', 's1')
    await world.publish('test-dynamo-sub', 'x')
    expect(world.device('test-dynamo').got).toEqual(['x'])
  })

  it('mqtt_client without a session: who subscribes then is not taken for gone', async () => {
    const row = {
      clientid: { S: 'c' },
      node: { S: 'emqx@127.0.0.1' },
      connect_state: { N: '0' },
      online_at: { N: `${EARLIER}` },
      offline_at: { N: '1900000000' },
    }
    await world.put('mqtt_client', row)
    await givenQueue(1)
    const connected = world.connectedEvent('c', 's1')
    await world.subscribe('c', 's1', 't')
    expect(world.device('c').got).toEqual(['emqx 0'])
    await world.handleConnected(connected)
    expect((await world.row('mqtt_client', 'c'))?.connect_state).toEqual({ N: '1' })
    expect(await world.live()).toEqual(['t c'])
  })

  describe.each([
    ['3.x, in seconds', EARLIER],
    ['4.x, in milliseconds', EARLIER * 1000],
  ])('rows of EMQX %s', (_, time) => {
    const written = (n: number): Item => ({ ...emqxMessage(n), arrived: { N: `${time}` } })
    const client = (clientid: string, state: 0 | 1): Item => ({
      clientid: { S: clientid },
      node: { S: 'emqx@127.0.0.1' },
      connect_state: { N: `${state}` },
      online_at: { N: `${time}` },
      offline_at: { N: state === 1 ? '0' : `${time}` },
    })

    it('I2, I3: queued messages are delivered, acknowledged and gone', async () => {
      for (const n of [0, 1]) await world.put('mqtt_msg', written(n))
      await world.put('mqtt_topic_msg_map', mapRow(2))
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(emqx(2))
      expect(await world.queue()).toEqual(EMPTY)
      expect((await world.row('mqtt_acked', 't', 'c'))?.msgid).toEqual({ S: emqxId(1) })
    })

    it('a retained message is delivered', async () => {
      await world.put('mqtt_retain', { ...written(0), retain: { N: '1' } })
      await world.connect('c', 's1')
      await world.subscribe('c', 's1', 't')
      expect(world.device('c').got).toEqual(['emqx 0'])
    })

    it('neither expires, nor falls out of a time_range that reaches back to it', async () => {
      const range = (world.now - EARLIER * 1000) / 1000 + 60
      const row = { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_queue' } as const
      const ranged = new World(engine, world.tables, { rows: rowsWith({ ...row, offlineOpts: { timeRange: range } }), expiredAfter: 60 })
      await ranged.put('mqtt_msg', written(0))
      await ranged.put('mqtt_topic_msg_map', mapRow(1))
      await ranged.connect('c', 's1')
      await ranged.subscribe('c', 's1', 't')
      expect(ranged.device('c').got).toEqual(['emqx 0'])
    })

    it.each([0, 1] as const)(
      'I6: presence of a client that was left with connect_state %d follows its first events, in seconds',
      async (state) => {
        await world.put('mqtt_client', client('c', state))
        await world.connect('c', 's1')
        const seconds = { N: expect.stringMatching(/^\d{10}$/) }
        expect(await world.row('mqtt_client', 'c')).toMatchObject({ connect_state: { N: '1' }, online_at: seconds, offline_at: { N: '0' } })
        await world.disconnect('c', 's1')
        expect(await world.row('mqtt_client', 'c')).toMatchObject({ connect_state: { N: '0' }, online_at: seconds, offline_at: seconds })
      },
    )

    it('who subscribes when only the disconnect of an earlier session came is not taken for gone', async () => {
      await world.put('mqtt_client', client('c', 1))
      await world.disconnect('c', 's1')
      await world.put('mqtt_msg', written(0))
      await world.put('mqtt_topic_msg_map', mapRow(1))
      const connected = world.connectedEvent('c', 's2')
      await world.subscribe('c', 's2', 't')
      expect(world.device('c').got).toEqual(['emqx 0'])
      await world.handleConnected(connected)
      expect(await world.live()).toEqual(['t c'])
    })
  })

  it('an id that is no msgid does not stop the queue', async () => {
    await world.put('mqtt_topic_msg_map', { topic: { S: 't' }, MsgId: { SS: [emqxId(0), 'not an id'] } })
    await world.put('mqtt_msg', emqxMessage(0))
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    expect(world.device('c').got).toEqual(['emqx 0'])
  })
})
