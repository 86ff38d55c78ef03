/** `npm run build`: makes `dist`, which with package.json, README.md and LICENSE is the package. */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOOKS } from '../../lambda/core/hooks.ts'
import { bundleHooks } from '../../lib/pipeline/hook-bundles.ts'
import { buildCommandLine } from './command-line.ts'
import { buildConstruct } from './construct.ts'
import { bundledPackages, noticeOf } from './notice.ts'
import { DIST, ROOT } from './places.ts'

rmSync(DIST, { recursive: true, force: true })
await buildConstruct()
const metafiles = await buildCommandLine()
buildHandlers()
// `mqtt-dynamodb init` writes it.
cpSync(join(ROOT, 'examples', 'cdk-app'), join(DIST, 'examples', 'cdk-app'), { recursive: true })
writeFileSync(join(DIST, 'NOTICE'), noticeOf(bundledPackages(metafiles)))
writeFileSync(join(DIST, 'package.json'), distPackage())

function buildHandlers(): void {
  const folder = join(DIST, 'handlers')
  mkdirSync(folder)
  for (const [hook, code] of bundleHooks(HOOKS)) writeFileSync(join(folder, `${hook.replaceAll('.', '-')}.js`), code)
}

/** Without `type`, so that the files of `dist` are CommonJS. The command line reads it. */
function distPackage(): string {
  const { version, description } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  return `${JSON.stringify({ version, description, build: hashOf(DIST) }, null, 2)}\n`
}

/** Tells one build from another of the same version. */
function hashOf(folder: string): string {
  const hash = createHash('sha256')
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  for (const file of files.sort()) hash.update(readFileSync(file))
  return hash.digest('hex')
}
