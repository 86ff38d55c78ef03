/** What the pages say one types: files and flags are there, options of cdk commands go together, and each alarm has its heading. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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
import { millionFlags } from '../million/million-flags.ts'
import { mutantsFlags, simulateFlags } from '../simulation/simulation-flags.ts'
import { flags as soakFlags } from '../soak/soak-flags.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

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
  const scripts = [benchFlags([]), soakFlags(), fuzzFlags(), faultsFlags(), simulateFlags(), mutantsFlags(), millionFlags()]
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
