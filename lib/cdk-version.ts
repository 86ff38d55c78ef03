/** Which CDK the construct goes with. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { BackendError } from '../lambda/core/errors.ts'

/** As in `peerDependencies` of package.json. An older aws-cdk-lib refuses a validation id, and asks for this constructs itself. */
export const PEERS = { 'aws-cdk-lib': '^2.270.0', constructs: '^10.5.0' } as const
type Peer = keyof typeof PEERS

/**
 * The version of the CDK that is found from here.
 * @throws BackendError `usage` if aws-cdk-lib or constructs is not there, or is one that the package does not go with
 */
export function cdkVersion(installed = installedVersion): string {
  wanted('constructs', installed('constructs'))
  return wanted('aws-cdk-lib', installed('aws-cdk-lib'))
}

function wanted(peer: Peer, found: string | undefined): string {
  if (found !== undefined && satisfies(found, PEERS[peer])) return found
  throw new BackendError('usage', `${peer} is ${found ?? 'not installed'}, wanted ${PEERS[peer]} (npm install aws-cdk-lib@2 constructs@10)`)
}

function installedVersion(peer: Peer): string | undefined {
  try {
    const file = createRequire(join(import.meta.dirname, 'cdk-version.js')).resolve(`${peer}/package.json`)
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
