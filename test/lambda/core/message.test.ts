import type { Publish } from '../../../lambda/core/events/publish-events.ts'
import { expiryOf, hasExpired, messageOf, NOT_RETAINED, propertyFaults, qosOf } from '../../../lambda/core/model/message.ts'
import { msgidOf } from '../../../lambda/core/msgid.ts'

const PUBLISH: Publish = {
  topic: 'a/b',
  sender: 'c',
  at: 1_800_000_000_999,
  uuid: '00000000-0000-4000-8000-000000000000',
  payload: Buffer.from('x'),
  properties: { user: [] },
}
const saying = (value: string, name = 'qos'): Publish => ({ ...PUBLISH, properties: { user: [[name, value]] } })

describe("qosOf: the publisher's word, then IoT Core's, then the row's, then 1", () => {
  it.each<[string, Publish, number | undefined, number | undefined, number]>([
    ['nothing is known', PUBLISH, undefined, undefined, 1],
    ['the row', PUBLISH, 0, undefined, 0],
    ['the publisher over the row', saying('2'), 0, undefined, 2],
    ['what is no QoS is not said', saying('3'), 2, undefined, 2],
    ['nor is a word', saying('one'), undefined, undefined, 1],
    ['the publisher over both', saying('2'), 1, 0, 2],
    ['IoT Core over the row', PUBLISH, 1, 0, 0],
  ])('%s', (_name, publish, row, native, qos) => {
    const flag = native === undefined ? NOT_RETAINED : { retained: true, cleared: false, qos: native }
    expect(qosOf(publish, row === undefined ? undefined : { qos: row }, flag)).toBe(qos)
  })
})

describe('messageOf', () => {
  it('takes everything from the event: the same event makes the same bytes', () => {
    const options = { qos: 1, retained: false }
    expect(messageOf(PUBLISH, options)).toEqual(messageOf({ ...PUBLISH }, options))
    expect(messageOf(PUBLISH, options)).toEqual({
      msgid: msgidOf(PUBLISH),
      topic: 'a/b',
      sender: 'c',
      qos: 1,
      retain: 0,
      payload: Buffer.from('x'),
      arrived: 1_800_000_000,
      properties: { user: [] },
    })
  })

  it('retained and expiring: 1, and seconds', () => {
    expect(messageOf(PUBLISH, { qos: 0, retained: true, expiredAfter: 60 })).toMatchObject({ retain: 1, qos: 0, expiresAt: 1_800_000_060 })
  })
})

describe('expiryOf: the user property expiry', () => {
  it.each([
    ['0', 0],
    ['60', 60],
    ['4294967295', 4_294_967_295],
    ['4294967296', undefined],
    ['1.5', undefined],
    ['-1', undefined],
    ['1h', undefined],
    ['', undefined],
  ])('%j', (text, seconds) => {
    expect(expiryOf(saying(text, 'expiry'))).toBe(seconds)
    expect(propertyFaults(saying(text, 'expiry'))).toHaveLength(seconds === undefined ? 1 : 0)
  })

  it.each([
    ['sooner than expired_after', '30', 60, 30],
    ['later than expired_after', '90', 60, 60],
    ['without expired_after', '90', undefined, 90],
    ['no number: as if it were not there', 'soon', 60, 60],
  ])('%s', (_name, text, expiredAfter, seconds) => {
    const { arrived, expiresAt } = messageOf(saying(text, 'expiry'), { qos: 1, retained: false, expiredAfter })
    expect(expiresAt).toBe(arrived + seconds)
  })
})

describe('hasExpired', () => {
  const expiring = messageOf(PUBLISH, { qos: 1, retained: false, expiredAfter: 60 })
  it.each([
    ['before', 1_800_000_059_999, false],
    ['at its second', 1_800_000_060_000, true],
  ])('%s', (_name, now, expired) => {
    expect(hasExpired(expiring, now)).toBe(expired)
  })

  it('never, where nothing expires', () => {
    expect(hasExpired(messageOf(PUBLISH, { qos: 1, retained: false }), Number.MAX_SAFE_INTEGER)).toBe(false)
  })
})
