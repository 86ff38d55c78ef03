/** Bundles the code of the hooks' functions with esbuild: one CommonJS file for each hook. */
import { join } from 'node:path'
import { type BuildOptions, buildSync } from 'esbuild'
import type { HookName } from '../../lambda/core/hooks.ts'

const ROOT = join(import.meta.dirname, '..', '..')
export const ENTRIES = join(ROOT, 'lambda', 'hooks')

/**
 * CommonJS starts faster than ES modules on Node 22 and 24. The SDK is bundled because the runtime's copy may lack SendDirectMessage.
 * The aliases leave out the credential chain and event streams, which no handler needs (figures: docs/performance.md).
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

/** The esbuild options of CDK's NodejsFunction by default (aws-lambda-nodejs, buildEsbuildArgs, Node 24), for the bench to compare with. */
export const DEFAULT_BUNDLING: BuildOptions = { platform: 'node', target: 'node24' }

/** Bundles all hooks in one run, so that esbuild reads the SDK once. `options` replaces our esbuild options, for the bench. */
export function bundleHooks(hooks: readonly HookName[], options: BuildOptions = BUNDLING): ReadonlyMap<HookName, Uint8Array> {
  const entryPoints = hooks.map((hook) => ({ in: join(ENTRIES, `${entryName(hook)}.ts`), out: entryName(hook) }))
  const { outputFiles } = buildSync({ ...options, absWorkingDir: ROOT, bundle: true, entryPoints, outdir: ROOT, write: false })
  const bundles = new Map(outputFiles!.map(({ path, contents }) => [path.slice(ROOT.length + 1, -'.js'.length), contents]))
  return new Map(hooks.map((hook) => [hook, bundles.get(entryName(hook))!]))
}
