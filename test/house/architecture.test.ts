/** The house: which folders and files there are, who may import whom, and what no file may name. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, hostname, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
/** Every file that is, or is about to be, in the repository. */
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)))
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const withoutComments = (code: string) => code.replace(/^\s*(\/\/|\/\*|\*).*$/gm, '')
const SOURCES = FILES.filter((file) => /\.ts$/.test(file) && !file.endsWith('.d.ts'))

const ROOTS = ['bench', 'bin', 'cli', 'lambda', 'lib', 'local', 'test']
const depcruise = (cwd: string) => {
  const program = join(ROOT, 'node_modules/.bin/depcruise')
  const { status, stdout, stderr } = spawnSync(program, ['--config', join(ROOT, '.dependency-cruiser.cjs'), ...ROOTS], {
    cwd,
    encoding: 'utf8',
  })
  return { status, said: `${stdout}${stderr}`.trim() }
}

describe('the arrows (.dependency-cruiser.cjs)', () => {
  it('hold', () => {
    const { status, said } = depcruise(ROOT)
    expect({ status, said }).toEqual({ status: 0, said: expect.stringMatching(/^✔ no dependency violations found \((?!0 modules)/) })
  })

  describe('in a house that breaks them', () => {
    let said: string
    let house: string
    beforeAll(() => {
      house = mkdtempSync(join(tmpdir(), 'house-'))
      for (const root of ROOTS) mkdirSync(join(house, root))
      for (const [file, code] of Object.entries(BROKEN)) {
        mkdirSync(dirname(join(house, file)), { recursive: true })
        writeFileSync(join(house, file), code)
      }
      cpSync(join(ROOT, 'tsconfig.json'), join(house, 'tsconfig.json'))
      said = depcruise(house).said
    })
    afterAll(() => rmSync(house, { recursive: true }))

    it.each([
      ['a circle of types', /no circle: lib\/one\.ts →\s+lib\/two\.ts/],
      ['core that imports an adapter', /lambda\/core: files: lambda\/core\/a\.ts → lambda\/adapters\/b\.ts/],
      ['core that imports a package', /lambda\/core: packages: lambda\/core\/a\.ts → node_modules\/mqtt-packet/],
      [
        'core that imports a folder above its own',
        /lambda\/core\/queue rises: lambda\/core\/queue\/f\.ts → lambda\/core\/subscriptions\/g\.ts/,
      ],
      ['core that reads files', /lambda\/core: node: lambda\/core\/a\.ts → fs/],
      ['a command that imports a handler, at run time', /cli: files: cli\/c\.ts → lambda\/adapters\/b\.ts/],
      ['the product that imports a test', /bench, bin\/build, test: local\/d\.ts → test\/e\.ts/],
      ['a file that is not there', /not found: local\/d\.ts → \.\/gone\.ts/],
      ['all of aws-cdk-lib', /aws-cdk-lib by module: lib\/one\.ts/],
    ])('are found: %s', (_, wanted) => {
      expect(said).toMatch(wanted)
    })
  })
})

const BROKEN = {
  'lib/one.ts': "import type { Two } from './two.ts'\nimport 'aws-cdk-lib'\nexport type One = Two",
  'lib/two.ts': "import type { One } from './one.ts'\nexport type Two = One",
  'lambda/core/a.ts': "import { readFileSync } from 'node:fs'\nimport { parser } from 'mqtt-packet'\nimport { b } from '../adapters/b.ts'",
  'lambda/adapters/b.ts': 'export const b = 1',
  'lambda/core/queue/f.ts': "import { g } from '../subscriptions/g.ts'",
  'lambda/core/subscriptions/g.ts': 'export const g = 1',
  'cli/c.ts': "const { b } = await import('../lambda/adapters/b.ts')",
  'local/d.ts': "export * from '../test/e.ts'\nimport './gone.ts'",
  'test/e.ts': 'export const e = 1',
  'package.json': '{ "type": "module", "dependencies": { "mqtt-packet": "1", "aws-cdk-lib": "1" } }',
  'node_modules/mqtt-packet/index.js': '',
  'node_modules/aws-cdk-lib/index.js': '',
}

describe('the environment', () => {
  it('is read by the edges only', () => {
    const readers = SOURCES.filter((file) => /\bprocess\.env\b/.test(withoutComments(read(file))))
    expect(readers.filter((file) => !/^(lambda\/adapters|bin|cli|bench|test)\//.test(file))).toEqual([])
  })
})

const ROOMS = ['bench', 'bin', 'cli', 'docs', 'etc', 'examples', 'lambda', 'lib', 'local', 'test']
const inProduct = (file: string) => /^(bin|cli|lambda|lib|local)\//.test(file)
/** Lines. */
const LONGEST = 240

/** Names that two files of the product have on purpose. */
const TWICE: Readonly<Record<string, string>> = {
  'conf.ts': 'the command, and what it reads',
  'data-plane.ts': 'its client, and its stand-in',
  'template.ts': 'the command, and what the local run reads',
  'metrics.ts': 'what the handlers count, and where the local run shows it',
}
/** A campaign and the bench have parts of their own, named as their kin elsewhere. */
const groupOf = (file: string) =>
  /^(bench|bin.build|examples|test\/(bench|end-to-end|faults|hostile|simulation|soak|local|lib|lambda|cli|package))\//.exec(file)?.[1] ?? ''

describe('the house', () => {
  it('has the rooms of the plan', () => {
    const rooms = FILES.filter((file) => file.includes('/')).map((file) => file.split('/')[0]!)
    expect([...new Set(rooms)].filter((room) => !ROOMS.includes(room) && !room.startsWith('.'))).toEqual([])
  })

  it('has no drawer for odds and ends', () => {
    const drawers = SOURCES.filter((file) => /(^|\/)(utils?|helpers?|common|shared|misc|service|base|index)(\.|\/)/.test(file))
    expect(drawers).toEqual([])
  })

  it('has an action in a file of its name', () => {
    expect(SOURCES.filter((file) => /^lambda\/[^/]+$/.test(file) && !/^lambda\/on_[a-z_]+\.ts$/.test(file))).toEqual([])
  })

  it('has no file name twice', () => {
    const names = SOURCES.map((file) => `${groupOf(file)}/${basename(file)}`)
    const twice = SOURCES.filter((_, i) => names.indexOf(names[i]!) !== names.lastIndexOf(names[i]!))
    expect(twice.filter((file) => !(basename(file) in TWICE))).toEqual([])
  })

  it('has no file of the product that nobody can hold in the head', () => {
    expect(SOURCES.filter(inProduct).filter((file) => read(file).split('\n').length > LONGEST)).toEqual([])
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
