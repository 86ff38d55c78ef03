/** Synthesizes the app in a process of its own, as the CDK's command line does, for who needs the cloud assembly without that command line. */
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { BackendError } from '../lambda/core/errors.ts'
import type { AppOptions } from '../lib/options.ts'

const ROOT = join(import.meta.dirname, '..')

/**
 * Writes `MqttBackend.template.json` and the functions' code (`asset.<hash>/`) into a directory; quick, because CDK's validation, which
 * takes 2 s of 3, is left to `cdk synth`. Relative paths are the caller's.
 * @throws BackendError `synth` with what the app complained of.
 */
export function synthesize(outdir: string, { conf, ...options }: AppOptions): void {
  const context = conf === undefined ? options : { ...options, conf: resolve(conf) }
  const { status, stderr, error } = spawnSync(process.execPath, ['--import', 'tsx', join('bin', 'app.ts')], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: resolve(outdir), CDK_CONTEXT_JSON: JSON.stringify(context), CDK_VALIDATION: 'false' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0)
    throw new BackendError('synth', complaint(stderr) || `the CDK app did not run: ${error?.message ?? `exit status ${status}`}`)
}

const complaint = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !line.startsWith('Bundling asset '))
    .join('\n')
    .trim()
