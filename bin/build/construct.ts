/**
 * The construct and the CDK app: a CommonJS file for each source, with its types. CommonJS as aws-cdk-lib is, so that `import` and
 * `require` give the same classes: the construct asks `instanceof`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build, transformSync } from 'esbuild'
import { DIST, nameOf, ROOT, shipped } from './places.ts'
import { emitTypes } from './types.ts'

const ENTRIES = ['lib/public-api.ts', 'lib/public-conf.ts', 'bin/app.ts']

export async function buildConstruct(): Promise<void> {
  for (const file of await sourcesOf(ENTRIES)) {
    const target = join(DIST, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, commonJs(file))
  }
  writeTypes()
}

/** The entries and what they import of the repository. */
async function sourcesOf(entries: readonly string[]): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...entries],
    outdir: DIST,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    metafile: true,
    write: false,
  })
  return Object.keys(metafile.inputs).sort()
}

function commonJs(file: string): string {
  const source = shipped(join(ROOT, file))
  const { code } = transformSync(readFileSync(source, 'utf8'), {
    loader: 'ts',
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    define: { 'import.meta.dirname': '__dirname' },
    sourcefile: nameOf(source),
    sourcemap: 'inline',
  })
  return code.replaceAll(/(\brequire\("\.[^"]*)\.ts"/g, '$1.js"')
}

function writeTypes(): void {
  emitTypes(DIST)
  for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue
    const file = join(DIST, name)
    // Types of what is not shipped: no type of the package leads there.
    if (shipped(join(ROOT, name.replace(/\.d\.ts$/, '.ts'))).endsWith('.shipped.ts')) {
      rmSync(file)
      continue
    }
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/((?:from|import\() ?'\.[^']*)\.ts'/g, "$1.js'"))
  }
}
