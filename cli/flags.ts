/** Command lines, read strictly: what is wrong is said in one line. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { BackendError } from '../lambda/core/errors.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/** @throws BackendError `usage` for a flag that is unknown or lacks its value, and for anything that is no flag */
export function parseFlags<const Known extends Options>(args: readonly string[], options: Known) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    const said = (error as Error).message.split(/[.\n]/)[0]!
    // Node's word for `--seed -1` and `--seed --json`
    throw new BackendError('usage', said.replace('argument is ambiguous', 'is followed by a dash, wanted a value'))
  }
}

export const wrongFlag = (name: string, got: string, wanted: string): BackendError =>
  new BackendError('usage', `--${name} is ${JSON.stringify(got)}, wanted ${wanted}`)

export interface NumberRange {
  readonly min: number
  readonly max: number
  readonly whole?: boolean
}
const NUMBER = /^\d+(\.\d+)?(e\+?\d{1,2})?$/i

/** @throws BackendError `usage` for what is no number of that range */
export function numberFlag(name: string, got: string | undefined, fallback: number, { min, max, whole = false }: NumberRange): number {
  if (got === undefined) return fallback
  const value = NUMBER.test(got) ? Number(got) : Number.NaN
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value
  throw wrongFlag(name, got, `${whole ? 'a whole number' : 'a number'} from ${min} to ${max}`)
}
