/** The arrows of the house: who may import whom, and what no file may name. Read from the files themselves. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { dirname, join, normalize } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
/** Every file that is, or is about to be, in the repository. */
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)))
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const SOURCES = FILES.filter((file) => /\.ts$/.test(file) && !file.endsWith('.d.ts'))

interface Import {
  readonly from: string
  /** A file of the repository, or a package. */
  readonly to: string
}

const withoutComments = (code: string) => code.replace(/^\s*(\/\/|\/\*|\*).*$/gm, '')
const codeOf = (file: string) => withoutComments(read(file))

const IMPORT = /^(?:import|export)\s[^'"=(]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\b(?:import|require)\(\s*'([^']+)'/gm

/** The names that a source imports, exports from, or imports at run time. */
const namesIn = (code: string): string[] => [...withoutComments(code).matchAll(IMPORT)].map(([, ...names]) => names.find(Boolean) ?? '')

const importsOf = (from: string): Import[] =>
  namesIn(read(from)).map((name) => ({ from, to: name.startsWith('.') ? normalize(join(dirname(from), name)) : name }))

const under = (folder: string) => (file: string) => file.startsWith(`${folder}/`)
/** `lambda/on_message_publish.ts`: the actions. */
const isAction = (file: string) => /^lambda\/[^/]+\.ts$/.test(file)
const isLocal = (to: string) => /\.(ts|cjs|mjs|json)$/.test(to) && !to.startsWith('node:') && existsSync(join(ROOT, to))

/** Layer -> which of the repository's files and which packages it may import. The pure layers may have those of Node's modules that touch nothing. */
const LAYERS: Record<string, { has: (file: string) => boolean; files: RegExp; packages: RegExp }> = {
  'lambda/core': { has: under('lambda/core'), files: /^lambda\/core\//, packages: /^node:(buffer|crypto|path|util)$/ },
  actions: { has: isAction, files: /^lambda\/core\//, packages: /^node:(buffer|crypto|path|util)$/ },
  'lambda/hooks': { has: under('lambda/hooks'), files: /^lambda\//, packages: /^node:(buffer|crypto|path|util)$/ },
  'lambda/adapters': { has: under('lambda/adapters'), files: /^lambda\/(core|adapters)\//, packages: /^(node:|@aws-sdk\/|@smithy\/)/ },
  lib: { has: under('lib'), files: /^(lib|lambda\/core)\//, packages: /^(node:|aws-cdk-lib\/|constructs$|esbuild$|jsonc-parser$)/ },
  local: { has: under('local'), files: /^(local|lib|lambda\/core)\//, packages: /^(?!@aws-sdk\/|aws-cdk-lib)/ },
  // The commands look at a running backend from outside: no handler's code.
  cli: { has: under('cli'), files: /^(cli|lib|local|lambda\/core)\//, packages: /^(?!aws-cdk-lib)/ },
  bin: { has: under('bin'), files: /^(bin|cli|lib|local|lambda\/core)\//, packages: /./ },
}

describe('reading imports', () => {
  it.each([
    ["import { a } from './a.ts'", ['./a.ts']],
    ["import type { A } from './a.ts'", ['./a.ts']],
    ["import {\n  a,\n  type B,\n} from './a.ts'\nimport b from 'b'", ['./a.ts', 'b']],
    ["import * as a from 'a'", ['a']],
    ["import 'a'", ['a']],
    ["export { a } from './a.ts'", ['./a.ts']],
    ["export * from './a.ts'", ['./a.ts']],
    ["const a = await import('a')", ['a']],
    ["const a = require('a')", ['a']],
    ["// import a from 'a'\n/** import('a') */", []],
    ["export const a = 'from'\nconst b = { from: 'c' }", []],
  ])('finds in %j %j', (code, names) => {
    expect(namesIn(code)).toEqual(names)
  })

  it('finds some in every layer that is there', () => {
    const layers = Object.values(LAYERS).map(({ has }) => SOURCES.filter(has))
    for (const sources of layers.filter((files) => files.length > 0)) expect(sources.flatMap(importsOf)).not.toEqual([])
  })
})

describe.each(Object.entries(LAYERS))('%s', (name, { has, files, packages }) => {
  const sources = SOURCES.filter(has)

  it('imports only what its layer may', () => {
    const wrong = sources.flatMap(importsOf).filter(({ to }) => (isLocal(to) ? !files.test(to) : !packages.test(to)))
    expect(wrong).toEqual([])
  })

  if (name !== 'lambda/adapters' && name !== 'bin' && name !== 'cli') {
    it('reads no environment', () => {
      expect(sources.filter((file) => /\bprocess\.env\b/.test(codeOf(file)))).toEqual([])
    })
  }
})

describe('packages', () => {
  const importers = (pattern: RegExp) => [
    ...new Set(
      SOURCES.flatMap(importsOf)
        .filter(({ to }) => pattern.test(to))
        .map(({ from }) => from),
    ),
  ]

  it('@aws-sdk is for lambda/adapters, the commands, tests and bench', () => {
    expect(importers(/^@aws-sdk\//).filter((file) => !/^(lambda\/adapters|cli|test|bench)\//.test(file))).toEqual([])
  })

  it('aws-cdk-lib is for bin/app.ts, lib and its tests, never as a whole: that takes seconds', () => {
    expect(
      importers(/^aws-cdk-lib/).filter((file) => !/^(lib|test\/lib|test\/cli|test\/support|test\/end-to-end)\/|^bin\/app\.ts$/.test(file)),
    ).toEqual([])
    expect(importers(/^aws-cdk-lib$/)).toEqual([])
  })

  it('every imported file is there, with its extension', () => {
    const wrong = SOURCES.flatMap(importsOf).filter(({ to }) => /^(bin|cli|lib|lambda|local|test|bench)\//.test(to) && !isLocal(to))
    expect(wrong).toEqual([])
  })
})

describe('the house', () => {
  it('has no drawer for odds and ends', () => {
    const drawers = SOURCES.filter((file) => /(^|\/)(utils?|helpers?|common|shared|misc|service|base|index)(\.|\/)/.test(file))
    expect(drawers).toEqual([])
  })

  it('has an action in a file of its name', () => {
    expect(SOURCES.filter((file) => isAction(file) && !/^lambda\/on_[a-z_]+\.ts$/.test(file))).toEqual([])
  })
})

describe('no file names', () => {
  const TEXTS = FILES.filter((file) => !/\.(png|jpg|gif|ico|woff2?)$/.test(file))
  /** Only this very file may spell them out. */
  const naming = (pattern: RegExp) => TEXTS.filter((file) => file !== 'test/house/architecture.test.ts' && pattern.test(read(file)))

  it('a path of the machine it was written on', () => {
    expect(naming(/\/(work\/(main|shared)|home\/[a-z]|Users\/[A-Za-z]|root\/)/)).toEqual([])
    const homes = [ROOT, homedir()].filter((path) => path.length > 5)
    expect(TEXTS.filter((file) => homes.some((path) => read(file).includes(path)))).toEqual([])
  })

  it('that machine', () => {
    const name = hostname()
    // A short or common host name is a word like any other.
    expect(name.length < 8 ? [] : TEXTS.filter((file) => read(file).includes(name))).toEqual([])
  })

  it('a package registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"')
    expect(naming(/\b(artifactory|nexus|verdaccio|codeartifact)\b/i)).toEqual([])
    expect(FILES.filter((file) => /(^|\/)(\.npmrc|settings\.xml|\.env)$/.test(file))).toEqual([])
  })

  it('a credential', () => {
    expect(naming(/\b(AKIA|ASIA)[A-Z0-9]{12,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(ghp|github_pat|npm)_[A-Za-z0-9]{20,}/)).toEqual([])
  })
})
