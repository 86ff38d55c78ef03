import fc from 'fast-check'
import { BackendError } from '../../../lambda/core/errors.ts'
import { parseAck } from '../../../lambda/core/events/ack-events.ts'
import { parseConnected, parseDisconnected, parseSubscriptionChange } from '../../../lambda/core/events/lifecycle-events.ts'
import { parsePublish, userProperty } from '../../../lambda/core/events/publish-events.ts'

const MSGID = 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTD'
const OTHER_MSGID = 'Mjg4MTk1NzE3MTY4MjYxMjA5MDExMDg0NTk5ODgzMjAyNTH'
const UUID = '01234567-89ab-4def-8000-ffffffffffff'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const badEvent = (field: string) => expect.objectContaining({ code: 'bad-event', message: expect.stringContaining(field) })
const badAck = (field: string) => expect.objectContaining({ code: 'bad-ack', message: expect.stringContaining(field) })

/** As in the developer guide, "Lifecycle events". */
const connected = {
  clientId: 'sensor/1',
  timestamp: 1573002230757,
  eventType: 'connected',
  sessionIdentifier: 'a4666d2a7d844ae4ac5d7b38c9cb7967',
  principalIdentifier: '12345678901234567890123456789012',
  ipAddress: '192.0.2.0',
  versionNumber: 0,
}
const { ipAddress: _, ...withoutIp } = connected
const disconnected = {
  ...withoutIp,
  eventType: 'disconnected',
  clientInitiatedDisconnect: true,
  disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
}
const subscribed = { ...withoutIp, eventType: 'subscribed', versionNumber: undefined, topics: ['a/b', '$share/g/#'] }
const publish = {
  topic: 'a/b',
  clientid: 'p1',
  timestamp: 1573002230757,
  traceid: UUID,
  uuid: UUID.replace('0', 'f'),
  payload: base64('hello'),
}
const ack = (payload: unknown, fields = {}) => ({
  topic: 'acked/c1',
  clientid: 'c1',
  timestamp: 1573002230757,
  payload: base64(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  ...fields,
})

describe('a connected event', () => {
  test('becomes a connection with its address', () => {
    expect(parseConnected(connected)).toEqual({
      clientid: 'sensor/1',
      session: 'a4666d2a7d844ae4ac5d7b38c9cb7967',
      version: 0,
      at: 1573002230757,
      ip: '192.0.2.0',
    })
  })

  test('needs no address and minds no field that AWS may add', () => {
    expect(parseConnected({ ...withoutIp, somethingNew: { deep: true } })).not.toHaveProperty('ip')
  })

  test.each([
    ['clientId', { clientId: undefined }],
    ['clientId', { clientId: '' }],
    ['clientId', { clientId: 7 }],
    ['clientId', { clientId: 'ü'.repeat(65) }],
    ['clientId', { clientId: 'a\0b' }],
    ['clientId', { clientId: '\ud800' }],
    ['sessionIdentifier', { sessionIdentifier: '' }],
    ['sessionIdentifier', { sessionIdentifier: null }],
    ['versionNumber', { versionNumber: undefined }],
    ['versionNumber', { versionNumber: -1 }],
    ['versionNumber', { versionNumber: 1.5 }],
    ['versionNumber', { versionNumber: '3' }],
    ['timestamp', { timestamp: 0 }],
    ['timestamp', { timestamp: '1573002230757' }],
    ['timestamp', { timestamp: 1e300 }],
    ['ipAddress', { ipAddress: 7 }],
    ['eventType', { eventType: 'disconnected' }],
  ])('refuses a bad %s: %j', (field, fields) => {
    expect(() => parseConnected({ ...connected, ...fields })).toThrow(badEvent(field))
  })
})

describe('a disconnected event', () => {
  test.each([
    [true, 'CLIENT_INITIATED_DISCONNECT', true],
    [true, undefined, true],
    [true, 'CONNECTION_LOST', false],
    [false, 'CLIENT_INITIATED_DISCONNECT', false],
    [undefined, 'MQTT_KEEP_ALIVE_TIMEOUT', false],
    ['true', 'CLIENT_INITIATED_DISCONNECT', false],
  ])('client-initiated %s and reason %s: clean is %s', (clientInitiatedDisconnect, disconnectReason, clean) => {
    const parsed = parseDisconnected({ ...disconnected, clientInitiatedDisconnect, disconnectReason })
    expect(parsed).toMatchObject({ clean, reason: disconnectReason ?? 'UNKNOWN', clientid: 'sensor/1', version: 0 })
  })

  test.each([
    ['eventType', { eventType: 'connected' }],
    ['disconnectReason', { disconnectReason: 5 }],
    ['versionNumber', { versionNumber: null }],
  ])('refuses a bad %s', (field, fields) => {
    expect(() => parseDisconnected({ ...disconnected, ...fields })).toThrow(badEvent(field))
  })
})

describe('a subscribed or unsubscribed event', () => {
  test('becomes a change of the filters as the client sent them', () => {
    expect(parseSubscriptionChange(subscribed)).toEqual({
      clientid: 'sensor/1',
      session: 'a4666d2a7d844ae4ac5d7b38c9cb7967',
      at: 1573002230757,
      topics: ['a/b', '$share/g/#'],
    })
  })

  test.each([
    ['topics', { topics: undefined }],
    ['topics', { topics: [] }],
    ['topics', { topics: 'a/b' }],
    ['topics[1]', { topics: ['a', 7] }],
    ['topics[0]', { topics: [''] }],
    ['topics[1]', { topics: ['a', 'a#'] }],
    ['sessionIdentifier', { sessionIdentifier: undefined }],
  ])('refuses a bad %s: %j', (field, fields) => {
    expect(() => parseSubscriptionChange({ ...subscribed, ...fields })).toThrow(badEvent(field))
  })
})

describe('a publish', () => {
  test('becomes topic, sender, time, uuid and bytes', () => {
    expect(parsePublish(publish)).toEqual({
      topic: 'a/b',
      sender: 'p1',
      at: 1573002230757,
      uuid: UUID,
      payload: Buffer.from('hello'),
      properties: { user: [] },
    })
  })

  test.each([[undefined], [null], ['']])('has no payload where the rule yields %j', (payload) => {
    expect(parsePublish({ ...publish, payload }).payload).toEqual(Buffer.alloc(0))
  })

  test('keeps any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const payload = Buffer.from(bytes)
        expect(parsePublish({ ...publish, payload: payload.toString('base64') }).payload.equals(payload)).toBe(true)
      }),
    )
  })

  test.each([
    ['the trace id', { traceid: UUID.toUpperCase(), uuid: undefined }, UUID],
    ['the new uuid of an HTTP publish', { traceid: undefined }, publish.uuid],
    ['the new uuid where the trace id is none', { traceid: 'Undefined' }, publish.uuid],
  ])('is identified by %s', (_, fields, uuid) => expect(parsePublish({ ...publish, ...fields }).uuid).toBe(uuid))

  test('over HTTP has the sender n/a', () => {
    expect(parsePublish({ ...publish, clientid: 'n/a' }).sender).toBe('n/a')
    expect(parsePublish({ ...publish, clientid: null }).sender).toBe('n/a')
  })

  test('carries its MQTT 5 properties in order', () => {
    const parsed = parsePublish({
      ...publish,
      user_properties: [{ qos: '0' }, { k: 'v' }, { qos: '2' }, { ['__proto__']: 'x' }],
      content_type: 'text/plain',
      format_indicator: 'UTF8_DATA',
      response_topic: 'r',
      correlation_data: 'Zm9v',
    })
    expect(parsed.properties).toEqual({
      user: [
        ['qos', '0'],
        ['k', 'v'],
        ['qos', '2'],
        ['__proto__', 'x'],
      ],
      contentType: 'text/plain',
      payloadFormat: 'UTF8_DATA',
      responseTopic: 'r',
      correlationData: 'Zm9v',
    })
    expect(userProperty(parsed, 'qos')).toBe('0')
    expect(userProperty(parsed, 'constructor')).toBeUndefined()
  })

  test.each([
    ['topic', { topic: 'a/+' }],
    ['topic', { topic: '' }],
    ['topic', { topic: 'a\0' }],
    ['clientid', { clientid: 7 }],
    ['timestamp', { timestamp: -5 }],
    ['uuid', { traceid: undefined, uuid: undefined }],
    ['uuid', { traceid: null, uuid: 'not-a-uuid' }],
    ['payload', { payload: 'not base64!' }],
    ['payload', { payload: 'aGVsbG8' }],
    ['payload', { payload: 'aGVsbG9=' }],
    ['payload', { payload: { a: 1 } }],
    ['user_properties', { user_properties: { qos: '1' } }],
    ['user_properties[0]', { user_properties: [{ a: '1', b: '2' }] }],
    ['user_properties[0]', { user_properties: [{}] }],
    ["user_properties[0]'s value", { user_properties: [{ a: 1 }] }],
    ['content_type', { content_type: 5 }],
  ])('refuses a bad %s: %j', (field, fields) => {
    expect(() => parsePublish({ ...publish, ...fields })).toThrow(badEvent(field))
  })

  test('I10 a refusal tells the length of a payload, never what it says', () => {
    expect(() => parsePublish({ ...publish, payload: 'my secret' })).toThrow('payload is a string of 9 characters')
    expect(() => parsePublish({ ...publish, payload: 'my secret' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    )
  })
})

