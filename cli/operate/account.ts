/** The account that an operator's credentials are of. */
import type { Account } from './control-plane.ts'
import { type TablesFlags, withTables } from './operator-tables.ts'

export interface StackFlags extends TablesFlags {
  readonly stack?: string | undefined
  readonly control?: string | undefined
}

/** @throws BackendError where there are no credentials or no region */
export const accountOf = (flags: StackFlags): Promise<Account> =>
  withTables(flags, async ({ dynamodb: { config } }) => ({
    region: await config.region(),
    credentials: await config.credentials(),
    control: flags.control,
  }))
