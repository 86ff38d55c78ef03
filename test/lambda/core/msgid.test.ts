import fc from 'fast-check'
import { compareMsgids, decodeMsgid, encodeMsgid, millisOfMsgid, msgidNumber, msgidOf } from '../../../lambda/core/msgid.ts'

/** Ids that EMQX itself wrote: two of the page, four of EMQX's tutorial; `arrived` in seconds as printed beside them. */
const EMQX_IDS = [
  { msgid: 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTD', micros: 1562308553981613n, arrived: 1562308553, sequence: 1 },
  { msgid: 'Mjg4MTk1NzE3MTY4MjYxMjA5MDExMDg0NTk5ODgzMjAyNTH', micros: 1562312113274233n, arrived: 1562312113, sequence: 1 },
  { msgid: 'Mjg4NDYzOTExMTcxNzQ5MTQwMjU1NzgyMDgxNzU1ODczMjJ', arrived: 1563765995 },
  { msgid: 'Mjg4NDY0MDMyMDA2MzI0MjA4MTcxNDYwNjk0MjQ5MzA4MTJ', arrived: 1563766650 },
  { msgid: 'Mjg4NDY1NDAxMjczMzcyMjUwMjExOTc1MzY4MDY4MzAwODB' },
]

const parts = fc.record({
  micros: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  node: fc.bigInt({ min: 0n, max: (1n << 48n) - 1n }),
  sequence: fc.integer({ min: 0, max: 0xffff }),
})

describe('msgid', () => {
  test.each(EMQX_IDS)('reads and rewrites the id $msgid that EMQX wrote', ({ msgid, micros, arrived, sequence }) => {
    const decoded = decodeMsgid(msgid)
    expect(encodeMsgid(decoded)).toBe(msgid)
    if (micros !== undefined) expect(decoded.micros).toBe(micros)
    if (sequence !== undefined) expect(decoded.sequence).toBe(sequence)
    if (arrived !== undefined) expect(Math.floor(millisOfMsgid(msgid) / 1000)).toBe(arrived)
  })

  test('decode(encode(x)) is x', () => {
    fc.assert(fc.property(parts, (id) => expect(decodeMsgid(encodeMsgid(id))).toEqual(id)))
  })

  test('encode(decode(s)) is s, whatever text decodes', () => {
    const edited = fc.tuple(parts, fc.nat(51), fc.constantFrom(...'ABCDwxyz0123456789=+/ M')).map(([id, at, char]) => {
      const msgid = encodeMsgid(id)
      return msgid.slice(0, at) + char + msgid.slice(at + 1)
    })
    let decoded = 0
    fc.assert(
      fc.property(edited, (text) => {
        let id: ReturnType<typeof decodeMsgid>
        try {
          id = decodeMsgid(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-msgid' })
          return
        }
        decoded++
        expect(encodeMsgid(id)).toBe(text)
      }),
      { numRuns: 2000 },
    )
    expect(decoded).toBeGreaterThan(0)
  })

  test('ids compare as their numbers, not as their text', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const byTime = a.micros < b.micros ? -1 : a.micros > b.micros ? 1 : undefined
        if (byTime !== undefined) expect(compareMsgids(encodeMsgid(a), encodeMsgid(b))).toBe(byTime)
        expect(compareMsgids(encodeMsgid(a), encodeMsgid(a))).toBe(0)
      }),
    )
    const inTime = Array.from({ length: 100 }, (_, i) =>
      encodeMsgid({ micros: 1562308553000000n + BigInt(i) * 1_000_000_000n, node: 0n, sequence: 0 }),
    )
    expect([...inTime].reverse().sort()).not.toEqual(inTime)
    expect([...inTime].reverse().sort(compareMsgids)).toEqual(inTime)
  })

  test.each([
    ['the empty text', ''],
    ['one character left over', 'M'],
    ['a character outside the alphabet', 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OT='],
    ['the escapes 9A to 9C, which no digit yields', 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg19A'],
    ['a two-byte tail that base64 shifted left', 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTM'],
    ['a one-byte tail that base64 shifted left', 'Mg'],
    ['text that is no number', 'YWJj'],
    ['a leading zero', 'MDEy'],
    ['a sign', 'LTEy'],
    ['2 ** 128', encodeDecimalOf('340282366920938463463374607431768211456')],
    ['forty digits', encodeDecimalOf('1'.repeat(40))],
    ['a very long text', 'M'.repeat(100_000)],
    ['a character beyond ASCII', 'Mjg\u{1f600}'],
  ])('refuses %s', (_, msgid) => {
    expect(() => decodeMsgid(msgid)).toThrow(expect.objectContaining({ code: 'bad-msgid' }))
    expect(() => msgidNumber(msgid)).toThrow(expect.objectContaining({ code: 'bad-msgid' }))
  })

  test('takes the largest and the smallest guid', () => {
    const largest = { micros: (1n << 64n) - 1n, node: (1n << 48n) - 1n, sequence: 0xffff }
    expect(msgidNumber(encodeMsgid(largest))).toBe((1n << 128n) - 1n)
    expect(msgidNumber(encodeMsgid({ micros: 0n, node: 0n, sequence: 0 }))).toBe(0n)
  })

  test.each([
    ['micros', { micros: 1n << 64n, node: 0n, sequence: 0 }],
    ['micros', { micros: -1n, node: 0n, sequence: 0 }],
    ['node', { micros: 0n, node: 1n << 48n, sequence: 0 }],
    ['sequence', { micros: 0n, node: 0n, sequence: 65_536 }],
    ['sequence', { micros: 0n, node: 0n, sequence: 0.5 }],
  ])('refuses to encode %s beyond its bits', (part, id) => {
    expect(() => encodeMsgid(id)).toThrow(part)
  })

  test('an error never repeats the id it was given', () => {
    expect(() => decodeMsgid('secret payload')).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }))
  })
})

describe('the msgid of a publish', () => {
  test('is its time in microseconds and the leading 64 bits of its uuid', () => {
    const msgid = msgidOf({ at: 1562308553981, uuid: '01234567-89AB-4def-8000-ffffffffffff' })
    expect(decodeMsgid(msgid)).toEqual({ micros: 1562308553981000n, node: 0x0123456789abn, sequence: 0x4def })
    expect(millisOfMsgid(msgid)).toBe(1562308553981)
    expect(msgid).toHaveLength(47)
  })

  test('orders the publishes of one millisecond by their uuids', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (a, b) => {
        const left = a.replaceAll('-', '').slice(0, 16)
        const right = b.replaceAll('-', '').slice(0, 16)
        fc.pre(left !== right)
        expect(compareMsgids(msgidOf({ at: 1, uuid: a }), msgidOf({ at: 1, uuid: b }))).toBe(left < right ? -1 : 1)
      }),
    )
  })

  test.each([
    ['a time of fractions', { at: 1.5, uuid: '01234567-89ab-4def-8000-ffffffffffff' }],
    ['a negative time', { at: -1, uuid: '01234567-89ab-4def-8000-ffffffffffff' }],
    ['no uuid', { at: 1, uuid: 'n/a' }],
  ])('refuses %s', (_, publish) => {
    expect(() => msgidOf(publish)).toThrow(expect.objectContaining({ code: 'bad-msgid' }))
  })
})

/** An independent encoder, bit string by bit string, for numbers that `encodeMsgid` cannot hold. */
function encodeDecimalOf(decimal: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const bits = Array.from(decimal, (digit) => digit.charCodeAt(0).toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,6}/g) ?? []).map((group) => alphabet[Number.parseInt(group, 2)]).join('')
}
