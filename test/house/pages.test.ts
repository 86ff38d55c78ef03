/** The pages: what they name is there, what they link to is there, and each is found from docs/index.md. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { programFor } from '../../cli/command-line/all-commands.ts'
import { surprisesOf } from '../../cli/conf/surprises.ts'
import { DEFAULTS } from '../../cli/costs/costs-workload.ts'
import { PUBLISH } from '../../cli/costs/measured-units.ts'
import { ours } from '../../cli/costs/ours.ts'
import { PRICES } from '../../cli/costs/prices.ts'
import { ACTIONS_OF_HOOK, HOOKS } from '../../lambda/core/hooks.ts'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { parseConf } from '../../lib/conf/conf.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const DOCS = readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))
const PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...DOCS]
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

const FILE_NAMES = new Set(
  execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .map((file) => basename(file)),
)

/** Fenced blocks of a language, wherever they are indented. */
const blocksOf = (page: string, language: string): string[] =>
  [...read(page).matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\``, 'gm'))].map(([, indent, code]) =>
    code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )
const withoutCode = (text: string): string => text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').replaceAll(/`[^`\n]*`/g, '')

/** The anchors of a page, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading] of text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/^#+ (.*)$/gm)) {
    const plain = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')
    let unique = anchor
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`
    anchors.add(unique)
  }
  return anchors
}

const linksOf = (page: string): string[] => [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)

function isBroken(page: string, link: string): boolean {
  if (/^https:\/\//.test(link)) return false
  const [file, anchor] = link.split('#')
  const target = file === '' ? page : normalize(join(dirname(page), file!))
  return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchorsOf(read(target)).has(anchor))
}

describe.each(PAGES)('%s', (page) => {
  it('links to what is there', () => {
    expect(linksOf(page).filter((link) => isBroken(page, link))).toEqual([])
  })

  it('names files that are there', () => {
    const named = [...read(page).matchAll(/`([\w.-]+\.(?:ts|cjs|conf|json))`/g)].map(([, name]) => name!)
    expect(named.filter((name) => !FILE_NAMES.has(name))).toEqual([])
  })

  it('names scripts and suites that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...read(page).matchAll(/\bnpm run (?:-s )?([a-z:-]+)/g)].map(([, script]) => script!)
    expect(named.filter((script) => !(script in scripts))).toEqual([])
    const suites = [...read(page).matchAll(/\bnpx jest ([\w./-]+)/g)].map(([, suite]) => suite!)
    expect(suites.filter((suite) => !existsSync(join(ROOT, suite)))).toEqual([])
  })

  it('gives commands of mqtt-dynamodb with flags that they have', async () => {
    const program = await programFor([])
    const given = [...read(page).matchAll(/\bnpx mqtt-dynamodb ((?:[^\s`|&)]+ ?)*)/g)].map(([, words]) => words!.trim())
    expect(given.flatMap((words) => wrongIn(program, words.split(' ')))).toEqual([])
  })

  it('has confs that are right', () => {
    for (const conf of blocksOf(page, 'conf')) {
      const { table, warnings, errors } = parseConf(conf, { file: page })
      expect([...errors, ...warnings].map(({ message }) => message)).toEqual([])
      expect(surprisesOf(table).filter((surprise) => !/exact topic|native/.test(surprise))).toEqual([])
    }
  })
})

/** What is wrong with the words after `npx mqtt-dynamodb`; what follows a `#` is no part of them. */
function wrongIn(program: CommandUnknownOpts, words: readonly string[]): string[] {
  const [first = '', ...more] = words
  const command = program.commands.find((one) => one.name() === first)
  if (command !== undefined) return wrongIn(command, more)
  if (program.commands.length > 0) return ['', '#', '--help', '--version'].includes(first) ? [] : [`no command ${first}`]
  const end = words.indexOf('#')
  const flags = (end < 0 ? words : words.slice(0, end)).flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? [])
  return flags
    .filter((flag) => flag !== '--help' && !program.options.some(({ long }) => long === flag))
    .map((flag) => `${program.name()} has no ${flag}`)
}

test('what is wrong would be found', async () => {
  const program = await programFor([])
  const line = 'scal --publishes 1; costs --publish 1; dead-letters redriv; dead-letters list --json # --x; start --host H'
  expect(line.split('; ').flatMap((words) => wrongIn(program, words.split(' ')))).toEqual([
    'no command scal',
    'costs has no --publish',
    'no command redriv',
  ])
  expect(isBroken('README.md', 'docs/no-such-page.md')).toBe(true)
  expect(isBroken('README.md', 'docs/index.md#no-such-heading')).toBe(true)
  expect(isBroken('README.md', '#no-such-heading')).toBe(true)
  expect([...anchorsOf("# A `b`: c, d's\n## Same\n## Same\n```\n# no heading\n```\n")]).toEqual(['a-b-c-ds', 'same', 'same-1'])
})

