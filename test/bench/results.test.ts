import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { merged, type Results, readResults, saveResults, thisMachine } from '../../bench/results.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'results-'))
  file = join(directory, 'results.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

const block = (value: number, date = '2026-01-02T03:04:05.678Z') => ({ date, figures: [{ name: 'a', value, unit: '' }] })
const of = (blocks: Results['blocks']): Results => ({ machine: thisMachine(), blocks })

it('blocks that were run replace theirs; the others keep figures and date', () => {
  saveResults(file, of({ one: block(1), two: block(2) }))
  const later = block(3, '2026-02-02T03:04:05.678Z')
  expect(merged(file, of({ two: later }))).toEqual(of({ one: block(1), two: later }))
})

it('refuses to put figures of two machines into one table', () => {
  saveResults(file, { machine: { ...thisMachine(), cores: 999 }, blocks: { one: block(1), two: block(2) } })
  expect(() => merged(file, of({ two: block(3) }))).toThrow('one measured on another machine')
  expect(merged(file, of({ one: block(3), two: block(4) }))).toEqual(of({ one: block(3), two: block(4) }))
})

it('a run of all blocks replaces those of another machine by and by', () => {
  saveResults(file, { machine: { ...thisMachine(), cores: 999 }, blocks: { one: block(1), two: block(2) } })
  expect(merged(file, of({ one: block(3) }), ['one', 'two'])).toEqual(of({ one: block(3) }))
  expect(() => merged(file, of({ one: block(3) }), ['one'])).toThrow('two measured on another machine')
})

it.each([
  ['{', 'no JSON'],
  ['[]', "no 'machine'"],
  ['null', "no 'machine'"],
  [JSON.stringify(of({ one: { date: '2026', figures: [{ name: 'a', value: 'fast', unit: '' } as never] } })), "block 'one'"],
  [JSON.stringify(of({ one: {} as never })), "block 'one'"],
])('refuses %s', (text, said) => {
  writeFileSync(file, text)
  expect(() => readResults(file)).toThrow(said)
})

it('refuses a file that is not there', () => {
  expect(() => readResults(file)).toThrow('no such file')
})