describe('an ack', () => {
  test.each([
    ['an object', { msgid: MSGID, topic: 'a/b' }, [{ msgid: MSGID, topic: 'a/b' }]],
    ['an object without a topic', { msgid: MSGID }, [{ msgid: MSGID }]],
    ['a JSON string', `"${MSGID}"`, [{ msgid: MSGID }]],
    ['an array of both', [{ msgid: MSGID, topic: 'a' }, OTHER_MSGID], [{ msgid: MSGID, topic: 'a' }, { msgid: OTHER_MSGID }]],
    ['the bare msgid', MSGID, [{ msgid: MSGID }]],
    ['the bare msgid and a line feed', `${MSGID}\n`, [{ msgid: MSGID }]],
  ])('may be %s', (_, payload, acks) => {
    expect(parseAck(ack(payload))).toEqual({ clientid: 'c1', at: 1573002230757, acks })
  })

  test('names its client in the topic, slashes and all', () => {
    expect(parseAck(ack(MSGID, { topic: 'acked/a/b', clientid: 'a/b' })).clientid).toBe('a/b')
  })

  test('over HTTP acknowledges for the client of the topic', () => {
    expect(parseAck(ack(MSGID, { clientid: 'n/a' })).clientid).toBe('c1')
  })

  test('the client that calls itself n/a acknowledges for itself alone: a broker gives traceid() to MQTT publishes only', () => {
    const byMqtt = { clientid: 'n/a', traceid: '0f0f0f0f-1111-2222-3333-444444444444' }
    expect(() => parseAck(ack(MSGID, byMqtt))).toThrow(badAck('clientid'))
    expect(parseAck(ack(MSGID, { ...byMqtt, topic: 'acked/n/a' })).clientid).toBe('n/a')
  })

  test.each([
    ['an unknown client', 'clientid', ack(MSGID, { clientid: undefined })],
    ['a topic that acknowledges nothing', 'topic', ack(MSGID, { topic: 'a/c1' })],
    ['no base64', 'payload', ack(MSGID, { payload: '%' })],
    ['no time', 'timestamp', ack(MSGID, { timestamp: undefined })],
  ])('refuses %s, which no client can cause', (_, field, event) => expect(() => parseAck(event)).toThrow(badEvent(field)))

  test.each([
    ['another client', 'clientid', ack(MSGID, { clientid: 'c2' })],
    ['a topic without a client', 'clientid in topic', ack(MSGID, { topic: 'acked/' })],
    ['an empty payload', 'payload', ack('')],
    ['an empty array', 'payload', ack([])],
    ['101 acks', 'payload', ack(Array(101).fill(MSGID))],
    ['a number', 'payload', ack('12')],
    ['null', 'payload', ack('null')],
    ['an array in an array', 'payload[0]', ack([[MSGID]])],
    ['something that is no msgid', 'payload.msgid', ack('hello')],
    ['an object without msgid', 'payload.msgid', ack({})],
    ['a bad second msgid', 'payload[1].msgid', ack([MSGID, 'x'])],
    ['a wildcard topic', 'payload.topic', ack({ msgid: MSGID, topic: '#' })],
    ['a topic that is no text', 'payload.topic', ack({ msgid: MSGID, topic: 5 })],
  ])('refuses %s, which a client did', (_, field, event) => expect(() => parseAck(event)).toThrow(badAck(field)))

  test('I10 a refusal never repeats the payload', () => {
    expect(() => parseAck(ack('my secret'))).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }))
  })
})

const PARSERS = { parseConnected, parseDisconnected, parseSubscriptionChange, parsePublish, parseAck }

describe.each(Object.entries(PARSERS))('%s', (_, parse: (event: unknown) => unknown) => {
  test('throws nothing but a bad-event, on any JSON and on any mutation of a real event', () => {
    const real = fc.constantFrom<object>(connected, disconnected, subscribed, publish, ack(MSGID))
    const mutated = fc.tuple(
      real,
      fc.dictionary(fc.constantFrom(...Object.keys({ ...subscribed, ...publish, user_properties: 0 })), fc.jsonValue()),
    )
    const events = fc.oneof(
      fc.jsonValue(),
      mutated.map(([event, fields]) => ({ ...event, ...fields })),
      fc.jsonValue().map((payload) => ack(JSON.stringify(payload))),
    )
    fc.assert(
      fc.property(events, (event) => {
        try {
          parse(event)
        } catch (error) {
          expect(error).toBeInstanceOf(BackendError)
          expect(error).toMatchObject({ code: expect.stringMatching(/^bad-(event|ack)$/) })
        }
      }),
      { numRuns: 1000 },
    )
  })
})
