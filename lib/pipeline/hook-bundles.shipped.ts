/** In the package: the code of the hooks' functions as `npm run build` bundled it, with the same names as hook-bundles.ts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HookName } from '../../lambda/core/hooks.ts'

export const ENTRIES = join(import.meta.dirname, '..', '..', 'handlers')

export const bundleHooks = (hooks: readonly HookName[]): ReadonlyMap<HookName, Uint8Array> =>
  new Map(hooks.map((hook) => [hook, readFileSync(join(ENTRIES, `${hook.replaceAll('.', '-')}.js`))]))
