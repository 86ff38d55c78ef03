/** README.zh-CN.md says what README.md says: the same commands, tables and links. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8').replaceAll(/<!-- bench:readme -->[\s\S]*?<!-- \/bench -->/g, '')
const [english, chinese] = [read('README.md'), read('README.zh-CN.md')]

const commandsIn = (text: string) =>
  [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, kind, code]) => [kind, code!.replaceAll(/ *#(?![$/"]).*$/gm, '').trimEnd()])
/** The rows of the tables: how many cells, and the words in code that they name. */
const rowsIn = (text: string) =>
  [...text.matchAll(/^\|.*\|$/gm)].map(([row]) => [row.split('|').length, [...row.matchAll(/`[^`]+`/g)].map(([code]) => code)])
/** Without those inside the page, whose headings are in its own language. */
const linksIn = (text: string) => [...text.matchAll(/\]\(([^)#][^)]*)\)/g)].map(([, link]) => link!)

test('the same commands', () => {
  expect(commandsIn(chinese)).toEqual(commandsIn(english))
})

test('the same tables', () => {
  expect(rowsIn(chinese)).toEqual(rowsIn(english))
})

test('the same links, in the same order', () => {
  const own = ['README.md', 'README.md#never-run-on-a-real-account']
  expect(linksIn(chinese).filter((link) => !own.includes(link))).toEqual(linksIn(english).filter((link) => link !== 'README.zh-CN.md'))
})

test('the same chapters', () => {
  const chapters = (text: string) => text.match(/^## /gm)!.length
  expect(chapters(chinese)).toBe(chapters(english))
})

test('each names the other', () => {
  expect(english).toContain('](README.zh-CN.md)')
  expect(chinese).toContain('](README.md)')
})
