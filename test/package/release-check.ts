/** What must hold before a version is published. Each check gives what is wrong, a line each. */
import { readFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { readApi } from '../../bin/build/api-page.ts'
import { type Packed, ROOT } from './tarball.ts'

const LIST = 'test/package/contents.txt'
export const CONTENTS = join(ROOT, LIST)

export interface Check {
  readonly name: string
  faults(): string[]
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** @param tag the tag that was pushed, if any */
export const checksOf = (packed: Packed, tag?: string): Check[] => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  return [
    { name: 'one version everywhere', faults: () => versionFaults(version, statedVersions(), tag) },
    { name: 'the changelog has the version', faults: () => changelogFaults(version, read('CHANGELOG.md')) },
    {
      name: 'docs/api.md is that of the types',
      faults: () => (readApi().page === read('docs/api.md') ? [] : ['docs/api.md is out of date: npm run api']),
    },
    {
      name: 'the tarball has the files that it should have',
      faults: () => contentsFaults(contentsOf(packed), readFileSync(CONTENTS, 'utf8')),
    },
    {
      name: 'licences of what is installed and bundled',
      faults: () => [...licenceFaults(installed(read('package-lock.json'))), ...licenceFaults(bundled(read('dist/NOTICE')))],
    },
    {
      name: 'no registry, no machine, no credential in the tarball',
      faults: () => packed.files.flatMap(({ path }) => namesIn(path, read(path))),
    },
  ]
}

/** A path a line, sorted. */
export const contentsOf = ({ files }: Packed): string =>
  files
    .map(({ path }) => `${path}\n`)
    .toSorted()
    .join('')

export function contentsFaults(got: string, wanted: string): string[] {
  const [is, should] = [got.split('\n'), wanted.split('\n')]
  return [
    ...is.filter((path) => !should.includes(path)).map((path) => `${path} is in the tarball and not in ${LIST}`),
    ...should.filter((path) => !is.includes(path)).map((path) => `${path} is in ${LIST} and not in the tarball`),
  ]
}

/** Where a version is stated, and which. */
function statedVersions(): [where: string, version: string][] {
  const lock = JSON.parse(read('package-lock.json'))
  const example = JSON.parse(read('examples/cdk-app/package.json'))
  return [
    ['package-lock.json', lock.version],
    ["package-lock.json's root package", lock.packages[''].version],
    ['examples/cdk-app/package.json', example.dependencies['mqtt-dynamodb'].slice(1)],
  ]
}

export const versionFaults = (version: string, stated: readonly (readonly [string, string])[], tag?: string): string[] => [
  ...stated.filter(([, other]) => other !== version).map(([where, other]) => `${where} says ${other}, wanted ${version}`),
  ...(tag === undefined || tag === `v${version}` ? [] : [`the tag is ${tag}, wanted v${version}`]),
]

export function changelogFaults(version: string, changelog: string): string[] {
  const [, section] = changelog.split(new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm'))
  if (section === undefined) return [`CHANGELOG.md has no heading "## [${version}] - YYYY-MM-DD"`]
  const lines = section.split(/^## /m)[0]!.match(/^- .+/gm)
  return lines === null ? [`CHANGELOG.md says nothing below [${version}]`] : []
}

interface Licensed {
  readonly name: string
  readonly license: string | undefined
}

/** They ask for no more than that their text goes with the code. */
const TAKEN = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'CC0-1.0', 'Unlicense', 'Python-2.0']

export const licenceFaults = (packages: readonly Licensed[]): string[] =>
  packages
    .filter(({ license }) => license === undefined || !TAKEN.includes(license))
    .map(({ name, license }) => `${name} is licensed ${license ?? 'nobody says how'}, wanted one of ${TAKEN.join(', ')}`)

/** What an app gets with the package: the lockfile's packages that are not for development only, and the peers. */
export const installed = (lock: string): Licensed[] =>
  Object.entries(JSON.parse(lock).packages as Record<string, { license?: string; dev?: boolean; peer?: boolean }>)
    .filter(([path, { dev, peer }]) => path !== '' && (!dev || peer))
    .map(([path, { license }]) => ({ name: path.replace(/^.*node_modules\//, ''), license }))

/** What bin/build/notice.ts lists. */
export const bundled = (notice: string): Licensed[] =>
  [...notice.matchAll(/^((?:@[\w.-]+\/)?[\w.-]+ \d[\w.+-]*) \((.+)\)$/gm)].map(([, name, license]) => ({ name: name!, license }))

const NAMES: Readonly<Record<string, RegExp>> = {
  'a package registry': /\bregistry\.[a-z0-9-]+\.[a-z]/i,
  'a path of a machine': /(?<![\w.])\/(home\/[a-z]|Users\/[A-Za-z]|root\/|work\/)/,
  'a credential': /\b(AKIA|ASIA)[A-Z0-9]{12,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(ghp|github_pat|npm)_[A-Za-z0-9]{20,}/,
}

/** @param text of the file; what its source map holds is looked at too */
export function namesIn(path: string, text: string, machine = [ROOT, homedir(), hostname()]): string[] {
  const maps = [...text.matchAll(/sourceMappingURL=data:application\/json;base64,([\w+/=]+)/g)].map(([, map]) =>
    Buffer.from(map!, 'base64').toString(),
  )
  const all = [text, ...maps].join('\n')
  // A short name of a machine is a word like any other.
  const own = machine.filter((name) => name.length >= 8 && all.includes(name))
  const named = Object.entries(NAMES).flatMap(([what, pattern]) => (pattern.test(all) ? [`${what} (${pattern.exec(all)![0]})`] : []))
  return [...named, ...own].map((what) => `${path} names ${what}`)
}
