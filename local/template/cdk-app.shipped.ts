/** The CDK app in the package: JavaScript. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { BackendError } from '../../lambda/core/errors.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PEER = 'aws-cdk-lib'

export const APP_COMMAND: readonly string[] = ['bin/app.js']

/**
 * The build that this is, and the CDK beside it.
 * @throws BackendError `usage` if there is no CDK, or one that the package does not go with
 */
export function appStamp(): string {
  const { version, build, peers } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const found = installedVersion()
  if (found === undefined || !satisfies(found, peers[PEER]))
    throw new BackendError('usage', `${PEER} is ${found ?? 'not installed'}, wanted ${peers[PEER]} (npm install ${PEER}@2 constructs@10)`)
  return `${version} ${build} ${found}`
}

function installedVersion(): string | undefined {
  try {
    const file = createRequire(join(ROOT, 'package.json')).resolve(`${PEER}/package.json`)
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
