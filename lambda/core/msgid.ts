/**
 * EMQX's message ids. A guid is 128 bits, big endian: microseconds : 64 | node and process : 48 | sequence : 16.
 * A msgid is the guid's decimal text in EMQX's "base62" (emqx_base62): 6-bit groups, most significant first, over
 * A-Z a-z 0-8; a tail of one byte is 6 + 2 bits and of two bytes 6 + 6 + 4 bits, right-aligned and unpadded, which is
 * where a base64 library gets the last digit wrong. Values 61 to 63 (`9A 9B 9C`) cannot occur: decimal digits never yield them.
 *
 * Msgids do not sort in time order as text: compare {@link msgidNumber}.
 */
import { BackendError } from './errors.ts'

export interface MsgidParts {
  /** Microseconds since the epoch, 64 bits. */
  readonly micros: bigint
  /** 48 bits. */
  readonly node: bigint
  /** 16 bits. */
  readonly sequence: number
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345678'
/** Character code -> value; elsewhere -1. */
const VALUES = new Int8Array(128).fill(-1)
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value
/** Decimal digits of 2 ** 128 - 1. */
const MAX_DIGITS = 39
const DECIMAL = /^(?:0|[1-9][0-9]*)$/
const UUID_HEX = /^[0-9a-f]{32}$/i

/** @throws BackendError `bad-msgid` if a part does not fit its bits. */
export function encodeMsgid({ micros, node, sequence }: MsgidParts): string {
  if (micros < 0n || micros >= 1n << 64n) throw bad(`micros ${micros}`, '0 to 2 ** 64 - 1')
  if (node < 0n || node >= 1n << 48n) throw bad(`node ${node}`, '0 to 2 ** 48 - 1')
  if (!Number.isInteger(sequence) || sequence < 0 || sequence > 0xffff) throw bad(`sequence ${sequence}`, 'an integer from 0 to 65535')
  return encodeDecimal(((micros << 64n) | (node << 16n) | BigInt(sequence)).toString())
}

/** @throws BackendError `bad-msgid` on anything that {@link encodeMsgid} cannot have written. */
export function decodeMsgid(msgid: string): MsgidParts {
  const guid = msgidNumber(msgid)
  return { micros: guid >> 64n, node: (guid >> 16n) & 0xffffffffffffn, sequence: Number(guid & 0xffffn) }
}

/**
 * The 128-bit guid behind a msgid: the key to sort many ids by.
 * @throws BackendError `bad-msgid`
 */
export function msgidNumber(msgid: string): bigint {
  const decimal = decodeDecimal(msgid)
  if (!DECIMAL.test(decimal)) throw bad(lengthOf(msgid), 'the base62 of a decimal number without leading zeros')
  const guid = decimal.length > MAX_DIGITS ? undefined : BigInt(decimal)
  if (guid === undefined || guid >> 128n !== 0n) throw bad(lengthOf(msgid), 'a number of at most 128 bits')
  return guid
}

/** Whether {@link msgidNumber} can read it. */
export function isMsgid(text: string): boolean {
  try {
    msgidNumber(text)
    return true
  } catch {
    return false
  }
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`. */
export function compareMsgids(a: string, b: string): number {
  const left = msgidNumber(a)
  const right = msgidNumber(b)
  return left < right ? -1 : left > right ? 1 : 0
}

/** When the message was published, in whole milliseconds since the epoch. */
export const millisOfMsgid = (msgid: string): number => Number((msgidNumber(msgid) >> 64n) / 1000n)

/**
 * The last three digits of the microseconds of a publish whose time is in doubt: it was then or earlier. Rules tell milliseconds, so no other
 * id of ours has them. One in a thousand of EMQX's ids has, and such a message is delivered again instead of settled.
 */
const IN_DOUBT = 999n

export const isTimeInDoubt = (msgid: string): boolean => (msgidNumber(msgid) >> 64n) % 1000n === IN_DOUBT

/**
 * The msgid of a publish: its event's time, then the UUID's leading 64 bits, so that a retried event writes the same id
 * and time-ordered UUIDs keep their order within a millisecond.
 * @param publish `at` in milliseconds since the epoch
 * @throws BackendError `bad-msgid`
 */
export function msgidOf(publish: { readonly at: number; readonly timeInDoubt?: boolean; readonly uuid: string }): string {
  if (!Number.isSafeInteger(publish.at)) throw bad(`time ${publish.at}`, 'whole milliseconds since the epoch')
  const hex = publish.uuid.replaceAll('-', '')
  if (!UUID_HEX.test(hex)) throw bad(`a uuid of ${publish.uuid.length} characters`, '32 hexadecimal digits')
  const micros = BigInt(publish.at) * 1000n + (publish.timeInDoubt ? IN_DOUBT : 0n)
  return encodeMsgid({ micros, node: BigInt(`0x${hex.slice(0, 12)}`), sequence: Number.parseInt(hex.slice(12, 16), 16) })
}

function encodeDecimal(decimal: string): string {
  let text = ''
  for (let i = 0; i < decimal.length; i += 3) {
    const left = decimal.length - i
    const a = decimal.charCodeAt(i)
    text += charOf(a >> 2)
    if (left === 1) return text + charOf(a & 0b11)
    const b = decimal.charCodeAt(i + 1)
    text += charOf(((a & 0b11) << 4) | (b >> 4))
    if (left === 2) return text + charOf(b & 0b1111)
    const c = decimal.charCodeAt(i + 2)
    text += charOf(((b & 0b1111) << 2) | (c >> 6)) + charOf(c & 0b111111)
  }
  return text
}

const charOf = (value: number): string => ALPHABET[value]!

function decodeDecimal(msgid: string): string {
  if (msgid.length > 2 * MAX_DIGITS) throw bad(lengthOf(msgid), 'at most 52 characters')
  let decimal = ''
  for (let i = 0; i < msgid.length; i += 4) {
    const size = Math.min(4, msgid.length - i)
    const a = valueAt(msgid, i)
    const b = size > 1 ? valueAt(msgid, i + 1) : 0
    const c = size > 2 ? valueAt(msgid, i + 2) : 0
    if (size === 4) {
      const d = valueAt(msgid, i + 3)
      decimal += String.fromCharCode((a << 2) | (b >> 4), ((b & 0b1111) << 4) | (c >> 2), ((c & 0b11) << 6) | d)
    } else if (size === 3 && c < 16) decimal += String.fromCharCode((a << 2) | (b >> 4), ((b & 0b1111) << 4) | c)
    else if (size === 2 && b < 4) decimal += String.fromCharCode((a << 2) | b)
    else throw bad(lengthOf(msgid), 'a tail of 6 + 2 or 6 + 6 + 4 bits')
  }
  return decimal
}

function valueAt(msgid: string, i: number): number {
  const value = VALUES[msgid.charCodeAt(i)] ?? -1
  if (value < 0) throw bad(lengthOf(msgid), 'only A-Z a-z 0-8')
  return value
}

/** A client may send any text as an id, so an error tells only its length (I10). */
const lengthOf = (msgid: string) => `an id of ${msgid.length} characters`
const bad = (got: string, wanted: string) => new BackendError('bad-msgid', `bad message id: got ${got}, wanted ${wanted}`)
