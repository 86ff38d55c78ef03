/** Writes the app of examples/cdk-app, with the default conf. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_CONF } from '../../lib/conf/conf-file.ts'
import { makeFolder, refuseUsed } from '../command-line/empty-folder.ts'
import { shellWord } from '../command-line/shell-word.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const APP = join(ROOT, 'examples', 'cdk-app')

/** What npm and cdk make. npm packs no file of the name .gitignore, so it is no file of the example. */
const IGNORED = 'node_modules/\ncdk.out/\n'

/** @throws BackendError `usage`; then nothing is written */
export function writeApp(folder: string): number {
  refuseUsed(folder, 'DIR')
  makeFolder(folder, 'DIR')
  cpSync(APP, folder, { recursive: true, filter: (file) => !file.includes('node_modules') || APP.includes('node_modules') })
  mkdirSync(join(folder, 'etc'))
  cpSync(join(ROOT, DEFAULT_CONF), join(folder, DEFAULT_CONF))
  writeFileSync(join(folder, '.gitignore'), IGNORED)
  process.stdout.write(nextOf(folder))
  return 0
}

const nextOf = (folder: string): string => `Written. Next:

  ${folder === '.' ? 'npm install' : `cd ${shellWord(folder)} && npm install`}
  npx mqtt-dynamodb start --conf ${DEFAULT_CONF}
  npx cdk synth
`
