/** The CDK app in the package: JavaScript. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cdkVersion } from '../../lib/cdk-version.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export const APP_COMMAND: readonly string[] = ['bin/app.js']

/**
 * Names this build, and the version of the CDK beside it.
 * @throws BackendError `usage` if there is no CDK, or one that the package does not go with
 */
export function appStamp(): string {
  const { version, build } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  return `${version} ${build} ${cdkVersion()}`
}
