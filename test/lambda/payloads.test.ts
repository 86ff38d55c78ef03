/** Payloads and MQTT 5 properties: what goes in comes out, byte for byte. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

const BINARY = Buffer.from([0, 255, 254, 0xc3, 0x28, 10])

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })
  const delivered = async () => {
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    return world.device('c').messages.map(({ message }) => message)
  }

  it.each([
    ['text', Buffer.from('{ "msg": "Hello, World!" }'), 'S'],
    ['text beyond ASCII', Buffer.from('ünï 客户端 🦊'), 'S'],
    ['U+0000', Buffer.from('a\0b'), 'S'],
    ['nothing', Buffer.alloc(0), 'S'],
    ['bytes that are no UTF-8', BINARY, 'B'],
    ['an overlong encoding', Buffer.from([0xc0, 0x80]), 'B'],
    ['a UTF-16 surrogate', Buffer.from([0xed, 0xa0, 0x80]), 'B'],
    ['128 KB of text', Buffer.alloc(128 * 1024, 'x'), 'S'],
    ['128 KB of bytes', Buffer.alloc(128 * 1024, 255), 'B'],
  ])('%s', async (_name, payload, type) => {
    await world.publish('t', payload)
    expect(Object.keys((await world.scan('mqtt_msg'))[0]?.payload ?? {})).toEqual([type])
    const [message] = await delivered()
    expect(message?.payload.equals(payload)).toBe(true)
  })

  it('MQTT 5 properties come back as they were sent: order, repetitions, empty values', async () => {
    const user = [{ a: '1' }, { b: '' }, { a: '2' }, { ünï: '客户端' }]
    const more = {
      content_type: 'application/json',
      format_indicator: 'UTF8_DATA',
      response_topic: 'reply/42',
      correlation_data: 'AAEC',
    }
    await world.publish('t', '{}', { ...more, user_properties: user })
    const row = (await world.scan('mqtt_msg'))[0]
    expect(row).toMatchObject({
      content_type: { S: 'application/json' },
      payload_format: { S: 'UTF8_DATA' },
      response_topic: { S: 'reply/42' },
      correlation_data: { S: 'AAEC' },
    })
    const [message] = await delivered()
    expect(message?.properties).toEqual({
      user: [
        ['a', '1'],
        ['b', ''],
        ['a', '2'],
        ['ünï', '客户端'],
      ],
      contentType: 'application/json',
      payloadFormat: 'UTF8_DATA',
      responseTopic: 'reply/42',
      correlationData: 'AAEC',
    })
  })

  it('a message without properties has none of their attributes', async () => {
    await world.publish('t', 'x')
    expect(Object.keys((await world.scan('mqtt_msg'))[0] ?? {}).sort()).toEqual(
      ['arrived', 'msgid', 'payload', 'qos', 'retain', 'sender', 'topic'].sort(),
    )
  })

  it('a retained message keeps bytes and properties, too', async () => {
    world.native.set('t', { payload: BINARY, qos: 1, lastModified: world.now })
    await world.publish('t', BINARY, { content_type: 'application/octet-stream' })
    expect(await world.row('mqtt_retain', 't')).toMatchObject({
      payload: { B: expect.anything() },
      content_type: { S: 'application/octet-stream' },
    })
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', '#')
    const { message } = world.device('c').messages[0]!
    expect([message.payload.equals(BINARY), message.properties.contentType]).toEqual([true, 'application/octet-stream'])
  })
})
