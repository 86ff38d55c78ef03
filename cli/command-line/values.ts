/** Readers of flags' values. Help and error line say in the same words what a value may be. */
import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { InvalidArgumentError } from '@commander-js/extra-typings'
import { stringFault } from '../../lambda/core/topic.ts'
import { checkPublishTopic } from '../../local/mqtt/iot-limits.ts'

/** Reads the text of one value. @throws InvalidArgumentError */
export interface Reader<T> {
  (got: string): T
  /** For the help and for messages: "a whole number from 1 to 10". */
  readonly wanted: string
}

/** @param read gives undefined for a text that is no such value */
export function reader<T>(wanted: string, read: (got: string) => T | undefined): Reader<T> {
  const strict = (got: string): T => {
    const value = read(got)
    if (value === undefined) throw new InvalidArgumentError(`wanted ${wanted}`)
    return value
  }
  return Object.assign(strict, { wanted })
}

const NUMBER = /^\d+(\.\d+)?(e\+?\d{1,2})?$/i

const within = (min: number, max: number, got: string): number | undefined => {
  const value = NUMBER.test(got) ? Number(got) : Number.NaN
  return value >= min && value <= max ? value : undefined
}

/** Decimal digits, also as `1.5` and `1e6`. */
export const number = (min: number, max: number): Reader<number> =>
  reader(`a number from ${rounded(min)} to ${rounded(max)}`, (got) => within(min, max, got))

export const whole = (min: number, max: number): Reader<number> =>
  reader(`a whole number from ${rounded(min)} to ${rounded(max)}`, (got) => {
    const value = within(min, max, got)
    return Number.isInteger(value) ? value : undefined
  })

/** `1e9` rather than `1000000000`. */
const rounded = (value: number): string =>
  value >= 1e6 && Number.isInteger(Math.log10(value)) ? value.toExponential().replace('+', '') : `${value}`

/** A TCP port; 0 is any free one. */
export const port = whole(0, 65_535)
/** Of a pseudo-random generator of 32 bits. */
export const seed = whole(0, 2 ** 32 - 1)
/** A part of a whole. */
export const share = number(0, 1)

export const oneOf = <const T extends string>(...names: readonly T[]): Reader<T> =>
  reader(names.length === 2 ? names.join(' or ') : `one of ${names.join(', ')}`, (got) => names.find((name) => name === got))

export const matching = (wanted: string, pattern: RegExp): Reader<string> => reader(wanted, (got) => (pattern.test(got) ? got : undefined))

/** AWS General Reference, "Regional endpoints". */
export const region = matching('a region such as us-west-2', /^[a-z]{2,}(?:-[a-z]+)+-\d+$/)
/** CloudFormation user guide, "Stack name". */
export const stackName = matching('the name of a CloudFormation stack', /^[A-Za-z][A-Za-z0-9-]{0,127}$/)

/** As IoT Core takes it (quota page, "Client ID size"). */
export const clientId = reader('a client id of 1 to 128 bytes that does not begin with $', (got) =>
  stringFault(got) === undefined && /^[^$]/.test(got) && Buffer.byteLength(got) <= 128 ? got : undefined,
)

/** DynamoDB's limits of a key; tables that EMQX filled may have what IoT Core would not take. */
const keyText = (what: string, most: number) =>
  reader(`${what} of 1 to ${most} bytes`, (got) => (got !== '' && Buffer.byteLength(got) <= most ? got : undefined))
/** Client ids, topics, filters and message ids that a table may have. */
export const storedClientId = keyText('a client id', 2048)
export const storedTopic = keyText('a topic', 2048)
export const storedFilter = keyText('a topic filter', 1024)
export const storedMsgid = keyText('a message id', 2048)
export const topicOrMsgid = keyText('a topic or a message id', 2048)

/** As IoT Core takes it in a publish. */
export const topicName = reader('a topic of at most 256 bytes and 7 slashes, without wildcards, not beginning with $', (got) => {
  try {
    checkPublishTopic(got)
    return got
  } catch {
    return undefined
  }
})

const HTTP = ['http:', 'https:']
export const httpUrl = reader('an http(s) URL', (got) => (URL.canParse(got) && HTTP.includes(new URL(got).protocol) ? got : undefined))

/** For a flag that may be repeated. */
export const repeated = <T>(one: Reader<T>): Reader<T[]> & ((got: string, previous: T[] | undefined) => T[]) =>
  Object.assign((got: string, previous: T[] = []): T[] => [...previous, one(got)], { wanted: `${one.wanted}; may be repeated` })

/** The path of a file that is there and can be read. */
export const existingFile: Reader<string> = Object.assign(
  (got: string): string => {
    const file = fromCaller(got)
    const fault = readingFault(file)
    if (fault !== undefined) throw new InvalidArgumentError(`wanted a file that can be read (${fault})`)
    return file
  },
  { wanted: 'a file' },
)

function readingFault(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK)
    return statSync(file).isDirectory() ? 'EISDIR' : undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

/** A directory, which need not be there. A dash at the beginning means that the value was forgotten: `--data-dir --json`. */
export const directory: Reader<string> = reader('a directory, not beginning with a dash', (got) =>
  /^[^-]/.test(got) ? fromCaller(got) : undefined,
)

/** npm runs scripts in the package's folder. INIT_CWD is the folder from which npm was called. */
function fromCaller(path: string): string {
  const { INIT_CWD = process.cwd() } = process.env
  return INIT_CWD === process.cwd() ? path : resolve(INIT_CWD, path)
}