test('docs/index.md has every page', () => {
  const linked = linksOf('docs/index.md').map((link) => normalize(join('docs', link.split('#')[0]!)))
  expect(PAGES.filter((page) => page !== 'docs/index.md' && !linked.includes(page))).toEqual([])
})

test('docs/glossary.md has each word once, in order, with one sentence or two', () => {
  const rows = [...read('docs/glossary.md').matchAll(/^\| ([^|]*?) \| ([^|]*?) \|$/gm)].slice(1)
  const words = rows.map(([, word]) => word!.toLowerCase())
  expect(words).toEqual([...words].sort())
  const each = words.flatMap((word) => word.split(', '))
  expect(each.filter((word, i) => each.indexOf(word) !== i)).toEqual([])
  expect(rows.filter(([, , meaning]) => !/\.$/.test(meaning!)).map(([, word]) => word)).toEqual([])
})

describe('the README', () => {
  const lines = read('README.md').trimEnd().split('\n')

  it('is a screen and a half: at most 150 lines, of at most 160 characters outside tables', () => {
    expect(lines.length).toBeLessThanOrEqual(150)
    expect(lines.filter((line) => line.length > 160 && !line.startsWith('|'))).toEqual([])
  })

  it('says in its first ten lines that nobody has deployed it', () => {
    expect(lines.slice(0, 10).join('\n')).toContain('Nobody has deployed it to a real account yet')
  })

  it('has what one must know before it says how to deploy', () => {
    const headings = lines.filter((line) => line.startsWith('## '))
    expect(headings.indexOf('## Things to know first')).toBeGreaterThan(0)
    expect(headings.indexOf('## Deploy')).toBeGreaterThan(headings.indexOf('## Things to know first'))
    expect(lines).toContain('npx cdk bootstrap             # once for an account and region')
  })

  const cellsUnder = (heading: string): string[][] => {
    const [, chapter] = read('README.md').split(`\n## ${heading}\n`)
    return chapter!
      .split('\n## ')[0]!
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()))
  }

  it('has every action in its hook table, beside its hook', () => {
    const shown = cellsUnder('Hooks and actions').flatMap(([, hooks, , action]) =>
      [...hooks!.matchAll(/`([^`]+)`/g)].map(([, hook]) => `${hook} ${action!.replaceAll('`', '')}`),
    )
    expect(shown.sort()).toEqual(HOOKS.flatMap((hook) => ACTIONS_OF_HOOK[hook].map((action) => `${hook} ${action}`)).sort())
  })

  it('says what a million publishes cost, as the calculator does', () => {
    const stored = 1e6 * (PUBLISH.writes + 1) * PRICES.writeUnit
    const all = ours({ ...DEFAULTS, publishes: 1e6 }).total
    expect(read('README.md')).toContain(`take $${stored.toFixed(2)} of DynamoDB to store, about $${all.toFixed(0)} with everything else`)
  })

  it('has the six tables', () => {
    expect(cellsUnder('Tables').map(([, table]) => table!.replaceAll('`', ''))).toEqual([...TABLE_NAMES])
  })
})

test('docs/internals.md, "Numbers": each stands where it says', () => {
  const [, chapter] = /\n## Numbers\n([\s\S]*?)\n## /.exec(read('docs/internals.md'))!
  let file = ''
  const missing = [...chapter!.matchAll(/^\| (.*?) \| (.*?) \|/gm)].flatMap(([, numbers, where]) => {
    file = /`(.*\.ts)`/.exec(where!)?.[1] ?? file
    return [...numbers!.matchAll(/`([A-Z_]+)`/g)].flatMap(([, name]) =>
      read(file).includes(`const ${name} =`) ? [] : [`${name} in ${file}`],
    )
  })
  expect(file).not.toBe('')
  expect(missing).toEqual([])
})

describe('CONTRIBUTING.md, "Add an action"', () => {
  const [, chapter] = /\n## Add an action\n([\s\S]*?)\n## /.exec(read('CONTRIBUTING.md'))!

  it('shows code that is there', () => {
    const [action, suite] = blocksOf('CONTRIBUTING.md', 'ts')
    expect(read('lambda/on_acked_delete.ts')).toContain(action!.trim())
    expect(read('test/lambda/on_acked_delete.test.ts')).toContain(suite!.trim())
  })

  it.each(['lambda/core/hooks.ts', 'lambda/hooks/session-unsubscribed.ts', 'lib/pipeline/grants.ts'])(
    'sends to %s, which has the action',
    (file) => {
      expect(chapter).toContain(`\`${file}\``)
      expect(read(file)).toContain('on_acked_delete')
    },
  )
})
