/** The CDK app in a checkout: TypeScript. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

/** What Node runs, in the folder above this one's. */
export const APP_COMMAND: readonly string[] = ['--import', 'tsx', 'bin/app.ts']

/** A hash of all sources of the app: it changes whenever the app may make another template from the same conf and options. */
export function appStamp(): string {
  const hash = createHash('sha256')
  for (const file of ['bin/app.ts', 'package-lock.json', ...sourcesIn('lib'), ...sourcesIn('lambda')]) {
    const contents = readFileSync(join(ROOT, file))
    hash.update(`${file}\0${contents.length}\0`).update(contents)
  }
  return hash.digest('hex')
}

const sourcesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name))
