/** Writes the app of examples/cdk-app, with the default conf. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_CONF } from '../../lib/conf/conf-file.ts'
import { wrongUse } from '../command-line/run-command.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const APP = join(ROOT, 'examples', 'cdk-app')

/** What npm and cdk make. npm packs no file of the name .gitignore, so it is no file of the example. */
const IGNORED = 'node_modules/\ncdk.out/\n'

/** @throws BackendError `usage`; then nothing is written */
export function writeApp(folder: string): number {
  refuseUsed(folder)
  cpSync(APP, folder, { recursive: true, filter: (file) => !file.includes('node_modules') || APP.includes('node_modules') })
  mkdirSync(join(folder, 'etc'))
  cpSync(join(ROOT, DEFAULT_CONF), join(folder, DEFAULT_CONF))
  writeFileSync(join(folder, '.gitignore'), IGNORED)
  process.stdout.write(nextOf(folder))
  return 0
}

/** A new repository may hold its `.git`. */
function refuseUsed(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    const [first] = readdirSync(folder).filter((name) => name !== '.git')
    if (first === undefined) return
    throw wrongUse(`DIR is ${JSON.stringify(folder)}, which has ${first}, wanted an empty folder`)
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall === undefined) throw error
    throw wrongUse(`DIR is ${JSON.stringify(folder)}, wanted a folder that can be written (${code})`)
  }
}

const nextOf = (folder: string): string => `Written. Next:

  ${folder === '.' ? 'npm install' : `cd ${/^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", "'\\''")}'`} && npm install`}
  npx mqtt-dynamodb start --conf ${DEFAULT_CONF}
  npx cdk synth
`
