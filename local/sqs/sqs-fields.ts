/** The fields of an SQS request. An error names the field and the type that it has, never its content (I10). */
import { described, type Fields } from '../../lambda/core/events/fields.ts'
import { SqsError } from './sqs-error.ts'

/** Limit of a message, and of all messages of one request. Amazon SQS quotas, "Message size". */
const MAX_BODY_BYTES = 1_048_576
const MAX_ENTRIES = 10
const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what SQS refuses
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u

const wrong = (field: string, got: unknown, wanted: string) =>
  new SqsError('InvalidParameterValue', `${field} is ${described(got)}, wanted ${wanted}`)

export function objectOf(value: unknown, field = 'the request'): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(field, value, 'an object')
  return value as Fields
}

export function text(fields: Fields, field: string): string {
  const value = fields[field]
  if (value === undefined || value === null) throw new SqsError('MissingParameter', `${field} is missing`)
  if (typeof value !== 'string' || value === '') throw wrong(field, value, 'a string that is not empty')
  return value
}

export function whole(
  fields: Fields,
  field: string,
  { least, most, otherwise }: { least: number; most: number; otherwise: number },
): number {
  const value = fields[field] ?? otherwise
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw wrong(field, value, `a whole number from ${least} to ${most}`)
}

/** Seconds. */
export const visibilityOf = (fields: Fields, otherwise: number): number =>
  whole(fields, 'VisibilityTimeout', { least: 0, most: 43_200, otherwise })

export function names(fields: Fields, field: string): readonly string[] {
  const value = fields[field] ?? []
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) throw wrong(field, value, 'an array of names')
  return value
}

/** The body of a message, as SQS takes it. */
export function messageBody(fields: Fields): string {
  const body = text(fields, 'MessageBody')
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) throw wrong('MessageBody', body, `at most ${MAX_BODY_BYTES} bytes`)
  if (FORBIDDEN.test(body)) throw new SqsError('InvalidMessageContents', 'MessageBody has a character that SQS does not carry')
  return body
}

export interface Entry {
  readonly Id: string
  readonly fields: Fields
}

/** The entries of a batch, each with an id of its own. */
export function entriesOf(fields: Fields): Entry[] {
  const value = fields.Entries
  if (!Array.isArray(value) || value.length === 0) throw new SqsError('EmptyBatchRequest', 'Entries is empty, wanted 1 to 10 entries')
  if (value.length > MAX_ENTRIES)
    throw new SqsError('TooManyEntriesInBatchRequest', `${value.length} entries, wanted at most ${MAX_ENTRIES}`)
  const entries = value.map((one: unknown, i): Entry => {
    const entry = objectOf(one, `Entries[${i}]`)
    const id = entry.Id
    if (typeof id !== 'string' || !ENTRY_ID.test(id)) throw new SqsError('InvalidBatchEntryId', `Entries[${i}].Id is ${described(id)}`)
    return { Id: id, fields: entry }
  })
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length)
    throw new SqsError('BatchEntryIdsNotDistinct', 'two entries have the same Id')
  const bytes = entries.reduce(
    (sum, { fields: { MessageBody: body } }) => sum + (typeof body === 'string' ? Buffer.byteLength(body) : 0),
    0,
  )
  if (bytes > MAX_BODY_BYTES) throw new SqsError('BatchRequestTooLong', `bodies of ${bytes} bytes, wanted at most ${MAX_BODY_BYTES}`)
  return entries
}
