/** Which CDK the construct goes with. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { BackendError } from '../lambda/core/errors.ts'

const PEER = 'aws-cdk-lib'
/** As in `peerDependencies` of package.json. Older ones refuse a validation id. */
export const CDK_RANGE = '^2.270.0'

/**
 * The version of the CDK that is found from here.
 * @throws BackendError `usage` if there is no CDK, or one that the package does not go with
 */
export function cdkVersion(installed = installedVersion): string {
  const found = installed()
  if (found !== undefined && satisfies(found, CDK_RANGE)) return found
  throw new BackendError('usage', `${PEER} is ${found ?? 'not installed'}, wanted ${CDK_RANGE} (npm install ${PEER}@2 constructs@10)`)
}

function installedVersion(): string | undefined {
  try {
    const file = createRequire(join(import.meta.dirname, 'cdk-version.js')).resolve(`${PEER}/package.json`)
    return JSON.parse(readFileSync(file, 'utf8')).version
  } catch {
    return undefined
  }
}

/** `range` is `^major.minor.patch`. */
function satisfies(version: string, range: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [wantedMajor, wantedMinor = 0] = range.slice(1).split('.').map(Number)
  return major === wantedMajor && minor >= wantedMinor
}
