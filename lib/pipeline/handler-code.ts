import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { AssetHashType, DockerImage } from 'aws-cdk-lib/core'
import type { HookConfig, HookName } from '../../lambda/core/hooks.ts'
import { bundleHooks, ENTRIES } from './hook-bundles.ts'

/** The code of the hooks' functions: for each hook a directory with `index.js` and the hook's rows in `hook.json`. */
export class HandlerCode {
  private readonly hooks: readonly HookName[]
  private bundles: ReadonlyMap<HookName, Uint8Array> | undefined

  constructor(hooks: readonly HookName[]) {
    this.hooks = hooks
  }

  /** The code of one hook's function. CDK bundles it only where it bundles the stack's assets. */
  of(config: HookConfig): Code {
    const hookJson = `${JSON.stringify(config, null, 2)}\n`
    const tryBundle = (directory: string): boolean => {
      writeFileSync(join(directory, 'index.js'), this.bundle(config.hook))
      writeFileSync(join(directory, 'hook.json'), hookJson)
      return true
    }
    return Code.fromAsset(ENTRIES, {
      assetHashType: AssetHashType.OUTPUT,
      // The local bundler always succeeds, so CDK never pulls the image. CDK's cache tells the hooks apart by the command.
      bundling: { image: DockerImage.fromRegistry('never-pulled'), command: [hookJson], local: { tryBundle } },
    })
  }

  /** The first call bundles all hooks. */
  private bundle(hook: HookName): Uint8Array {
    this.bundles ??= bundleHooks(this.hooks)
    return this.bundles.get(hook)!
  }
}
