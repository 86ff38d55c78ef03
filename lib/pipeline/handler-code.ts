import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { AssetHashType, DockerImage } from 'aws-cdk-lib/core'
import type { HookConfig, HookName } from '../../lambda/core/hooks.ts'
import { bundleHooks, ENTRIES } from './hook-bundles.ts'

/** What the hooks' functions run: a directory a hook with `index.js` and, as the row data that it runs by, `hook.json`. */
export class HandlerCode {
  private readonly hooks: readonly HookName[]
  private bundles: ReadonlyMap<HookName, Uint8Array> | undefined

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

  /** All hooks are bundled when the first is asked for. */
  private bundle(hook: HookName): Uint8Array {
    this.bundles ??= bundleHooks(this.hooks)
    return this.bundles.get(hook)!
  }
}
