/** The AWS command lines on the pages, held to AWS's own service descriptions, which come with the engine of `npm run deploy:try`. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installEngine } from '../deploy/engine-install.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))]

const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8').replaceAll(/\\\n\s*/g, '')
const found = (pattern: RegExp): string[] => PAGES.flatMap((page) => [...textOf(page).matchAll(pattern)].map(([, command]) => command!))
/** To be typed as they stand: a line of a block, with those that it goes on in, up to a comment, a pipe or a brace. */
const LINES = /^(?!.*`).*?\b(aws [a-z0-9-]+ [a-z0-9-]+.*?)(?: *;.*\}| +#.*| \| .*)?$/gm
/** In a sentence, which may leave flags out. */
const SPANS = /`(aws [a-z0-9-]+ [a-z0-9-]+[^`]*)`/g

const engine = installEngine()
if ('missing' in engine) process.stdout.write(`the AWS commands of the pages are not checked: ${engine.missing}\n`)

function problemsOf(commands: readonly string[]): string[] {
  const { python } = engine as { python: string }
  const { stdout, stderr } = spawnSync(python, [join(import.meta.dirname, 'aws-commands.py')], {
    input: JSON.stringify(commands),
    encoding: 'utf8',
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

;('missing' in engine ? describe.skip : describe)('AWS commands', () => {
  it('are right on every page', () => {
    const [lines, spans] = [found(LINES), found(SPANS)]
    expect(lines.length).toBeGreaterThan(20)
    expect(spans.length).toBeGreaterThan(5)
    expect(problemsOf(lines)).toEqual([])
    expect(problemsOf(spans).filter((problem) => !/ without --[\w-]+$/.test(problem))).toEqual([])
  })

  it.each([
    ['aws dynamodb gets-item --table-name t', 'dynamodb has no gets-item'],
    ['aws dynamodb get-item --table t --key k', 'dynamodb get-item has no --table'],
    ['aws dynamodb get-item --table-name t', 'dynamodb get-item without --key'],
    ["aws lambda get-account-settings --query 'a[?'", 'Invalid jmespath'],
  ])('are found wrong: %s', (command, problem) => {
    expect(problemsOf([command])).toEqual([expect.stringContaining(problem)])
  })
})
