/** The rows of the six tables, attribute by attribute as on EMQX's page, and what we add to them. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { attributesOf, World } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })

  const PRESENCE = ['clientid', 'node', 'connect_state', 'online_at', 'offline_at']
  const MESSAGE = ['msgid', 'topic', 'sender', 'qos', 'retain', 'payload', 'arrived']

  describe('mqtt_client', () => {
    it('a row that EMQX left is taken over by whatever comes next', async () => {
      const emqx = { clientid: { S: 'c' }, node: { S: 'emqx@127.0.0.1' }, connect_state: { N: '1' }, online_at: { N: '1562224940' } }
      await world.put('mqtt_client', { ...emqx, offline_at: { N: '0' } })
      await world.disconnect('c', 's1')
      expect(attributesOf(await world.row('mqtt_client', 'c'), ...PRESENCE)).toEqual({
        ...emqx,
        connect_state: { N: '0' },
        offline_at: { N: '1800000000' },
      })
      await world.connect('c', 's2', 1)
      expect(attributesOf(await world.row('mqtt_client', 'c'), 'node', 'connect_state')).toEqual({
        node: { S: 'aws-iot@us-west-2' },
        connect_state: { N: '1' },
      })
    })
  })

  describe('mqtt_msg and mqtt_topic_msg_map', () => {
    it("on_message_publish writes the page's seven attributes and names the id in MsgId, a string set", async () => {
      await world.publish('test', '{ "msg": "Hello, World!" }', { clientid: 'mqttjs_231b962d5c' })
      const [message] = await world.scan('mqtt_msg')
      expect(message).toEqual({
        msgid: { S: expect.stringMatching(/^[A-Za-z0-8]{47}$/) },
        topic: { S: 'test' },
        sender: { S: 'mqttjs_231b962d5c' },
        qos: { N: '1' },
        retain: { N: '0' },
        payload: { S: '{ "msg": "Hello, World!" }' },
        arrived: { N: '1800000000' },
      })
      const head = await world.row('mqtt_topic_msg_map', 'test')
      expect(attributesOf(head, 'topic', 'MsgId')).toEqual({ topic: { S: 'test' }, MsgId: { SS: [message?.msgid?.S] } })
    })

    it('an HTTP publish has no client id', async () => {
      await world.publish('test', 'x', { clientid: 'n/a', traceid: undefined })
      expect((await world.scan('mqtt_msg'))[0]?.sender).toEqual({ S: 'n/a' })
    })
  })

  it('on_message_retain writes mqtt_retain: the seven attributes, retain 1, and what orders and finds it', async () => {
    const event = world.publishEvent('testtopic', 'test', { clientid: 'mqttjs_d0513acfce' })
    world.native.set('testtopic', { payload: Buffer.from('test'), qos: 0, lastModified: world.now })
    await world.handle('message.publish', event)
    const row = await world.row('mqtt_retain', 'testtopic')
    expect(attributesOf(row, ...MESSAGE)).toEqual({
      msgid: { S: expect.stringMatching(/^[A-Za-z0-8]{47}$/) },
      topic: { S: 'testtopic' },
      sender: { S: 'mqttjs_d0513acfce' },
      qos: { N: '0' },
      retain: { N: '1' },
      payload: { S: 'test' },
      arrived: { N: '1800000000' },
    })
    const { root, event_at, event_id, ...others } = row!
    expect({ root, event_at, event_id }).toEqual({
      root: { S: 'testtopic' },
      event_at: { N: '1800000000000' },
      event_id: { S: expect.stringMatching(/^[0-9a-f]{32}$/) },
    })
    expect(Object.keys(others).sort()).toEqual([...MESSAGE].sort())
  })

  it('on_message_acked_for_queue writes mqtt_acked {topic, clientid, msgid}, and when', async () => {
    await world.publish('test', 'x')
    const [message] = await world.scan('mqtt_msg')
    await world.connect('mqttjs_861e582a70', 's1')
    await world.subscribe('mqttjs_861e582a70', 's1', 'test')
    expect(await world.scan('mqtt_acked')).toEqual([
      { topic: { S: 'test' }, clientid: { S: 'mqttjs_861e582a70' }, msgid: message?.msgid, acked_at: { N: expect.any(String) } },
    ])
  })

  it('a subscribed event writes mqtt_sub with the filter as sent, its origin, session and since', async () => {
    await world.connect('test-dynamo', 's1')
    await world.subscribe('test-dynamo', 's1', 'test-dynamo-sub', '$share/g/a/+')
    expect(await world.row('mqtt_sub', 'test-dynamo', 'test-dynamo-sub')).toEqual({
      clientid: { S: 'test-dynamo' },
      topic: { S: 'test-dynamo-sub' },
      qos: { N: '1' },
      granted: { N: '1' },
      origin: { S: 'client' },
      session: { S: 's1' },
      since: { N: '1800000000001' },
    })
    expect(await world.row('mqtt_sub', 'test-dynamo', '$share/g/a/+')).toMatchObject({ origin: { S: 'client' } })
  })
})
