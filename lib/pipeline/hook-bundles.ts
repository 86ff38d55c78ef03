/** What the hooks' functions run, as esbuild makes it: one CommonJS file a hook. */
import { join } from 'node:path'
import { type BuildOptions, buildSync } from 'esbuild'
import type { HookName } from '../../lambda/core/hooks.ts'

const ROOT = join(import.meta.dirname, '..', '..')
export const ENTRIES = join(ROOT, 'lambda', 'hooks')

/**
 * CommonJS with the SDK's ES modules inside: less work at a cold start than ESM output on Node 22 and 24. 255 to 269 KB a hook; 391 to
 * 405 KB with the SDK's credential chain; 1,418 to 1,445 KB by CDK's default. Without the SDK's one dynamic import, of event streams, esbuild
 * wraps no module in a function of its own: about 100 to 85 ms of CPU to a first handled publish (Node 20, unprimed). The SDK is bundled
 * because the runtime's may predate SendDirectMessage. Paths are relative, so the bytes are the same everywhere.
 */
const BUNDLING: BuildOptions = {
  alias: {
    '@aws-sdk/credential-provider-node': './lambda/adapters/function/environment-credentials.ts',
    '@smithy/core/event-streams': './lambda/adapters/function/no-event-streams.ts',
  },
  bundle: true,
  charset: 'utf8',
  format: 'cjs',
  legalComments: 'none',
  logLevel: 'warning',
  mainFields: ['module', 'main'],
  minify: true,
  platform: 'node',
  sourcemap: false,
  supported: { 'dynamic-import': false },
  target: 'node20',
}

const entryName = (hook: HookName): string => hook.replaceAll('.', '-')

/** What CDK's NodejsFunction gives to esbuild without options (aws-lambda-nodejs, buildEsbuildArgs; its runtime of choice is Node 24): to compare with. */
export const DEFAULT_BUNDLING: BuildOptions = { platform: 'node', target: 'node24' }

/** All at once: esbuild then reads the SDK only once. `options`: over ours, for the bench. */
export function bundleHooks(hooks: readonly HookName[], options: BuildOptions = BUNDLING): ReadonlyMap<HookName, Uint8Array> {
  const entryPoints = hooks.map((hook) => ({ in: join(ENTRIES, `${entryName(hook)}.ts`), out: entryName(hook) }))
  const { outputFiles } = buildSync({ ...options, absWorkingDir: ROOT, bundle: true, entryPoints, outdir: ROOT, write: false })
  const bundles = new Map(outputFiles!.map(({ path, contents }) => [path.slice(ROOT.length + 1, -'.js'.length), contents]))
  return new Map(hooks.map((hook) => [hook, bundles.get(entryName(hook))!]))
}
