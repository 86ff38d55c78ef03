import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { AssetHashType, DockerImage } from 'aws-cdk-lib/core'
import { type BuildOptions, buildSync } from 'esbuild'
import type { HookConfig, HookName } from '../lambda/core/hooks.ts'

const ROOT = join(import.meta.dirname, '..')
const ENTRIES = join(ROOT, 'lambda', 'hooks')

/**
 * CommonJS with the SDK's ES modules inside: 332 KB instead of 526, and less work at a cold start than ESM output on Node 22 and 24.
 * The SDK is bundled because the runtime's own may predate SendDirectMessage. Paths are relative, so the bytes are the same everywhere.
 */
const BUNDLING: BuildOptions = {
  absWorkingDir: ROOT,
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

/** What the hooks' functions run: a directory a hook with `index.js` and, as the row data that it runs by, `hook.json`. */
export class HandlerCode {
  private readonly hooks: readonly HookName[]
  private bundles: ReadonlyMap<string, Uint8Array> | undefined

  constructor(hooks: readonly HookName[]) {
    this.hooks = hooks
  }

  /** The code of one hook's function; bundled only if the stack's assets are. */
  of(config: HookConfig): Code {
    const hookJson = `${JSON.stringify(config, null, 2)}\n`
    const tryBundle = (directory: string): boolean => {
      writeFileSync(join(directory, 'index.js'), this.bundle(config.hook))
      writeFileSync(join(directory, 'hook.json'), hookJson)
      return true
    }
    return Code.fromAsset(ENTRIES, {
      assetHashType: AssetHashType.OUTPUT,
      // The local bundler always answers, so the image is never pulled; the command only tells CDK's cache the hooks apart.
      bundling: { image: DockerImage.fromRegistry('never-pulled'), command: [hookJson], local: { tryBundle } },
    })
  }

  /** All hooks are bundled at once, when the first is asked for: esbuild then reads the SDK only once. */
  private bundle(hook: HookName): Uint8Array {
    this.bundles ??= bundleAll(this.hooks)
    return this.bundles.get(entryName(hook))!
  }
}

function bundleAll(hooks: readonly HookName[]): Map<string, Uint8Array> {
  const entryPoints = hooks.map((hook) => ({ in: join(ENTRIES, `${entryName(hook)}.ts`), out: entryName(hook) }))
  const { outputFiles } = buildSync({ ...BUNDLING, entryPoints, outdir: ROOT, write: false })
  return new Map(outputFiles!.map(({ path, contents }) => [path.slice(ROOT.length + 1, -'.js'.length), contents]))
}
