/** cfn-lint, where it is installed (`pip install cfn-lint`), on the committed template. test/lib/snapshot.test.ts holds it to the code. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TEMPLATE = join(import.meta.dirname, 'template.json')

interface Finding {
  readonly Rule: { readonly Id: string }
  readonly Message: string
  readonly Location: { readonly Path: readonly string[] | null }
}

/** Each with its reason; anything else fails. */
const ACCEPTED: readonly { rule: string; message: RegExp; why: string }[] = [
  { rule: 'W3005', message: /dependency already enforced/, why: 'CDK writes DependsOn where a reference says the same' },
  {
    rule: 'W3037',
    message: /^'(?:senddirectmessage|getconnection|listsubscriptions)' is not one of/,
    why: 'cfn-lint 1.51 predates them; that IAM has them is tested with its own list (test/support/iam-grammar.ts)',
  },
]

const isInstalled = spawnSync('cfn-lint', ['--version']).status === 0

function findings(file: string): string[] {
  const { stdout } = spawnSync('cfn-lint', ['--format', 'json', '--regions', 'us-west-2', '--', file], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return (JSON.parse(stdout) as Finding[])
    .filter(({ Rule, Message }) => !ACCEPTED.some(({ rule, message }) => rule === Rule.Id && message.test(Message)))
    .map(({ Rule, Message, Location }) => `${Rule.Id} ${Location.Path?.join('.')}: ${Message}`)
}

if (isInstalled) {
  test('cfn-lint finds nothing', () => {
    expect(findings(TEMPLATE)).toEqual([])
  }, 70_000)

  test('cfn-lint would find what is wrong', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cfn-lint-'))
    const file = join(directory, 'template.json')
    writeFileSync(file, readFileSync(TEMPLATE, 'utf8').replace('"MessageRetentionPeriod"', '"MessageRetentionTime"'))
    expect(findings(file)).toContainEqual(expect.stringMatching(/^E3002 .*MessageRetentionTime/))
    rmSync(directory, { recursive: true })
  }, 70_000)
} else {
  test.skip('cfn-lint finds nothing: it is not installed here (pip install cfn-lint)', () => {})
}
