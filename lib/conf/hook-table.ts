import { BackendError } from '../../lambda/core/errors.ts'
import type { HookTable } from '../../lambda/core/hooks.ts'
import { type ParsedConf, parseConf, problemLine } from './conf.ts'

/**
 * The hook table of a conf that is right.
 * @throws BackendError `bad-conf` with a line for each error.
 */
export function hookTableOf({ table, errors }: ParsedConf): HookTable {
  if (errors.length > 0) throw new BackendError('bad-conf', errors.map(problemLine).join('\n'))
  return table
}

/**
 * The same of a conf's text, for an app that imports the construct.
 * @param file what errors call it; its includes are refused
 * @throws BackendError `bad-conf` with a line for each error.
 */
export const hookTableIn = (text: string, file: string): HookTable => hookTableOf(parseConf(text, { file }))
