/** Each check of `npm run release:check` finds what it is for; and the workflow that publishes runs it first. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundled, changelogFaults, contentsFaults, installed, licenceFaults, namesIn, versionFaults } from './release-check.ts'
import { ROOT } from './tarball.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

test.each<[string, string, string[]]>([
  ['a version with its changes', '## [Unreleased]\n\n## [1.2.3] - 2026-11-27\n\n### Added\n\n- A thing.\n\n## [1.2.2] - 2026-01-01\n', []],
  ['no such version', '## [Unreleased]\n\n- A thing.\n', ['CHANGELOG.md has no heading "## [1.2.3] - YYYY-MM-DD"']],
  ['one without a date', '## [1.2.3]\n\n- A thing.\n', ['CHANGELOG.md has no heading "## [1.2.3] - YYYY-MM-DD"']],
  ['one that is like it', '## [1.213] - 2026-11-27\n\n- A thing.\n', ['CHANGELOG.md has no heading "## [1.2.3] - YYYY-MM-DD"']],
  ['one without changes', '## [1.2.3] - 2026-11-27\n\n## [1.2.2] - 2026-01-01\n\n- Old.\n', ['CHANGELOG.md says nothing below [1.2.3]']],
])('changelog: %s', (_, text, faults) => {
  expect(changelogFaults('1.2.3', text)).toEqual(faults)
})

test('one version everywhere, and the tag', () => {
  expect(versionFaults('1.2.3', [['a', '1.2.3']], 'v1.2.3')).toEqual([])
  expect(versionFaults('1.2.3', [['a', '1.2.4']], 'v1.2.4')).toEqual(['a says 1.2.4, wanted 1.2.3', 'the tag is v1.2.4, wanted v1.2.3'])
})

test('a file too many, and one too few', () => {
  expect(contentsFaults('a\nb\n', 'a\nb\n')).toEqual([])
  expect(contentsFaults('a\nc\n', 'a\nb\n')).toEqual([
    'c is in the tarball and not in test/package/contents.txt',
    'b is in test/package/contents.txt and not in the tarball',
  ])
})

test('licences', () => {
  expect(licenceFaults([{ name: 'a', license: 'MIT' }])).toEqual([])
  expect(
    licenceFaults([
      { name: 'a', license: 'GPL-3.0' },
      { name: 'b', license: undefined },
    ]),
  ).toEqual([
    expect.stringMatching(/^a is licensed GPL-3\.0, wanted one of MIT, /),
    expect.stringMatching(/^b is licensed nobody says how, /),
  ])
  const names = installed(read('package-lock.json')).map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['jsonc-parser', 'classic-level']))
  expect(names).not.toContain('jest')
  expect(licenceFaults(installed(read('package-lock.json')))).toEqual([])
  expect(bundled('@smithy/core 3.41.0 (Apache-2.0)\nlevel 8.0.1 (MIT)\n\nCopyright 2020 Somebody (MIT)\n')).toEqual([
    { name: '@smithy/core 3.41.0', license: 'Apache-2.0' },
    { name: 'level 8.0.1', license: 'MIT' },
  ])
})

test.each([
  ['a registry', ['https://registry', 'example', 'org/x'].join('.'), 'a package registry (registry.example.o)'],
  ['a home', ['', 'home', 'me', 'x'].join('/'), `a path of a machine (${'/home'}/m)`],
  ['a key', `${'AKIA'}${'A'.repeat(16)}`, `a credential (AKIA${'A'.repeat(16)})`],
  ['the machine', 'built on builder-17', 'builder-17'],
])('names %s, plainly or in a source map', (_, text, what) => {
  const map = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify({ sourcesContent: [text] })).toString('base64')}\n`
  for (const each of [text, map]) expect(namesIn('dist/x.js', each, ['builder-17'])).toEqual([`dist/x.js names ${what}`])
  expect(namesIn('dist/x.js', "require('./conf.js') // docs/homepage", ['builder-17', 'box'])).toEqual([])
})

describe('.github/workflows/release.yml', () => {
  const text = read('.github/workflows/release.yml')
  const [check, publish] = text.split('\n  publish:\n') as [string, string]
  const stepsOf = (job: string) => [...job.matchAll(/^ +- run: (.+)$/gm)].map(([, command]) => command!)

  test('a pushed tag runs all that must hold, then publishes what was packed, with provenance', () => {
    expect(text).toMatch(/^on:\n {2}push:\n {4}tags: \['v\*'\]\n/m)
    expect(stepsOf(check)).toEqual([
      '.ci/run',
      'npm pkg set repository.type=git repository.url="git+https://github.com/$GITHUB_REPOSITORY.git"',
      'npm run release:check -- --tag "$GITHUB_REF_NAME"',
      'npm pack',
    ])
    expect(publish).toContain('needs: check')
    expect(stepsOf(publish)).toEqual(['npm publish ./mqtt-dynamodb-*.tgz --provenance --access public'])
  })

  test('only what runs nothing of ours or of our dependencies may publish', () => {
    expect(check).not.toContain('id-token')
    expect(publish).toContain('id-token: write')
    expect(publish).not.toContain('actions/checkout')
  })

  test('names no secret, no registry and no cache', () => {
    expect(text).not.toMatch(/secrets\.|token:(?! write)|registry|cache: npm/i)
  })
})

test.each(readdirSync(join(ROOT, '.github', 'workflows')))('%s: each action is a commit, and its version is said', (name) => {
  const uses = read(`.github/workflows/${name}`).match(/uses: .*/g) ?? []
  expect(uses).not.toEqual([])
  expect(uses.filter((one) => !/^uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(one))).toEqual([])
})
