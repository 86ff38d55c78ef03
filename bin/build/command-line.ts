/**
 * The command line as one file with the libraries that it uses, so that an app that only wants the construct installs none of them;
 * the programs of its threads; and the files beside the sources that they read.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { DIST, imported, nameOf, ROOT, shipped } from './places.ts'

/** What is not bundled: CDK, which is the app's own, and LevelDB, which is no JavaScript. */
const EXTERNAL = ['aws-cdk-lib', 'constructs', 'classic-level']
const FOLDERS = ['cli', 'local']

const BUNDLING: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  charset: 'utf8',
  external: EXTERNAL,
  legalComments: 'none',
  logLevel: 'warning',
  mainFields: ['module', 'main'],
  metafile: true,
  minifySyntax: true,
  minifyWhitespace: true,
  platform: 'node',
  target: 'node20',
}

/** Packages of CommonJS ask for Node's modules by `require`, which an ES module has not. `dist` is the folder above the bundle's. */
const ESM_HEAD = `import{createRequire as $createRequire}from'node:module';import{join as $join}from'node:path';
const require=$createRequire(import.meta.url),$at=folder=>$join(import.meta.dirname,'..',folder);`

/** @returns what went into the bundles */
export async function buildCommandLine(): Promise<Metafile[]> {
  const program: BuildOptions = {
    ...BUNDLING,
    entryPoints: ['bin/mqtt-dynamodb.ts'],
    outfile: join(DIST, 'bin', 'mqtt-dynamodb.mjs'),
    format: 'esm',
    banner: { js: ESM_HEAD },
    plugins: [asShipped((folder) => `$at(${JSON.stringify(folder)})`), LEVEL_WHEN_NEEDED, SHORT_MANIFESTS],
  }
  const metafiles = [(await build(program)).metafile!]
  for (const file of filesOf(FOLDERS)) {
    if (file.endsWith('worker.ts')) metafiles.push(await buildThread(file))
    else if (!file.endsWith('.ts')) copy(file)
  }
  copy('etc/emqx_backend_dynamo.conf')
  return metafiles
}

async function buildThread(file: string): Promise<Metafile> {
  const { metafile } = await build({
    ...BUNDLING,
    entryPoints: [file],
    outfile: join(DIST, file.replace(/\.ts$/, '.cjs')),
    format: 'cjs',
    plugins: [asShipped(() => '__dirname'), LEVEL_WHEN_NEEDED, SHORT_MANIFESTS],
  })
  return metafile!
}

/** Takes the shipped variants, and tells each source the folder in `dist` that mirrors its own. */
const asShipped = (folderCode: (folder: string) => string): Plugin => ({
  name: 'as shipped',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\..*\.ts$/ }, ({ importer, path }) => ({ path: shipped(imported(importer, path)) }))
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      return { loader: 'ts', contents: source.replaceAll('import.meta.dirname', folderCode(dirname(nameOf(path)))) }
    })
  },
})

/** Libraries ask their package.json for name and version; the rest of it (scripts, registries) has no place in the package. */
const SHORT_MANIFESTS: Plugin = {
  name: 'short manifests',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/].*[\\/]package\.json$/ }, ({ path }) => {
      const { name, version } = JSON.parse(readFileSync(path, 'utf8'))
      return { loader: 'json', contents: JSON.stringify({ name, version }) }
    })
  },
}

/** LevelDB is loaded for --data-dir only: it is an optional dependency. */
const LEVEL_WHEN_NEEDED: Plugin = {
  name: 'level when needed',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^level$/ }, () => ({ path: 'level', namespace: 'when-needed' }))
    onLoad({ filter: /.*/, namespace: 'when-needed' }, () => ({
      resolveDir: ROOT,
      contents: "exports.Level = function (...args) { return new (require('classic-level').ClassicLevel)(...args) }",
    }))
  },
}

function copy(file: string): void {
  const target = join(DIST, file)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(join(ROOT, file), target)
}

const filesOf = (folders: readonly string[]): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true, encoding: 'utf8' })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => nameOf(join(parentPath, name))),
  )
