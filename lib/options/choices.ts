/** The values that an option takes: as text from the command line, as JSON from cdk.json, or as a construct's prop. */
import { HOOKS, type HookName } from '../../lambda/core/hooks.ts'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'

export interface Choice {
  /** What is allowed, in words for an error message. */
  readonly wanted: string
  /** The option's value, or undefined if `value` is not allowed. */
  readonly read: (value: unknown) => unknown
}

/** One value for all hooks, or a value for each named hook; the other hooks keep their default. */
export type PerHook<T> = T | Readonly<Partial<Record<HookName, T>>>

export const where = (wanted: string, isRight: (text: string) => boolean): Choice => ({
  wanted,
  read: (value) => (typeof value === 'string' && isRight(value) ? value : undefined),
})

export const matching = (wanted: string, pattern: RegExp): Choice => where(wanted, (text) => pattern.test(text))

export const flag: Choice = {
  wanted: 'true or false',
  read: (value) => (value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined),
}

const wholeNumber = (value: unknown): number | undefined =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.isInteger(value) ? (value as number) : undefined

export const whole = (unit: string, least: number, most: number): Choice => ({
  wanted: `${unit}, ${least} to ${most}`,
  read: (value) => {
    const number = wholeNumber(value)
    return number !== undefined && number >= least && number <= most ? number : undefined
  },
})

export const oneOf = (unit: string, numbers: readonly number[]): Choice => ({
  wanted: `${unit}: ${numbers.join(', ')}`,
  read: (value) => numbers.find((number) => number === wholeNumber(value)),
})

/** `512`, or `{"message.publish": 512}`. */
export const perHook = ({ wanted, read }: Choice): Choice => ({
  wanted: `${wanted}; or such numbers by hook, as {"message.publish": N}, of ${HOOKS.join(', ')}`,
  read: (value) => {
    const given = typeof value === 'string' && value.startsWith('{') ? parsed(value) : value
    if (!isRecord(given)) return read(given)
    const chosen = Object.entries(given).map(([hook, each]) => [hook, read(each)] as const)
    const isRight = chosen.length > 0 && chosen.every(([hook, each]) => HOOKS.includes(hook as HookName) && each !== undefined)
    return isRight ? Object.fromEntries(chosen) : undefined
  },
})

/** `true`, `false`, or names: a list, or text with commas. */
export const tableNames: Choice = {
  wanted: `true, false, or those of ${TABLE_NAMES.join(',')} that are there, each once`,
  read: (value) => {
    const names = typeof value === 'string' ? value.split(',') : value
    if (!Array.isArray(names) || !names.every((name) => TABLE_NAMES.includes(name as TableName))) return flag.read(value)
    return names.length > 0 && new Set(names).size === names.length ? names : undefined
  },
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
