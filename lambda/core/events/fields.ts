/** Reads the fields of an event and checks each. An error tells the type and length of what was got, never its content (I10). */
import { BackendError } from '../errors.ts'
import { checkTopicName, stringFault } from '../topic.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The last millisecond that a Date can hold. */
const MAX_MILLIS = 8_640_000_000_000_000
/** AWS IoT Core quota "client ID size". */
const MAX_CLIENT_ID_BYTES = 128
/** IoT Core's sessions are UUIDs. Every seat of a topic's row contains one, and that row must stay small. */
const MAX_SESSION_BYTES = 256
/** DynamoDB's limit of a sort key: a filter is that of mqtt_sub, a topic that of mqtt_retain's index. IoT Core's own quota is 256. */
const MAX_TOPIC_BYTES = 1024

/** @throws BackendError `bad-event` */
export function badEvent(field: string, got: unknown, wanted: string): BackendError {
  return new BackendError('bad-event', `bad event: ${field} is ${described(got)}, wanted ${wanted}`)
}

/** Type and size of a value, without its content. */
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
  return mqttText(field, value)
}

/** Text that MQTT and UTF-8 can carry: no U+0000, no unpaired surrogate, at most 65,535 bytes. */
export function mqttText(field: string, value: string): string {
  const fault = stringFault(value)
  if (fault) throw badEvent(field, value, `text that MQTT can carry (${fault})`)
  return value
}

export function optionalText(fields: Fields, field: string): string | undefined {
  const value = fields[field]
  if (isMissing(value)) return undefined
  if (typeof value !== 'string') throw badEvent(field, value, 'a string or nothing')
  return mqttText(field, value)
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

/** A topic name that can be a key. */
export function topicField(fields: Fields): string {
  const topic = textField(fields, 'topic')
  checkTopic('topic', topic, 'a topic name', checkTopicName)
  return topic
}

/** The result of `encode(*, 'base64')`. For an empty payload it is not documented, so a missing field, null and "" are all empty. */
export function base64Field(fields: Fields, field: string): Buffer {
  const value = fields[field]
  if (isMissing(value)) return Buffer.alloc(0)
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
  // Buffer.from skips characters that are not base64. They show when the bytes are encoded again.
  if (bytes === undefined || bytes.toString('base64') !== value) throw badEvent(field, value, 'base64 or nothing')
  return bytes
}

/** Checks a topic name or filter, and its length: one that is too long for a key would fail after half of the writes. */
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
