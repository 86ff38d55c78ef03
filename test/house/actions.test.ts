/** An action is there wherever the house needs it: what tsc does not see of a new name in ACTIONS_OF_HOOK, this does. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ACTIONS_OF_HOOK, type ActionName, HOOKS, type HookName, hasTopicFilter, hookConfigs } from '../../lambda/core/hooks.ts'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { parseConf } from '../../lib/conf/conf.ts'
import { grantsOf } from '../../lib/pipeline/grants.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))]
/** The rows of tables in the README and in docs/. */
const TABLE_ROWS = PAGES.flatMap((page) => read(page).split('\n')).filter((line) => line.startsWith('|'))

const PAIRS = HOOKS.flatMap((hook) => ACTIONS_OF_HOOK[hook].map((action) => [action, hook] as const))
const KEPT = `backend.dynamo.msg.expired_after = 1d
backend.dynamo.hook.message.acked.2 = {"action": {"function": "on_message_acked_for_pubsub"}, "pool": "pool1"}
`
const confWith = (hook: HookName, action: ActionName) => {
  const topic = hasTopicFilter(hook) ? '"topic": "#", ' : ''
  // What is kept for many must expire, and be acknowledged.
  const kept = action === 'on_message_fetch_for_pubsub' || action === 'on_message_acked_for_pubsub'
  const beside = kept ? KEPT : ''
  const row = `backend.dynamo.hook.${hook}.1 = {${topic}"action": {"function": "${action}"}, "pool": "pool1"}`
  return parseConf(`backend.dynamo.pool1.server = http://localhost:8000\n${row}\n${beside}`, { file: 'test.conf' })
}

describe.each(PAIRS)('%s on %s', (action, hook) => {
  it('is a function in the file of its name', () => {
    const file = `lambda/${action}.ts`
    expect([file, existsSync(join(ROOT, file)) && new RegExp(`^export (async )?function ${action}\\(`, 'm').test(read(file))]).toEqual([
      file,
      true,
    ])
  })

  it('has a suite of its name, whose first comment names the hook', () => {
    const suite = `test/lambda/${action}.test.ts`
    expect([suite, existsSync(join(ROOT, suite))]).toEqual([suite, true])
    expect([suite, read(suite).split('*/')[0]]).toEqual([suite, expect.stringContaining(hook)])
  })

  it("is a row of a page's table", () => {
    const found = TABLE_ROWS.filter((row) => row.includes(`\`${hook}\``) && row.includes(`\`${action}\``))
    expect([`a row with \`${hook}\` and \`${action}\` in README.md or docs/`, found.length > 0]).toEqual([expect.any(String), true])
  })

  it('may be in a conf, on no hook but its own', () => {
    expect(confWith(hook, action).errors).toEqual([])
    expect(confWith(hook, action).table.rows).toContainEqual(expect.objectContaining({ hook, action }))
    for (const other of HOOKS.filter((each) => !ACTIONS_OF_HOOK[each].some((name) => name === action))) {
      expect(confWith(other, action).errors.map(({ message }) => message)).toEqual([expect.stringContaining(hook)])
    }
  })

  it('may make calls (lib/pipeline/grants.ts)', () => {
    const { tables, dataPlane } = grantsOf(hookConfigs(confWith(hook, action).table)[0]!, { retainIndex: false })
    expect([...Object.keys(tables), ...dataPlane]).not.toEqual([])
  })
})

it.each(HOOKS)("%s's bundle has its own actions only", (hook) => {
  const imports = [...read(`lambda/hooks/${hook.replace('.', '-')}.ts`).matchAll(/from '\.\.\/(on_\w+)\.ts'/g)].map(([, action]) => action)
  expect(imports.sort()).toEqual([...ACTIONS_OF_HOOK[hook]].sort())
})

const COMMANDS = readdirSync(join(ROOT, 'cli')).filter((name) => name.endsWith('.ts'))
it.each(COMMANDS)('cli/%s has a suite of its name', (command) => {
  const suite = `test/cli/${command.replace('.ts', '.test.ts')}`
  expect([suite, existsSync(join(ROOT, suite))]).toEqual([suite, true])
})

it.each(TABLE_NAMES)('a test of %s says so', (table) => {
  const suites = readdirSync(join(ROOT, 'test/lambda')).filter((name) => name.endsWith('.test.ts'))
  const title = new RegExp(`^\\s*(describe|it)\\(['"\`].*\\b${table}\\b`, 'm')
  expect(suites.filter((suite) => title.test(read(`test/lambda/${suite}`)))).not.toEqual([])
})
