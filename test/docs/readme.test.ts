/** What the README says works is what runs here. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { flags as benchFlags } from '../../bench/bench-flags.ts'
import { programFor } from '../../cli/command-line/all-commands.ts'
import { HOOKS } from '../../lambda/core/hooks.ts'
import { ALARMS } from '../../lib/monitoring/alarms.ts'
import { refuseContradictions, refuseSharedTables } from '../../lib/options/contradictions.ts'
import { OPTION_NAMES, optionsOf } from '../../lib/options/options.ts'
import { flags as faultsFlags } from '../faults/faults-flags.ts'
import { flags as fuzzFlags } from '../hostile/fuzz-flags.ts'
import { mutantsFlags, simulateFlags } from '../simulation/simulation-flags.ts'
import { flags as soakFlags } from '../soak/soak-flags.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const run = (command: string, ...args: string[]) => spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', timeout: 110_000 })

it('opens with what it is, then the two commands', () => {
  const [title, about, block] = README.split(/\n\n/)
  expect(title).toMatch(/^# .*AWS IoT Core$/)
  expect(about).toContain('emqx_backend_dynamo')
  expect(block).toMatch(/^```bash\nnpm ci && npm start .*\nnpm ci && npm test /)
})

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8')

  it('names files and flags that are there', () => {
    const files = [...text.matchAll(/`((?:etc|lib|lambda|local|bench|bin|cli|test|docs|\.ci)\/[\w./-]+)`/g)]
    expect(files.map(([, file]) => file!).filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
    const flags = [...text.matchAll(/`(--[a-z-]+)/g)].map(([, flag]) => flag!)
    expect(flags.filter((flag) => !known.includes(flag))).toEqual([])
  })
})

/** In code and in running text: `npx cdk deploy -c name=value ...`. */
const cdkCommands = PAGES.flatMap((page) => [
  ...readFileSync(join(ROOT, page), 'utf8').matchAll(/npx cdk (?:synth|deploy|import|diff|destroy)[^`\n]*? -c [^`\n]*/g),
]).map(([command]) => command)

it('every cdk command of the pages has options that are there, and that go together', () => {
  expect(cdkCommands.length).toBeGreaterThan(4)
  for (const command of cdkCommands) {
    const pairs = [...command.matchAll(/ -c (\w+)=('.*?'|[^\s#]+)/g)].map(([, name, value]) => [name!, value!.replaceAll("'", '')])
    expect([command, pairs.length]).toEqual([command, command.split(' -c ').length - 1])
    const known = pairs.filter(([, value]) => !/^[A-Z_]+$/.test(value!))
    const chosen = optionsOf(Object.fromEntries(known))
    refuseSharedTables(chosen)
    const { conf: _, stackName: __, ...options } = chosen
    refuseContradictions(options, { hooks: HOOKS, region: 'us-west-2' })
    expect(pairs.map(([name]) => name!).filter((name) => !OPTION_NAMES.includes(name))).toEqual([])
    // What lets the template's rule pass: lib/table-prefix-guard.ts.
    const [, start = `${options.prefix ?? ''}mqtt`] = / --parameters TablesBeginWith=(\S+)/.exec(command) ?? []
    expect([command, start]).toEqual([command, `${options.prefix ?? ''}mqtt`])
  }
})

/** Of a command and all below it. */
const flagsIn = (command: CommandUnknownOpts): string[] => [
  '--help',
  '--version',
  ...command.options.map(({ long }) => long!),
  ...command.commands.flatMap(flagsIn),
]
let known: readonly string[]
beforeAll(async () => {
  const scripts = [benchFlags([]), soakFlags(), fuzzFlags(), faultsFlags(), simulateFlags(), mutantsFlags()]
  known = [await programFor([]), ...scripts].flatMap(flagsIn)
})
/** As the anchors of a Markdown page are made. */
const headingsOf = (page: string) =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )

it('docs/operations.md has a heading for each alarm, as its description names it', () => {
  const headings = headingsOf('docs/operations.md')
  expect(ALARMS.map(({ id }) => id).filter((id) => !headings.includes(id))).toEqual([])
})

it('npm run demo walks through the page, and every check holds', () => {
  const { status, stdout, stderr } = run('npm', 'run', '-s', 'demo')
  expect({
    status,
    said: stdout.trim().split('\n').at(-1),
    failed: /FAILED.*/.exec(stdout)?.[0],
    stderr: status === 0 ? '' : stderr,
  }).toEqual({
    status: 0,
    said: '9 of 9 checks held',
    failed: undefined,
    stderr: '',
  })
}, 120_000)

it('npx cdk synth writes the template without credentials', () => {
  const output = mkdtempSync(join(tmpdir(), 'synth-'))
  const { status } = run(
    'env',
    '-u',
    'AWS_ACCESS_KEY_ID',
    '-u',
    'AWS_SECRET_ACCESS_KEY',
    'npx',
    'cdk',
    'synth',
    '--quiet',
    '--output',
    output,
  )
  expect(status).toBe(0)
  expect(Object.keys(JSON.parse(readFileSync(join(output, 'MqttBackend.template.json'), 'utf8')).Resources).length).toBeGreaterThan(50)
  rmSync(output, { recursive: true })
}, 120_000)

it.each([
  ['npm start', ['start', '--silent', '--', '--help']],
  ['npm run bench', ['run', '-s', 'bench', '--', '--help']],
  ['npm run soak', ['run', '-s', 'soak', '--', '--help']],
  ['npm run conf', ['run', '-s', 'conf', '--', '--help']],
  ['npm run simulate', ['run', '-s', 'simulate', '--', '--help']],
  ['npm run mutants', ['run', '-s', 'mutants', '--', '--help']],
  ['npm run fuzz', ['run', '-s', 'fuzz', '--', '--help']],
  ['npm run redrive', ['run', '-s', 'redrive', '--', '--help']],
  ['npm run faults', ['run', '-s', 'faults', '--', '--help']],
  ['npm run deploy:try', ['run', '-s', 'deploy:try', '--', '--help']],
  ['npm run smoke', ['run', '-s', 'smoke', '--', '--help']],
  ['npm run costs', ['run', '-s', 'costs', '--', '--help']],
  ['npm run scale', ['run', '-s', 'scale', '--', '--help']],
])('%s explains itself', (_, args) => {
  const { status, stdout } = run('npm', ...args)
  expect(status).toBe(0)
  expect(stdout).toMatch(/^Usage: /)
})
