/** docs/api.md is what the package exports. Who changes the API writes it anew (`npm run api`), and so reads what changes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Api, readApi } from '../../bin/build/api-page.ts'
import * as api from '../../lib/public-api.ts'
import * as conf from '../../lib/public-conf.ts'

const ROOT = join(import.meta.dirname, '..', '..')

let read: Api
beforeAll(() => {
  read = readApi()
}, 60_000)

test('the page is that of the types: npm run api', () => {
  expect(readFileSync(join(ROOT, 'docs', 'api.md'), 'utf8')).toBe(read.page)
})

test('it shows every export, and each tells what it is', () => {
  const shown = read.declarations.map(({ name }) => name)
  expect(shown).toEqual(expect.arrayContaining(Object.keys({ ...api, ...conf })))
  for (const source of ['public-api', 'public-conf']) {
    const names = [...readFileSync(join(ROOT, 'lib', `${source}.ts`), 'utf8').matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    expect(shown).toEqual(
      expect.arrayContaining(names.flatMap(([, list]) => list!.split(',').map((name) => name.replace(/\btype\b/, '').trim()))),
    )
  }
  expect(read.declarations.filter(({ comment }) => comment === '').map(({ name }) => name)).toEqual([])
})

test('it shows neither private members nor names of destructured parameters', () => {
  expect(read.page).not.toMatch(/^ +private /m)
  expect(read.page).toContain('constructor(scope: Construct, id: string, props: MqttBackendProps);')
})

test("every type that it names is on it, CDK's, or JavaScript's", () => {
  const code = [...read.page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block!.replaceAll(/\/\*\*[\s\S]*?\*\//g, '')).join('\n')
  const named = new Set([...code.matchAll(/[:<&|(,] ?(?:readonly )?([A-Z]\w+)/g)].map(([, name]) => name!))
  const headings = [...read.page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!)
  const OF_CDK = ['Alarm', 'Construct', 'Dashboard', 'IFunction', 'IKey', 'IQueue', 'ITable', 'ITopic', 'StackProps']
  const OF_JAVASCRIPT = ['Partial', 'Readonly', 'ReadonlyMap', 'Record', 'Uint8Array']
  expect([...named].filter((name) => ![...headings, ...OF_CDK, ...OF_JAVASCRIPT].includes(name)).toSorted()).toEqual([])
  for (const name of ['ParsedConf', 'HookTable', ...OF_CDK]) expect([...named]).toContain(name)
})
