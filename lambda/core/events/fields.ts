/** The fields of an event, each checked where it is read. An error tells type and length of what was got, never the content (I10). */
import { BackendError } from '../errors.ts'
import { stringFault } from '../topic.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The last millisecond that a Date can hold. */
const MAX_MILLIS = 8_640_000_000_000_000
/** AWS IoT Core quota "client ID size". */
const MAX_CLIENT_ID_BYTES = 128
/** IoT Core's are UUIDs. Every live client of a topic keeps one in the topic's row, which must not grow without bounds. */
const MAX_SESSION_BYTES = 256
/** What DynamoDB allows a range key: a filter is mqtt_sub's, a topic the index's of mqtt_retain. IoT Core's own quota is 256. */
const MAX_TOPIC_BYTES = 1024

/** @throws BackendError `bad-event` */
export function badEvent(field: string, got: unknown, wanted: string): BackendError {
  return new BackendError('bad-event', `bad event: ${field} is ${described(got)}, wanted ${wanted}`)
}

/** What a value is, without what it says. */
export function described(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (typeof value === 'string') return `a string of ${value.length} characters`
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

export function fieldsOf(event: unknown, field = 'the event'): Fields {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) throw badEvent(field, event, 'an object')
  return event as Fields
}

export const isMissing = (value: unknown): value is undefined | null | '' => value === undefined || value === null || value === ''

export function textField(fields: Fields, field: string): string {
  const value = fields[field]
  if (typeof value !== 'string' || value === '') throw badEvent(field, value, 'a non-empty string')
  return text(field, value)
}

/** Text that MQTT and UTF-8 can carry: no U+0000, no unpaired surrogate, at most 65,535 bytes. */
export function text(field: string, value: string): string {
  const fault = stringFault(value)
  if (fault) throw badEvent(field, value, `text that MQTT can carry (${fault})`)
  return value
}

export function optionalText(fields: Fields, field: string): string | undefined {
  const value = fields[field]
  if (isMissing(value)) return undefined
  if (typeof value !== 'string') throw badEvent(field, value, 'a string or nothing')
  return text(field, value)
}

export function sessionField(fields: Fields, field: string): string {
  const value = textField(fields, field)
  if (Buffer.byteLength(value) > MAX_SESSION_BYTES) throw badEvent(field, value, `a session of at most ${MAX_SESSION_BYTES} bytes`)
  return value
}

export function clientIdField(fields: Fields, field: string): string {
  const value = textField(fields, field)
  if (Buffer.byteLength(value) > MAX_CLIENT_ID_BYTES) throw badEvent(field, value, `a client id of at most ${MAX_CLIENT_ID_BYTES} bytes`)
  return value
}

/** Milliseconds since the epoch. */
export function timeField(fields: Fields, field: string): number {
  const value = fields[field]
  if (!Number.isInteger(value) || (value as number) <= 0 || (value as number) > MAX_MILLIS) {
    throw badEvent(field, value, 'whole milliseconds since the epoch, more than 0')
  }
  return value as number
}

export function countField(fields: Fields, field: string): number {
  const value = fields[field]
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw badEvent(field, value, 'an integer of 0 or more')
  return value as number
}

/** What `encode(*, 'base64')` wrote; what it yields for an empty payload is undocumented, so nothing, null and "" are all empty. */
export function base64Field(fields: Fields, field: string): Buffer {
  const value = fields[field]
  if (isMissing(value)) return Buffer.alloc(0)
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
  // Buffer skips what it cannot read: only text that it would write itself is base64
  if (bytes === undefined || bytes.toString('base64') !== value) throw badEvent(field, value, 'base64 or nothing')
  return bytes
}

/** The check of a topic name or filter, and that it can be a key: one that cannot would leave half of what is to be written. */
export function checkTopic(field: string, value: string, wanted: string, check: (value: string) => void): void {
  checkField(field, value, wanted, check)
  const bytes = Buffer.byteLength(value)
  if (bytes > MAX_TOPIC_BYTES) throw badEvent(field, value, `${wanted} of at most ${MAX_TOPIC_BYTES} bytes`)
}

/** Runs a check that throws a BackendError of its own code, and names the field it was for. */
export function checkField<T>(field: string, value: string, wanted: string, check: (value: string) => T): T {
  try {
    return check(value)
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    throw new BackendError('bad-event', `bad event: ${field} is ${described(value)}, wanted ${wanted} (${error.message})`)
  }
}
